//! Where the files of a process's control groups are, in both of Linux's hierarchies (cgroups(7)).

use std::fs;
use std::path::{Path, PathBuf};

/// Folders above a group's that are read: nobody nests deeper by hand.
const MAX_LEVELS: usize = 16;

/// The control groups of a process, as this process sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroups {
    groups: Vec<Group>,
}

/// A control group and the hierarchy that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    /// Its controllers; none for that of version 2, which has them all.
    controllers: Vec<String>,
    mount: PathBuf,
    folder: PathBuf,
}

impl Cgroups {
    /// Those of a process; none where /proc or the hierarchies cannot be seen.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self::parse(&groups, &mounts)
    }

    fn parse(groups: &str, mounts: &str) -> Self {
        let mounts: Vec<Mount<'_>> = mounts.lines().filter_map(Mount::parse).collect();
        let group = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let controllers: Vec<String> =
                controllers.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
            let mount = mounts.iter().find(|mount| mount.is_of(&controllers))?;
            // What is mounted may be a part of the hierarchy: a container's.
            let below = path.strip_prefix(mount.root.trim_end_matches('/')).unwrap_or(path);
            let mount = PathBuf::from(mount.point);
            let folder = mount.join(below.trim_start_matches('/'));
            Some(Group { controllers, mount, folder })
        };
        Self { groups: groups.lines().filter_map(group).collect() }
    }

    /// The group's folder for a controller, and those above it, own first: of version 1's hierarchy with
    /// that controller if there is one, and then of version 2's.
    pub fn folders(&self, controller: &str) -> impl Iterator<Item = &Path> {
        let has = |group: &&Group| group.controllers.iter().any(|it| it == controller);
        let of_1 = self.groups.iter().find(has);
        let of_2 = self.groups.iter().find(|group| group.controllers.is_empty());
        of_1.into_iter().chain(of_2).flat_map(|group| {
            let above = group.folder.ancestors().take(MAX_LEVELS);
            above.take_while(|folder| folder.starts_with(&group.mount))
        })
    }
}

/// A mounted hierarchy.
struct Mount<'a> {
    /// The part of the hierarchy that is mounted.
    root: &'a str,
    point: &'a str,
    is_v2: bool,
    options: &'a str,
}

impl<'a> Mount<'a> {
    /// A line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut kind = kind.split(' ');
        let is_v2 = match kind.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        Some(Self { root, point, is_v2, options: kind.nth(1)? })
    }

    fn is_of(&self, controllers: &[String]) -> bool {
        if controllers.is_empty() {
            return self.is_v2;
        }
        let has = |wanted: &String| self.options.split(',').any(|option| option == wanted);
        !self.is_v2 && controllers.iter().all(has)
    }
}

/// The number behind a key in a file of lines `KEY NUMBER`, such as `cpu.stat`.
#[must_use]
pub fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
25 1 0:22 / /sys rw,nosuid - sysfs sysfs rw
31 25 0:26 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
33 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct
34 25 0:29 /docker/abc /sys/fs/cgroup/memory ro shared:12 - cgroup cgroup rw,memory
";

    fn folders(groups: &str, controller: &str) -> Vec<String> {
        let groups = Cgroups::parse(groups, MOUNTS);
        groups.folders(controller).map(|folder| folder.display().to_string()).collect()
    }

    #[test]
    fn a_group_and_those_above_it_in_both_hierarchies() {
        let groups = "9:cpu,cpuacct:/a/b\n4:memory:/docker/abc/job\n0::/user.slice\n";
        assert_eq!(
            folders(groups, "cpu"),
            [
                "/sys/fs/cgroup/cpu,cpuacct/a/b",
                "/sys/fs/cgroup/cpu,cpuacct/a",
                "/sys/fs/cgroup/cpu,cpuacct",
                "/sys/fs/cgroup/unified/user.slice",
                "/sys/fs/cgroup/unified",
            ]
        );
        assert_eq!(
            folders(groups, "memory")[..2],
            ["/sys/fs/cgroup/memory/job", "/sys/fs/cgroup/memory"]
        );
        assert_eq!(folders(groups, "freezer")[0], "/sys/fs/cgroup/unified/user.slice");
    }

    #[test]
    fn what_is_not_mounted_has_no_folder() {
        assert!(folders("4:pids:/x\n", "pids").is_empty());
        assert!(Cgroups::parse("0::/\n", "").folders("cpu").next().is_none());
    }

    #[test]
    fn numbers_are_found_by_their_whole_key() {
        let text = "nr_throttled 7\nthrottled_usec 12\n";
        assert_eq!(number(text, "throttled_usec"), Some(12));
        assert_eq!((number(text, "throttled"), number(text, "frozen")), (None, None));
    }
}
