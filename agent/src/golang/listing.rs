//! The Go programs that run on this host.

use std::{fs, io};

use super::error::Error;
use super::process::Process;
use super::runtimes::{Finder, GoRuntime};

/// A running Go program, as [`list`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoProcess {
    /// Its id.
    pub pid: u32,
    /// The file name of its executable.
    pub exe: String,
    /// The shared library that holds the Go runtime, where that is not the executable.
    pub library: Option<String>,
    /// Go's version, as the file or else the memory says.
    pub go_version: String,
    /// Its command line, arguments separated by spaces.
    pub command: String,
    /// Its id in its own pid namespace, when that is another (a container's).
    pub own_pid: Option<u32>,
}

/// What [`list`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The Go programs, by pid.
    pub processes: Vec<GoProcess>,
    /// For how many other processes permission was denied.
    pub refused: usize,
}

/// All running Go programs that may be read: an entry for each Go runtime.
///
/// # Errors
/// When /proc cannot be read.
pub fn list() -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut finder = Finder::default();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(process) = Process::find(pid) else { continue };
        match finder.all(&process) {
            Ok(runtimes) => {
                let of = |runtime| go_process(&process, runtime);
                listing.processes.extend(runtimes.into_iter().map(of));
            }
            Err(Error::Permission { .. }) => listing.refused += 1,
            Err(_) => {}
        }
    }
    listing.processes.sort_by_key(|process| process.pid);
    Ok(listing)
}

fn go_process(process: &Process, runtime: GoRuntime) -> GoProcess {
    let command = fs::read(process.folder().join("cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
    let own_pid = own_pid(process.pid).filter(|&own| own != process.pid);
    GoProcess {
        pid: process.pid,
        exe: process.exe.clone(),
        library: runtime.library,
        go_version: runtime.go_version,
        command,
        own_pid,
    }
}

/// The last of the ids that `NSpid` lists, one for each namespace from ours inwards.
fn own_pid(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    ids.split_ascii_whitespace().next_back()?.parse().ok()
}
