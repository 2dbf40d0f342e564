//! How much memory a process may still take: the limits of its control groups, of both versions; and what the agent takes.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{SysconfVar, sysconf};

use super::cgroup::{Cgroups, number};
pub use super::sys::give_back;

/// A limit beyond this is none: version 1 writes one of nearly 2^63.
const NO_LIMIT: u64 = 1 << 56;

/// The control group that leaves the least memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Its limit, in bytes.
    pub limit_bytes: u64,
    /// What its processes use of that and the kernel cannot take back: without file caches.
    pub used_bytes: u64,
}

impl Allowance {
    /// That of this process; `None` where nothing limits it, or no limit can be seen.
    #[must_use]
    pub fn read() -> Option<Self> {
        Self::of_process(std::process::id())
    }

    /// That of another process.
    #[must_use]
    pub fn of_process(pid: u32) -> Option<Self> {
        let cgroups = Cgroups::of(pid);
        cgroups.folders("memory").filter_map(Self::of).min_by_key(Self::left_bytes)
    }

    /// What another process may take before it is ended, or slowed down (`memory.high`).
    #[must_use]
    pub fn of_process_at_full_speed(pid: u32) -> Option<Self> {
        let cgroups = Cgroups::of(pid);
        let each = cgroups.folders("memory");
        each.filter_map(Self::at_full_speed).min_by_key(Self::left_bytes)
    }

    /// What is left.
    #[must_use]
    pub const fn left_bytes(&self) -> u64 {
        self.limit_bytes.saturating_sub(self.used_bytes)
    }

    fn of(folder: &Path) -> Option<Self> {
        Self::by(folder, &["memory.max", "memory.limit_in_bytes"])
    }

    fn at_full_speed(folder: &Path) -> Option<Self> {
        let slowed = Self::by(folder, &["memory.high"]);
        Self::of(folder).into_iter().chain(slowed).min_by_key(Self::left_bytes)
    }

    /// By the first of some limits that there is.
    fn by(folder: &Path, limits: &[&str]) -> Option<Self> {
        let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
        let bytes = |file: &str| read(file)?.trim().parse::<u64>().ok();
        let limit_bytes = limits.iter().find_map(|limit| bytes(limit))?;
        let used = bytes("memory.current").or_else(|| bytes("memory.usage_in_bytes"))?;
        let used_bytes = used.saturating_sub(caches(&read("memory.stat").unwrap_or_default()));
        (limit_bytes < NO_LIMIT).then_some(Self { limit_bytes, used_bytes })
    }
}

/// What limits the memory of this process the most, in words, and what that leaves it. A control group has to hold the
/// program's code as well.
#[must_use]
pub fn tightest() -> Option<(&'static str, Allowance)> {
    let with_code = |it: Allowance| {
        let used_bytes = it.used_bytes.saturating_add(code_bytes().unwrap_or(0));
        Allowance { used_bytes, ..it }
    };
    tightest_of([
        ("its control group (memory.max)", Allowance::read().map(with_code)),
        ("the limit of its address space (ulimit -v)", address_space()),
    ])
}

