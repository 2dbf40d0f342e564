//! Uprobes: which kinds the kernel has, and which this process may use. Found by trying, in a way that can't attach.

use std::fs;
use std::io;

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
    /// Whether the kernel has uprobe_multi links (Linux 6.6).
    pub uprobe_multi: Answer,
    /// Whether this process may load BPF tracing programs.
    pub may_load_bpf: Answer,
}

impl Probes {
    /// Tries. Attaches nothing: the file that it names is a folder, which the kernel refuses after
    /// it has checked everything else.
    #[must_use]
    pub fn look() -> Self {
        let (uprobes, pmu) = uprobes();
        let loaded = sys::load_tracing_program();
        Self {
            may_use_uprobes: pmu.map_or_else(
                || Answer::CannotTell("without uprobes there is nothing to try".to_owned()),
                |pmu| may_use(sys::try_uprobe_event(pmu)),
            ),
            uprobes,
            uprobe_multi: match &loaded {
                Ok(program) => uprobe_multi(sys::try_uprobe_multi(program)),
                Err(_) => uprobe_multi_by_types(),
            },
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

fn uprobe_multi(refusal: io::Error) -> Answer {
    match refusal.raw_os_error() {
        // The kernel got as far as looking at the file, and a folder is no file.
        Some(libc::EBADF) => Answer::Yes,
        Some(libc::EINVAL | libc::EOPNOTSUPP) => {
            Answer::No("the kernel has no uprobe_multi links (Linux before 6.6)".to_owned())
        }
        _ => Answer::CannotTell(format!("bpf_link_create: {refusal}")),
    }
}

/// Without the right to try: the kernel's types tell too, and anybody may read them.
fn uprobe_multi_by_types() -> Answer {
    match fs::read(BTF) {
        Ok(types) => {
            if types.windows(UPROBE_MULTI_STRUCT.len()).any(|at| at == UPROBE_MULTI_STRUCT) {
                Answer::Yes
            } else {
                Answer::No("the kernel has no uprobe_multi links (Linux before 6.6)".to_owned())
            }
        }
        Err(error) => Answer::CannotTell(format!(
            "trying needs CAP_BPF and CAP_PERFMON, and the kernel's types cannot be read ({BTF}: {error})"
        )),
    }
}
