//! Whether a processor of this machine is free.

use std::fs;
use std::thread;

use nix::unistd::{SysconfVar, sysconf};

/// The processors of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processors {
    /// How many there are.
    online: usize,
    /// How many this process may use at a time, by its affinity and its control groups.
    usable: usize,
}

impl Processors {
    /// Those of this machine; `None` where it does not say.
    #[must_use]
    pub fn of_host() -> Option<Self> {
        let online = sysconf(SysconfVar::_NPROCESSORS_ONLN).ok()??;
        let usable = thread::available_parallelism().ok()?.get();
        Some(Self { online: usize::try_from(online).ok()?, usable })
    }

    /// Whether this process may use more than one.
    #[must_use]
    pub fn are_several(self) -> bool {
        self.usable > 1 && self.online > 1
    }

    /// Whether more threads want to run than there are processors, the caller included. `true` where that cannot be told.
    #[must_use]
    pub fn are_contended(self) -> bool {
        runnable().is_none_or(|runnable| runnable > self.online)
    }
}

/// How many threads of the machine run or want to, the caller included.
fn runnable() -> Option<usize> {
    parse(&fs::read_to_string("/proc/loadavg").ok()?)
}

/// `0.20 0.18 0.12 1/80 11206`: the fourth field has those that are runnable and those that there are
/// (proc_loadavg(5)).
fn parse(loadavg: &str) -> Option<usize> {
    loadavg.split(' ').nth(3)?.split_once('/')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runnable_threads_are_the_fourth_field() {
        assert_eq!(parse("0.20 0.18 0.12 3/80 11206\n"), Some(3));
        assert_eq!(parse("0.20 0.18 0.12"), None);
        assert!(runnable().is_some_and(|runnable| runnable > 0), "this thread runs");
    }

    #[test]
    fn nobody_may_use_more_processors_than_there_are() {
        let processors = Processors::of_host().expect("this machine says");
        assert!(processors.usable >= 1 && processors.usable <= processors.online);
        assert!(!Processors { usable: 1, ..processors }.are_several(), "it may use no other");
    }
}
