//! How many more processes and threads may be started where a process is: each counts as one.

use std::fmt;
use std::fs;
use std::path::Path;

use super::cgroup::Cgroups;
use super::status::Status;

/// The limit that leaves the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessesLeft {
    /// How many more.
    pub left: u64,
    /// Which limit.
    pub limit: ProcessLimit,
}

/// What limits the number of processes and threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessLimit {
    /// `pids.max` of a control group of its.
    Cgroup,
    /// Its user's (`ulimit -u`).
    User,
    /// The machine's (`kernel.threads-max`, `kernel.pid_max`).
    Machine,
}

impl fmt::Display for ProcessLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cgroup => "its control group (pids.max)",
            Self::User => "its user (ulimit -u)",
            Self::Machine => "this machine (kernel.threads-max, kernel.pid_max)",
        })
    }
}

/// What is left where a process is; `None` where no limit can be seen.
#[must_use]
pub fn left_for(pid: u32) -> Option<ProcessesLeft> {
    let groups = Cgroups::of(pid);
    let group = groups.folders("pids").filter_map(group_left).min();
    let each = [
        (group, ProcessLimit::Cgroup),
        (user_left(pid), ProcessLimit::User),
        (machine_left(), ProcessLimit::Machine),
    ];
    let known =
        each.into_iter().filter_map(|(left, limit)| Some(ProcessesLeft { left: left?, limit }));
    known.min_by_key(|it| it.left)
}

fn group_left(folder: &Path) -> Option<u64> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    // "max" is no number.
    Some(read("pids.max")?.saturating_sub(read("pids.current")?))
}

fn machine_left() -> Option<u64> {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let most = number("/proc/sys/kernel/threads-max")?.min(number("/proc/sys/kernel/pid_max")?);
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    // `0.20 0.18 0.12 1/80 11206`: all threads stand behind the stroke.
    let all: u64 = load.split(' ').nth(3)?.split_once('/')?.1.parse().ok()?;
    Some(most.saturating_sub(all))
}

/// What the limit of its user leaves; `None` where that is none, or does not hold: for root and whoever may pass it.
fn user_left(pid: u32) -> Option<u64> {
    let limit = soft_limit(&fs::read_to_string(format!("/proc/{pid}/limits")).ok()?)?;
    let user = Status::of(pid).ok()?.uid.real;
    // Whether it may pass it is not asked: who is not root and may is rare, and then it is refused what it could do.
    if user == 0 {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let other: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let is_theirs = Status::of(other).ok()?.uid.real == user;
        let threads = || fs::read_dir(format!("/proc/{other}/task")).ok().map(Iterator::count);
        if is_theirs { threads() } else { None }
    });
    Some(limit.saturating_sub(processes.sum::<usize>() as u64))
}

/// `Max processes             63704                63704                processes`
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max processes"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_none() {
        let text = "Limit  Soft Limit\nMax processes             63704      63705     processes\n";
        assert_eq!(soft_limit(text), Some(63_704));
        assert_eq!(soft_limit("Max processes   unlimited  unlimited  processes\n"), None);
        assert_eq!(soft_limit(""), None);
    }

    #[test]
    fn this_machine_leaves_some() {
        let left = left_for(std::process::id()).expect("the machine's at least");
        assert!(left.left > 0, "{left:?}");
    }
}
