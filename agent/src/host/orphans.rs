//! Processes that were started by a process that this one has started, and whose parent has ended: whatever group and session
//! they put themselves into.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// From one time that it is looked who is left to the next.
const PAUSE: Duration = Duration::from_millis(2);

/// From now on those whose parent has ended become children of this process, and not of the first one of the system.
pub(crate) fn adopt() {
    // Every kernel since 3.4 does it. Where one does not, they are missed.
    _ = set_child_subreaper(true);
}

/// Kills all children of this process and those that come from them, and waits for their ends, though not for longer than this.
/// Whether nobody is left.
pub(crate) fn end_all(patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        let children = children();
        for child in &children {
            // It cannot be somebody else's id: it has not been waited for.
            _ = kill(*child, Signal::SIGKILL);
        }
        if has_reaped_all() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

/// Takes leave of those that have ended; whether there is no child any more.
fn has_reaped_all() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return true,
            Ok(WaitStatus::StillAlive) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The children of this process, which has one thread.
fn children() -> Vec<Pid> {
    let pid = std::process::id();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}
