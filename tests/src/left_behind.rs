//! What an agent that held a target still may have left behind, as the kernel shows it.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// What the processes are called that hold targets still.
pub const NAME: &str = "leak-agent-stop";

/// What does not go away in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of /proc, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// What it is called.
    pub name: String,
    /// The letter of its state.
    pub state: char,
    /// Its parent.
    pub parent: u32,
    /// Its session.
    pub session: u32,
    /// What its parent is sent at its end; 0 for nothing.
    pub exit_signal: u64,
    /// How it ended, as `wait` has it; 0 where it has not.
    pub exit_code: u64,
}

/// All processes, those too that have ended and wait for their parents' attention.
fn all() -> Result<impl Iterator<Item = Process>> {
    let all = fs::read_dir("/proc").context("cannot read /proc")?;
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(process))
}

/// A process, if it is there.
#[must_use]
pub fn process(pid: u32) -> Option<Process> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (head, tail) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = tail.split(' ').collect();
    Some(Process {
        pid,
        name: head.split_once('(')?.1.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        exit_signal: fields.get(35)?.parse().ok()?,
        exit_code: fields.get(49)?.trim().parse().ok()?,
    })
}

/// The copies of a target that are there, also those that have ended: children at whose end it hears nothing. A Go
/// program has such a one of its own for a moment, when it starts its first process (`checkPidfd`), or for good if it is
/// replaced in that moment: that one ends well, which no copy does, and is left out when it has.
///
/// # Errors
/// When /proc cannot be read.
pub fn copies(target: u32) -> Result<Vec<Process>> {
    Ok(all()?
        .filter(|it| it.parent == target && it.exit_signal == 0)
        .filter(|it| it.state != 'Z' || it.exit_code != 0)
        .collect())
}

/// The process that holds a target still now, for the one that holds them all.
#[must_use]
pub fn holder(stopper: u32) -> Option<u32> {
    all().ok()?.find(|it| it.parent == stopper && it.name == NAME).map(|child| child.pid)
}

/// Waits until a process that holds targets is gone, with all that it has forked.
///
/// # Errors
/// When one stays.
pub fn until_gone(stopper: u32) -> Result<()> {
    let start = Instant::now();
    loop {
        let ours = |it: &Process| it.session == stopper && it.name == NAME && it.state != 'Z';
        let left: Vec<Process> = all()?.filter(ours).collect();
        if left.is_empty() {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "{left:?} are left behind");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// That nobody traces or stops a process, in any of its threads, and that it has no copy.
///
/// # Errors
/// When something is left.
pub fn ensure_left_alone(target: u32) -> Result<()> {
    let start = Instant::now();
    loop {
        let copies = copies(target)?;
        if copies.is_empty() {
            break;
        }
        // Its own goes at once; what we left would stay.
        ensure!(start.elapsed() < Duration::from_secs(5), "copies are left: {copies:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    for task in fs::read_dir(format!("/proc/{target}/task")).context("the target is gone")? {
        // A thread may end while it is looked at.
        let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
        ensure!(status.contains("TracerPid:\t0\n"), "traced: {status}");
        ensure!(
            !status.contains("State:\tT") && !status.contains("State:\tt"),
            "stopped: {status}"
        );
    }
    Ok(())
}
