//! Reads /proc/PID/status: whose a process is and what it may do.

use std::fs;
use std::io;

use super::Seccomp;
use super::capability::Capabilities;

/// A process's three user (or group) ids that access checks compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    pub real: u32,
    pub effective: u32,
    pub saved: u32,
}

/// What /proc/PID/status says that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state's letter; `Z` is a zombie.
    pub state: char,
    pub uid: Ids,
    pub gid: Ids,
    pub parent: u32,
    pub permitted: Capabilities,
    pub effective: Capabilities,
    /// `None` on kernels without seccomp.
    pub seccomp: Option<Seccomp>,
    /// `None` on kernels before 4.10, which do not say.
    pub no_new_privileges: Option<bool>,
    /// Who traces it, as the reader sees that one; 0 for nobody.
    pub tracer: u32,
    /// Whether calls and returns are checked by a shadow stack (`x86_Thread_features`).
    pub has_shadow_stack: bool,
    /// The process's id in each pid namespace, from the reader's inwards.
    pub ns_pids: Vec<u32>,
}

impl Status {
    pub fn of_self() -> io::Result<Self> {
        Self::parse(&fs::read("/proc/self/status")?)
    }

    /// Whether it has ended, and only waits to be reaped.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Of a process, or of one of its threads.
    pub fn of(pid: u32) -> io::Result<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/status"))?)
    }

    /// A process's name may hold any byte, so this takes bytes.
    pub fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let line = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
        };
        let missing = |key: &str| {
            io::Error::new(io::ErrorKind::InvalidData, format!("/proc/PID/status has no {key}"))
        };
        let ids = |key: &str| {
            let mut numbers =
                line(key).unwrap_or("").split_whitespace().filter_map(|word| word.parse().ok());
            let mut next = || numbers.next().ok_or_else(|| missing(key));
            Ok::<Ids, io::Error>(Ids { real: next()?, effective: next()?, saved: next()? })
        };
        let mask = |key: &str| {
            line(key)
                .and_then(|value| u64::from_str_radix(value, 16).ok())
                .map(Capabilities::from_mask)
                .ok_or_else(|| missing(key))
        };
        Ok(Self {
            state: line("State").and_then(|s| s.chars().next()).ok_or_else(|| missing("State"))?,
            uid: ids("Uid")?,
            gid: ids("Gid")?,
            parent: line("PPid").and_then(|s| s.parse().ok()).ok_or_else(|| missing("PPid"))?,
            permitted: mask("CapPrm")?,
            effective: mask("CapEff")?,
            seccomp: match line("Seccomp") {
                Some("0") => Some(Seccomp::Off),
                Some("1") => Some(Seccomp::Strict),
                Some("2") => Some(Seccomp::Filter),
                _ => None,
            },
            no_new_privileges: match line("NoNewPrivs") {
                Some("0") => Some(false),
                Some("1") => Some(true),
                _ => None,
            },
            tracer: line("TracerPid").and_then(|pid| pid.parse().ok()).unwrap_or(0),
            has_shadow_stack: line("x86_Thread_features").is_some_and(|it| it.contains("shstk")),
            ns_pids: line("NSpid")
                .unwrap_or("")
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Seccomp, Status};

    const TEXT: &[u8] = b"Name:\tUid:\xff x\nState:\tS (sleeping)\nPPid:\t7\nUid:\t1000\t1001\t1002\t1003\nGid:\t5\t6\t7\t8\nTracerPid:\t9\nNSpid:\t4711\t12\nx86_Thread_features:\tshstk wrss \nx86_Thread_features_locked:\t\nCapPrm:\t0000000000080000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";

    #[test]
    fn every_field_is_found_whatever_the_name() {
        let status = Status::parse(TEXT).expect("a whole status");
        assert_eq!((status.state, status.parent), ('S', 7));
        assert_eq!((status.uid.real, status.uid.effective, status.uid.saved), (1000, 1001, 1002));
        assert_eq!((status.gid.real, status.gid.effective, status.gid.saved), (5, 6, 7));
        assert_eq!(status.ns_pids, [4711, 12]);
        assert_eq!((status.tracer, status.has_shadow_stack), (9, true));
        assert_eq!(status.seccomp, Some(Seccomp::Filter));
        assert_eq!(status.no_new_privileges, Some(true));
        assert!(status.permitted.has(super::super::Capability::SysPtrace));
        assert!(!status.effective.has(super::super::Capability::SysPtrace));
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for len in 0..TEXT.len() - 40 {
            assert!(Status::parse(&TEXT[..len]).is_err() || len > 100, "{len}");
        }
        assert!(Status::parse(b"").is_err());
    }

    #[test]
    fn the_own_status_is_read() {
        assert!(Status::of_self().is_ok());
    }
}
