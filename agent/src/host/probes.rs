//! Uprobes: which kinds the kernel has, and which this process may use. Found by trying, in a way that can't attach.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use super::{Answer, sys};

/// The type number of the kernel's uprobe events.
const PMU_TYPE: &str = "/sys/bus/event_source/devices/uprobe/type";
/// The kernel's own types, which name a struct that exists only where uprobe_multi does.
const BTF: &str = "/sys/kernel/btf/vmlinux";
const UPROBE_MULTI_STRUCT: &[u8] = b"\0bpf_uprobe_multi_link\0";

/// What of probes there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probes {
    /// Whether the kernel has uprobes as performance events (Linux 4.17).
    pub uprobes: Answer,
    /// Whether this process may attach those.
    pub may_use_uprobes: Answer,
    /// Whether one link can hold probes of one process, all its threads included ([`uprobe_multi`]).
    pub uprobe_multi: Answer,
    /// Whether this process may load BPF tracing programs.
    pub may_load_bpf: Answer,
}

impl Probes {
    /// Tries. Attaches nothing: the file that it names is a folder, which the kernel refuses after
    /// it has checked everything else.
    #[must_use]
    pub fn detect() -> Self {
        let (uprobes, pmu) = uprobes();
        let loaded = sys::load_tracing_program();
        Self {
            may_use_uprobes: pmu.map_or_else(
                || Answer::CannotTell("without uprobes there is nothing to try".to_owned()),
                |pmu| may_use(sys::try_uprobe_event(pmu)),
            ),
            uprobes,
            uprobe_multi: links(loaded.as_ref().ok()),
            may_load_bpf: may_load(loaded.err()),
        }
    }
}

fn uprobes() -> (Answer, Option<u32>) {
    match fs::read_to_string(PMU_TYPE) {
        Ok(text) => match text.trim().parse() {
            Ok(pmu) => (Answer::Yes, Some(pmu)),
            Err(_) => (Answer::CannotTell(format!("{PMU_TYPE} says {:?}", text.trim())), None),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::metadata("/sys/bus/event_source").is_ok() {
                let reason = "the kernel has no uprobe events (Linux before 4.17, or built without CONFIG_UPROBE_EVENTS)";
                (Answer::No(reason.to_owned()), None)
            } else {
                (Answer::CannotTell("/sys is not mounted".to_owned()), None)
            }
        }
        Err(error) => (Answer::CannotTell(format!("{PMU_TYPE}: {error}")), None),
    }
}

fn may_use(refusal: io::Error) -> Answer {
    match refusal.raw_os_error() {
        // All checks passed; what is left to object to is that a folder has no code.
        Some(libc::EINVAL) => Answer::Yes,
        Some(libc::EACCES | libc::EPERM) => Answer::No(
            "perf-event uprobes need CAP_SYS_ADMIN (CAP_PERFMON on kernels without the fix of CVE-2025-38466)".to_owned(),
        ),
        Some(libc::ENOSYS) => Answer::No("this kernel has no perf_event_open".to_owned()),
        _ => Answer::CannotTell(format!("perf_event_open: {refusal}")),
    }
}

fn may_load(refusal: Option<io::Error>) -> Answer {
    let Some(refusal) = refusal else {
        return Answer::Yes;
    };
    match refusal.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            Answer::No("BPF tracing programs need CAP_BPF and CAP_PERFMON".to_owned())
        }
        Some(libc::ENOSYS) => Answer::No("this kernel has no BPF".to_owned()),
        _ => Answer::CannotTell(format!("loading a BPF program: {refusal}")),
    }
}

/// Whether one uprobe_multi link can hold probes of one process, all its threads included. Linux 6.6 has such
/// links; that a pid means the process and not one thread came in 6.10 and later releases of 6.6. How probes are
/// attached is decided by this answer: where nobody can tell, links are tried, since they need less.
#[must_use]
pub fn uprobe_multi() -> Answer {
    links(sys::load_tracing_program().ok().as_ref())
}

/// The same, with a program that the kernel has loaded, if it let us.
fn links(program: Option<&OwnedFd>) -> Answer {
    let Some(program) = program else { return links_by_types() };
    // A kernel that means threads checks the file before the pid, which is none.
    let no_process = u32::MAX;
    judge(sys::try_uprobe_multi(program, 0), || sys::try_uprobe_multi(program, no_process))
}

/// What follows from how the kernel refuses a link to a folder, and then one to a process that cannot be.
fn judge(refusal: io::Error, of_no_process: impl FnOnce() -> io::Error) -> Answer {
    let cannot_tell = |refusal| Answer::CannotTell(format!("bpf_link_create: {refusal}"));
    match refusal.raw_os_error() {
        // The kernel got as far as the file, and a folder is no file.
        Some(libc::EBADF) => {}
        Some(libc::EINVAL | libc::EOPNOTSUPP) => return Answer::No(NO_LINKS.to_owned()),
        _ => return cannot_tell(refusal),
    }
    let refusal = of_no_process();
    match refusal.raw_os_error() {
        Some(libc::EINVAL) => Answer::Yes,
        Some(libc::EBADF | libc::EOPNOTSUPP) => Answer::No(
            "the kernel's uprobe_multi links reach one thread, not a process (Linux before 6.10)"
                .to_owned(),
        ),
        _ => cannot_tell(refusal),
    }
}

const NO_LINKS: &str = "the kernel has no uprobe_multi links (Linux before 6.6)";

/// Without the right to try: the kernel's types, which anybody may read, tell where it has no links at all.
fn links_by_types() -> Answer {
    match fs::read(BTF) {
        Ok(types) if memchr::memmem::find(&types, UPROBE_MULTI_STRUCT).is_none() => {
            Answer::No(NO_LINKS.to_owned())
        }
        Ok(_) => Answer::CannotTell(
            "the kernel has uprobe_multi links; whether they reach all of a process is found by trying, \
             which needs CAP_BPF and CAP_PERFMON"
                .to_owned(),
        ),
        Err(error) => Answer::CannotTell(format!(
            "trying needs CAP_BPF and CAP_PERFMON, and the kernel's types cannot be read ({BTF}: {error})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    #[test]
    fn links_must_be_there_and_reach_a_process() {
        let judge = |link, process| judge(refused(link), || refused(process));
        assert_eq!(judge(libc::EBADF, libc::EINVAL), Answer::Yes);
        let Answer::No(why) = judge(libc::EBADF, libc::EBADF) else { panic!("threads alone") };
        assert!(why.contains("one thread"), "{why}");
        for none in [libc::EINVAL, libc::EOPNOTSUPP] {
            assert_eq!(judge(none, 0), Answer::No(NO_LINKS.to_owned()));
        }
        for (link, process) in [(libc::EPERM, 0), (libc::EBADF, libc::EPERM)] {
            assert!(
                matches!(judge(link, process), Answer::CannotTell(why) if why.contains("perm"))
            );
        }
    }

    #[test]
    fn whoever_asks_gets_one_answer() {
        assert_eq!(Probes::detect().uprobe_multi, uprobe_multi());
    }
}
