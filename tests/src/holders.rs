//! The processes that hold probes for an agent, as the kernel shows them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context, Result};

/// What server and holders are called.
pub const NAME: &str = "leak-agent-hold";

/// The processes that an agent has started to hold probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    /// Forks the others, and leads their session and group.
    pub server: u32,
    /// One a probe.
    pub holders: Vec<u32>,
}

impl Holders {
    /// Those of an agent, if it has any by now.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn of(agent: u32) -> Result<Option<Self>> {
        let all = all()?;
        let of = |parent: u32| all.iter().filter(move |it| it.1 == parent).map(|it| it.0);
        let server = of(agent).next();
        Ok(server.map(|server| Self { server, holders: of(server).collect() }))
    }

    /// Whether none of them runs any more. One that waits for its parent's attention is gone.
    #[must_use]
    pub fn are_gone(&self) -> bool {
        let gone = |pid: &u32| stat(*pid).is_none_or(|(state, _)| state == "Z");
        gone(&self.server) && self.holders.iter().all(gone)
    }
}

/// Servers and holders of all agents, and their parents.
fn all() -> Result<Vec<(u32, u32)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while it is looked at.
        let named = fs::read_to_string(format!("/proc/{pid}/comm"));
        if named.is_ok_and(|named| named.trim_end() == NAME)
            && let Some((_, parent)) = stat(pid)
        {
            found.push((pid, parent));
        }
    }
    Ok(found)
}

/// A process's state and parent.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// What a process has open, sorted.
///
/// # Errors
/// When it is gone, or may not be looked at.
pub fn open_files(pid: u32) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).context("the process is gone")? {
        // Closed meanwhile, if it cannot be read.
        if let Ok(file) = fs::read_link(entry?.path()) {
            files.push(file.to_string_lossy().into_owned());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether something that a process has open is a probe in the kernel.
#[must_use]
pub fn is_link(file: &str) -> bool {
    file.starts_with("anon_inode:") && (file.contains("link") || file.contains("perf_event"))
}

/// A line of the kernel's log: a process could not take a probe out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Which process.
    pub pid: u32,
    /// Whether it is called as servers and holders are.
    pub is_holder: bool,
    /// The whole line.
    pub line: String,
}

/// All such lines that the log has; none where it cannot be read.
#[must_use]
pub fn complaints() -> Vec<Complaint> {
    let (mut found, mut record) = (Vec::new(), [0; 8192]);
    let mut options = fs::OpenOptions::new();
    let log = options.read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg");
    let Ok(mut log) = log else { return found };
    loop {
        match log.read(&mut record) {
            Ok(length) => {
                let line = String::from_utf8_lossy(&record[..length]);
                found.extend(complaint(line.trim_end()));
            }
            // Written over while it was read: the next is there.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
            Err(_) => return found,
        }
    }
}

/// `...;uprobe: NAME:PID failed to unregister, leaking uprobe`
fn complaint(line: &str) -> Option<Complaint> {
    let who = line.split_once(";uprobe: ")?.1.split_once(" failed to unregister")?.0;
    let (name, pid) = who.rsplit_once(':')?;
    Some(Complaint { pid: pid.parse().ok()?, is_holder: name == NAME, line: line.to_owned() })
}
