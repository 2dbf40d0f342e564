//! Time namespaces (time_namespaces(7), Linux 5.6): how far a process's clock is from the host's.
//!
//! Go's `nanotime` reads `CLOCK_MONOTONIC`, which is moved by a namespace's offset. eBPF programs and
//! the agent's own clock, once its own offset is taken off, count as the host does.

use std::fs;
use std::path::{Path, PathBuf};

/// By how many nanoseconds `CLOCK_MONOTONIC` of the process whose /proc folder this is runs ahead of
/// the host's; `None` when that cannot be told. 0 on kernels without time namespaces.
#[must_use]
pub fn offset_ns(folder: &Path) -> Option<i64> {
    let namespace = |name: &str| fs::read_link(folder.join("ns").join(name)).ok();
    let (own, children) = (namespace("time"), namespace("time_for_children"));
    let Ok(offsets) = fs::read_to_string(folder.join("timens_offsets")) else {
        return folder.exists().then_some(0);
    };
    if own == children {
        return parse(&offsets);
    }
    // The file tells of the namespace that children will be in. Who has made one for them is usually
    // in the agent's own.
    let ours = PathBuf::from("/proc/self");
    let is_ours = own.is_some() && own == fs::read_link(ours.join("ns/time")).ok();
    if is_ours && folder != ours { offset_ns(&ours) } else { None }
}

/// The line of the monotonic clock: its name, seconds, nanoseconds.
fn parse(offsets: &str) -> Option<i64> {
    let line = offsets.lines().find_map(|line| line.strip_prefix("monotonic"))?;
    let mut numbers = line.split_ascii_whitespace().map(|word| word.parse::<i64>().ok());
    let (seconds, nanoseconds) = (numbers.next()??, numbers.next()??);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_in_nanoseconds() {
        let text = "monotonic       -1000   500000000\nboottime         7         0\n";
        assert_eq!(parse(text), Some(-999_500_000_000));
        assert_eq!(parse("boottime 7 0\n"), None);
        assert_eq!(parse("monotonic 9223372036854775807 0\n"), None);
    }

    #[test]
    fn a_process_that_is_gone_has_none() {
        assert_eq!(offset_ns(Path::new("/proc/0")), None);
        assert_eq!(offset_ns(Path::new("/proc/self")), offset_ns(Path::new("/proc/thread-self")));
    }
}