fn tightest_of(
    limits: [(&'static str, Option<Allowance>); 2],
) -> Option<(&'static str, Allowance)> {
    let limits = limits.into_iter().filter_map(|(limit, allowance)| Some((limit, allowance?)));
    limits.min_by_key(|(_, allowance)| allowance.left_bytes())
}

/// The address space that this process may still take (`RLIMIT_AS`, `ulimit -v`); `None` where nothing limits it.
#[must_use]
pub fn address_space() -> Option<Allowance> {
    let (limit_bytes, _) = getrlimit(Resource::RLIMIT_AS).ok()?;
    let used_bytes = own("VmSize:")?;
    (limit_bytes < NO_LIMIT).then_some(Allowance { limit_bytes, used_bytes })
}

/// What of a group's memory is that of files, from `memory.stat`.
fn caches(stat: &str) -> u64 {
    // Version 1 counts those of the groups below in lines of their own.
    let lists = [["total_inactive_file", "total_active_file"], ["inactive_file", "active_file"]];
    let sum =
        |names: [&str; 2]| -> Option<u64> { names.iter().map(|name| number(stat, name)).sum() };
    lists.into_iter().find_map(sum).unwrap_or(0)
}

/// What this process itself takes that no file holds, in bytes.
#[must_use]
pub fn own_bytes() -> Option<u64> {
    own("RssAnon:")
}

/// A figure of this process, in bytes.
fn own(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Resident memory of this process, pages of files included, in bytes; `None` where the host does not say.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    pages_in_bytes(1)
}

/// The machine code of this program, in bytes. The kernel may drop it at any time, but where it finds no room for it again
/// each function is read from disk whenever it is called.
#[must_use]
pub fn code_bytes() -> Option<u64> {
    pages_in_bytes(3)
}

/// A column of `statm`, in bytes.
fn pages_in_bytes(column: usize) -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(column)?.parse().ok()?;
    let page = u64::try_from(sysconf(SysconfVar::PAGE_SIZE).ok()??).ok()?;
    Some(pages * page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_space_is_limited_or_not() {
        assert!(own("VmSize:").is_some_and(|bytes| bytes > own_bytes().unwrap_or(0)));
        let (limit_bytes, _) = getrlimit(Resource::RLIMIT_AS).expect("it is told");
        assert_eq!(address_space().is_some(), limit_bytes < NO_LIMIT);
    }

    #[test]
    fn the_tighter_limit_decides() {
        let limit = |mib: u64| Some(Allowance { limit_bytes: mib << 20, used_bytes: 20 << 20 });
        let tightest = |group, space| {
            let found = tightest_of([("group", group), ("space", space)]);
            found.map(|(limit, it)| (limit, it.left_bytes() >> 20))
        };
        assert_eq!(tightest(None, None), None);
        assert_eq!(tightest(limit(128), None), Some(("group", 108)));
        assert_eq!(tightest(limit(64), limit(32)), Some(("space", 12)));
        assert_eq!(tightest(limit(24), limit(32)), Some(("group", 4)));
    }

    #[test]
    fn code_is_a_part_of_what_is_mapped() {
        let code = code_bytes().expect("it is told");
        assert!(code > 1 << 20 && code < own("VmSize:").expect("it is told"), "{code}");
    }

    #[test]
    fn caches_of_both_versions() {
        assert_eq!(caches("anon 5\ninactive_file 7\nactive_file 11\n"), 18);
        let stat = "inactive_file 1\nactive_file 1\ntotal_inactive_file 7\ntotal_active_file 11\n";
        assert_eq!(caches(stat), 18);
        assert_eq!(caches(""), 0);
    }

    #[test]
    fn files_of_both_versions_and_no_limit() {
        let folder = std::env::temp_dir().join(format!("leak-agent-memory-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("made");
        let write = |file: &str, text: &str| fs::write(folder.join(file), text).expect("written");
        write("memory.max", "max\n");
        write("memory.current", "4096\n");
        assert_eq!(Allowance::of(&folder), None);
        write("memory.max", "65536\n");
        write("memory.stat", "inactive_file 1000\nactive_file 96\n");
        let seen = Allowance::of(&folder).expect("a limit");
        assert_eq!((seen.used_bytes, seen.left_bytes()), (3000, 62_536));
        assert_eq!(Allowance::at_full_speed(&folder), Some(seen));
        write("memory.high", "max\n");
        assert_eq!(Allowance::at_full_speed(&folder), Some(seen));
        write("memory.high", "8192\n");
        let slowed = Allowance::at_full_speed(&folder).map(|it| it.left_bytes());
        assert_eq!(slowed, Some(5192));
        assert_eq!(Allowance::of(&folder), Some(seen));
        fs::remove_file(folder.join("memory.high")).expect("removed");
        fs::remove_file(folder.join("memory.max")).expect("removed");
        fs::remove_file(folder.join("memory.current")).expect("removed");
        write("memory.limit_in_bytes", "9223372036854771712\n");
        write("memory.usage_in_bytes", "4096\n");
        assert_eq!(Allowance::of(&folder), None);
        fs::remove_dir_all(folder).expect("removed");
        assert!(own_bytes().is_some_and(|bytes| bytes > 0));
        give_back();
        assert!(resident_bytes() >= own_bytes(), "pages of files come on top");
    }
}
