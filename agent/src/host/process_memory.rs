//! What memory a process has, as the kernel counts it (proc_pid_status(5)).

use std::fs;
use std::path::Path;

/// A process's memory, in bytes. A kernel's count may be some pages off: each thread keeps a few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessMemory {
    /// `VmRSS`: the sum of the next three.
    pub rss_bytes: u64,
    /// `RssAnon`.
    pub anonymous_bytes: u64,
    /// `RssFile`.
    pub file_bytes: u64,
    /// `RssShmem`.
    pub shared_bytes: u64,
    /// `VmSwap`.
    pub swap_bytes: u64,
    /// `VmPTE`.
    pub page_tables_bytes: u64,
    /// `VmHWM`.
    pub peak_rss_bytes: u64,
    /// `VmData` and `VmStk`: what it may write alone, resident or not.
    pub private_bytes: u64,
    /// `Threads`.
    pub threads: u64,
}

impl ProcessMemory {
    /// Of the process with this folder in /proc; `None` where it cannot be read, or has no memory any more.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        // A process's name may hold any byte.
        Self::parse(&String::from_utf8_lossy(&fs::read(folder.join("status")).ok()?))
    }

    fn parse(status: &str) -> Option<Self> {
        let number = |key: &str| {
            let value = |line: &str| line.strip_prefix(key)?.strip_prefix(':').map(str::to_owned);
            let value = status.lines().find_map(value)?;
            value.split_ascii_whitespace().next()?.parse::<u64>().ok()
        };
        let bytes = |key: &str| number(key)?.checked_mul(1024);
        Some(Self {
            rss_bytes: bytes("VmRSS")?,
            anonymous_bytes: bytes("RssAnon")?,
            file_bytes: bytes("RssFile")?,
            shared_bytes: bytes("RssShmem")?,
            swap_bytes: bytes("VmSwap").unwrap_or(0),
            page_tables_bytes: bytes("VmPTE").unwrap_or(0),
            peak_rss_bytes: bytes("VmHWM").unwrap_or(0),
            private_bytes: bytes("VmData").unwrap_or(0).saturating_add(bytes("VmStk").unwrap_or(0)),
            threads: number("Threads")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_resident_is_the_sum_of_its_kinds() {
        let status = "Name:\tVmRSS: 1\nVmHWM:\t 9 kB\nVmRSS:\t 8 kB\nRssAnon:\t 4 kB\nRssFile:\t 3 kB\n\
                      RssShmem:\t 1 kB\nVmPTE:\t 2 kB\nVmSwap:\t 5 kB\nThreads:\t7\n";
        let memory = ProcessMemory::parse(status).expect("whole");
        let kinds = memory.anonymous_bytes + memory.file_bytes + memory.shared_bytes;
        assert_eq!((memory.rss_bytes, kinds), (8192, 8192));
        assert_eq!((memory.swap_bytes, memory.page_tables_bytes), (5120, 2048));
        assert_eq!((memory.peak_rss_bytes, memory.threads), (9216, 7));
    }

    #[test]
    fn a_zombie_has_none_and_we_have_some() {
        assert_eq!(ProcessMemory::parse("Name:\tx\nState:\tZ (zombie)\nThreads:\t1\n"), None);
        assert_eq!(ProcessMemory::parse("VmRSS:\t99999999999999999999 kB\n"), None);
        let ours = ProcessMemory::read(Path::new("/proc/self")).expect("we run");
        assert!(ours.rss_bytes > 0 && ours.threads > 0);
    }
}
