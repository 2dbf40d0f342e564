//! How much memory the kernel still promises, where it promises no more than there is (`vm.overcommit_memory=2`).

use std::fs;

/// What is left of what may be promised, in bytes; `None` where that has no limit.
#[must_use]
pub fn left_bytes() -> Option<u64> {
    let mode = fs::read_to_string("/proc/sys/vm/overcommit_memory").ok()?;
    left(&mode, &fs::read_to_string("/proc/meminfo").ok()?)
}

/// What the machine has for new pages, in bytes.
#[must_use]
pub fn available_bytes() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable")
}

fn left(mode: &str, meminfo: &str) -> Option<u64> {
    (mode.trim() == "2").then_some(())?;
    let limit = kilobytes(meminfo, "CommitLimit")?;
    Some(limit.saturating_sub(kilobytes(meminfo, "Committed_AS")?))
}

fn kilobytes(meminfo: &str, key: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str =
        "MemAvailable:   9 kB\nCommitLimit:    12 kB\nCommitted_AS:    5 kB\nOther:  1 kB\n";

    #[test]
    fn only_one_mode_has_a_limit() {
        assert_eq!(left("2\n", MEMINFO), Some(7 * 1024));
        assert_eq!((left("0\n", MEMINFO), left("1\n", MEMINFO)), (None, None));
        assert_eq!(left("2\n", "CommitLimit: 1 kB\nCommitted_AS: 5 kB\n"), Some(0));
        assert_eq!(kilobytes(MEMINFO, "MemAvailable"), Some(9 * 1024));
        assert!(available_bytes().is_some());
    }
}
