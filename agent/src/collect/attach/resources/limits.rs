//! The limits of what a process may hold.

use std::fs;
use std::path::Path;

use crate::host::cgroup::Cgroups;
use crate::model::Bound;

/// The limits of one process. What is not known, or is none, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// `RLIMIT_NOFILE`, the soft one.
    pub(super) descriptors: Option<u64>,
    /// `vm.max_map_count`.
    pub(super) mappings: Option<u64>,
    /// `pids.max` of the control group that leaves the fewest, and what counted towards it.
    tasks: Option<(u64, u64)>,
}

impl Limits {
    pub(super) fn read(pid: u32, folder: &Path) -> Self {
        let limits = fs::read_to_string(folder.join("limits")).unwrap_or_default();
        let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").ok();
        let number = |folder: &Path, file: &str| {
            fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok()
        };
        let cgroups = Cgroups::of(pid);
        let bounds = cgroups.folders("pids").filter_map(|folder| {
            Some((number(folder, "pids.max")?, number(folder, "pids.current")?))
        });
        Self {
            descriptors: soft(&limits, "Max open files"),
            mappings: mappings.and_then(|text| text.trim().parse().ok()),
            tasks: bounds.min_by_key(|(limit, used)| limit.saturating_sub(*used)),
        }
    }

    /// That of threads, for a process that has so many.
    pub(super) fn threads(&self, count: u64) -> Option<Bound> {
        // Other processes of the group come and go until the next reading.
        self.tasks.map(|(limit, used)| Bound { used: used.max(count), limit })
    }
}

/// A soft limit of `/proc/PID/limits` (proc_pid_limits(5)); `None` where it is unlimited.
fn soft(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limits() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 524288               files     \n\
                      Max file locks            unlimited            unlimited            locks     \n";
        assert_eq!(soft(limits, "Max open files"), Some(1024));
        assert_eq!(soft(limits, "Max file locks"), None);
        assert_eq!(soft(limits, "Max cpu time"), None);
        let ours = Limits::read(std::process::id(), Path::new("/proc/self"));
        assert!(ours.descriptors.is_none_or(|limit| limit > 0));
        assert!(ours.mappings.is_some_and(|limit| limit > 0));
    }
}
