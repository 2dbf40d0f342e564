//! Why the target could not be probed.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use aya::programs::ProgramError;
use thiserror::Error;

use super::Event;
use super::holder::HolderError;
use super::method::Method;
use crate::error_chain::chain;
use crate::golang::probe_points::NotFound;

/// Why the target could not be probed. Each says what to do, where something can be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The kernel does not let us.
    #[error(
        "no permission to {action}; it takes root with all capabilities, or: setcap {capabilities}+ep \"$(command -v leak-agent)\" (leak-agent doctor says what else may refuse)"
    )]
    Permission {
        /// What was tried.
        action: String,
        /// What would have been needed.
        capabilities: &'static str,
    },
    /// The kernel has no eBPF.
    #[error(
        "this kernel has no eBPF (it was built without CONFIG_BPF_SYSCALL), or a seccomp filter around leak-agent says so"
    )]
    NoBpf,
    /// The object is for another agent.
    #[error(
        "the eBPF object keeps to version {found} of the shared types, the agent to {expected}; build both from one source: cargo xtask ebpf build"
    )]
    Abi {
        /// What the object says, 0 if nothing.
        found: u32,
        /// What this agent keeps to.
        expected: u32,
    },
    /// The object's maps could not be made, or it is broken.
    #[error("cannot load the eBPF object")]
    Load(#[source] Box<aya::EbpfError>),
    /// A map is not there or not as it must be.
    #[error("the eBPF object's map {name} cannot be used: {why}")]
    Map {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The verifier refused a program, or it is not there.
    #[error("the kernel refuses the eBPF program {program}")]
    Program {
        /// Its name.
        program: &'static str,
        /// Why.
        #[source]
        source: Box<ProgramError>,
    },
    /// The object lacks a program.
    #[error("the eBPF object has no program {program}; build it again: cargo xtask ebpf build")]
    NoProgram {
        /// Its name.
        program: &'static str,
    },
    /// A probe could not be attached.
    #[error("cannot attach the {} probe of process {pid} to {function}+{offset:#x} by {method}", event.name())]
    Attach {
        /// Whose.
        pid: u32,
        /// Which.
        event: Event,
        /// In which function.
        function: &'static str,
        /// How far from its first byte.
        offset: u32,
        /// How.
        method: Method,
        /// Why.
        #[source]
        source: HolderError,
    },
    /// A probe could not be detached.
    #[error("cannot tell whether the probes of process {pid} are gone")]
    Detach {
        /// Whose.
        pid: u32,
        /// Why.
        #[source]
        source: HolderError,
    },
    /// A probe was there and is no more, though nobody asked for that here.
    #[error(
        "the process that held the {} probe (leak-agent-hold) was ended by somebody else, and the probe with it; start leak-agent again",
        event.name()
    )]
    Lost {
        /// Which.
        event: Event,
    },
    /// Without /sys neither the processors nor how probes are asked for can be told.
    #[error(
        "/sys is not mounted, which probes need: mount -t sysfs sysfs /sys, before leak-agent starts"
    )]
    NoSys,
    /// The kernel does not say how uprobes are asked for as perf events.
    #[error("cannot read {path}; is /sys mounted, and has the kernel CONFIG_UPROBE_EVENTS?")]
    Pmu {
        /// Where it would.
        path: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No place is known where this event could be probed.
    #[error("there is no place for the {} probe in this program", event.name())]
    NoPlace {
        /// Which.
        event: Event,
        /// Why.
        #[source]
        source: NotFound,
    },
    /// The place would harm the target.
    #[error(
        "{function} is not probed: at file offset {offset:#x} stands {found:02x?}, which is not the instruction that was found there before"
    )]
    Harmful {
        /// In which function.
        function: &'static str,
        /// Where in the file.
        offset: u64,
        /// What stands there.
        found: [u8; 5],
    },
    /// The executable cannot be read.
    #[error("cannot read the instruction at file offset {offset:#x} of the executable")]
    Unreadable {
        /// Where in the file.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The executable cannot be held on to.
    #[error("cannot keep the executable open")]
    Executable {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a process that runs, but an image of one.
    #[error("process {pid} is read from an image, which cannot be probed")]
    NotLive {
        /// Whose.
        pid: u32,
    },
    /// The kernel finds whom a probe is for by the first thread, and what it has of memory.
    #[error(
        "the first thread of process {pid} has ended (pthread_exit), and the kernel attaches no probes to such a process"
    )]
    NoFirstThread {
        /// Whose.
        pid: u32,
    },
    /// The process ended.
    #[error("process {pid} has exited")]
    Exited {
        /// Whose end.
        pid: u32,
    },
}

/// Whether anything behind an error is that the kernel denied permission.
pub(super) fn is_denied(error: &(dyn std::error::Error + 'static)) -> bool {
    is_behind(error, |io| io.kind() == ErrorKind::PermissionDenied)
}

/// Whether anything behind an error is what the kernel said and is so.
fn is_behind(error: &(dyn std::error::Error + 'static), is: fn(&io::Error) -> bool) -> bool {
    chain(error).any(|error| error.downcast_ref::<io::Error>().is_some_and(is))
}

impl ProbeError {
    /// An object that did not load.
    pub(super) fn load(error: aya::EbpfError) -> Self {
        if is_denied(&error) {
            let action = "load eBPF programs".to_owned();
            return Self::Permission { action, capabilities: "cap_bpf,cap_perfmon,cap_sys_ptrace" };
        }
        if is_behind(&error, |io| io.raw_os_error() == Some(libc::ENOSYS)) {
            return Self::NoBpf;
        }
        Self::Load(Box::new(error))
    }

    /// A program that did not load.
    pub(super) fn program(program: &'static str, error: ProgramError) -> Self {
        if is_denied(&error) && !is_verdict(&error) {
            let action = "load eBPF programs".to_owned();
            return Self::Permission { action, capabilities: "cap_bpf,cap_perfmon,cap_sys_ptrace" };
        }
        Self::Program { program, source: Box::new(error) }
    }
}

/// The verifier says EACCES too; but it says why, at length.
fn is_verdict(error: &ProgramError) -> bool {
    let ProgramError::LoadError { verifier_log, .. } = error else {
        return error
            .source()
            .is_some_and(|source| source.downcast_ref::<ProgramError>().is_some_and(is_verdict));
    };
    !verifier_log.to_string().trim().is_empty()
}
