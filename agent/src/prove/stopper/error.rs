//! Why a target is not held still.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::messages::{Failure, How};
use crate::host::processes::ProcessLimit;

/// Why a target is not held still. Unless a variant says otherwise, nothing was done to it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StopError {
    /// The process that stops targets could not be forked.
    #[error("cannot start the process that stops targets for a proof")]
    Start(#[source] io::Error),
    /// It was there once.
    #[error(
        "the process that stops targets for a proof (leak-agent-stop) was ended by somebody else; start leak-agent again"
    )]
    ServerGone,
    /// It was ended while it held a target, which runs on.
    #[error(
        "the process that held the target still (leak-agent-stop) was ended by somebody else; the target runs on"
    )]
    Died,
    /// It does not answer.
    #[error(
        "the process that stops targets for a proof (leak-agent-stop) has not answered for {0:?}"
    )]
    Stuck(Duration),
    /// There is no such process any more.
    #[error("process {pid} has ended")]
    Gone {
        /// Whose id that was.
        pid: u32,
    },
    /// A debugger, or another agent.
    #[error("process {pid} is traced already, by process {tracer}: only one can at a time")]
    Traced {
        /// The target.
        pid: u32,
        /// Who traces it.
        tracer: u32,
    },
    /// The kernel refuses to have it traced.
    #[error(
        "the kernel refuses to trace process {pid}: that takes the same user, or CAP_SYS_PTRACE"
    )]
    Refused {
        /// The target.
        pid: u32,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// It has more threads than Go allows.
    #[error("process {pid} has too many threads")]
    TooManyThreads {
        /// The target.
        pid: u32,
    },
    /// It would stand still for too long, by what is known before.
    #[error("to {} would stop process {pid} for some {predicted:?}, and {allowed:?} are allowed (--max-pause)", verb(.how))]
    TooLong {
        /// The target.
        pid: u32,
        /// In which way.
        how: How,
        /// How long it would take.
        predicted: Duration,
        /// How long it may.
        allowed: Duration,
    },
    /// A thread did not stop in time. All were let go.
    #[error(
        "thread {thread} of process {pid} did not stop within {within:?} (is it in an uninterruptible wait?)"
    )]
    NotStopped {
        /// The target.
        pid: u32,
        /// Its thread.
        thread: u32,
        /// How long it had.
        within: Duration,
    },
    /// It stands by itself: stopped by a signal.
    #[error("process {pid} is stopped (SIGSTOP): it is held as it stands, and not cloned")]
    Stopped {
        /// The target.
        pid: u32,
    },
    /// A filter of its own may end it for a system call that it does not expect: `clone`, but also `restart_syscall`,
    /// by which a wait goes on that was interrupted.
    #[error(
        "process {pid} has a seccomp filter, which could end it for a system call that only a stop or a clone makes"
    )]
    Filtered {
        /// The target.
        pid: u32,
    },
    /// Its returns are checked.
    #[error("process {pid} has a shadow stack")]
    ShadowStack {
        /// The target.
        pid: u32,
    },
    /// It must be able to start threads of its own meanwhile.
    #[error(
        "{limit} leaves process {pid} no more than {left} processes and threads: a clone would be one of them"
    )]
    FewProcesses {
        /// The target.
        pid: u32,
        /// How many are left.
        left: u64,
        /// By which limit.
        limit: ProcessLimit,
    },
    /// What it writes while it is cloned takes memory of its own.
    #[error(
        "{where_} leaves {left_bytes} bytes, and a clone of process {pid} may take {needed_bytes}"
    )]
    LittleMemory {
        /// The target.
        pid: u32,
        /// Whose memory.
        where_: MemoryOf,
        /// What is left.
        left_bytes: u64,
        /// What a clone may take.
        needed_bytes: u64,
    },
    /// No thread of it waits for work, in which it could be cloned without harm. It stood meanwhile, and was let go.
    #[error("no thread of process {pid} waits for work now")]
    NoWaiter {
        /// The target.
        pid: u32,
    },
    /// Its runtime is not what is known. It stood meanwhile, and was let go.
    #[error(
        "the code of runtime.futex and runtime.clone in process {pid} is not what leak-agent knows"
    )]
    UnknownCode {
        /// The target.
        pid: u32,
    },
    /// Signals came in between, again and again. It stood meanwhile, and was let go.
    #[error("signals came to process {pid} while it was to be cloned")]
    Signals {
        /// The target.
        pid: u32,
    },
    /// The kernel does not clone it. It stood meanwhile, and was let go.
    #[error("the kernel does not clone process {pid}")]
    NotCloned {
        /// The target.
        pid: u32,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// It still was not held when the time was over. It stood meanwhile, and was let go.
    #[error("to hold process {pid} still took longer than {within:?}, and it was let go")]
    TookTooLong {
        /// The target.
        pid: u32,
        /// How long it had.
        within: Duration,
    },
    /// A copy that an agent which was killed has left, and which it cannot be made to forget now.
    #[error("process {pid} has a copy from before, and no thread that could be made to forget it")]
    OldCopy {
        /// The target.
        pid: u32,
    },
    /// Reads into its memory that are under way (AIO, io_uring) could go to the copy on some kernels.
    #[error("process {pid} uses AIO or io_uring, whose reads a clone may disturb")]
    AsyncReads {
        /// The target.
        pid: u32,
    },
    /// Neither way.
    #[error("process {pid} can be neither cloned ({clone}) nor frozen ({freeze})")]
    Neither {
        /// The target.
        pid: u32,
        /// Why not cloned.
        clone: Box<Self>,
        /// Why not frozen.
        freeze: Box<Self>,
    },
    /// What was read may be of a program that ran: it was let go before the end.
    #[error("the target was let go before the proof was done: {why}")]
    LetGo {
        /// Why.
        why: Early,
    },
}

const fn verb(how: &How) -> &'static str {
    match how {
        How::Clone => "clone it",
        How::Freeze => "freeze it",
    }
}

/// Whose memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOf {
    /// The target's control group.
    Cgroup,
    /// The machine.
    Machine,
    /// What the kernel promises (`vm.overcommit_memory=2`).
    Commit,
}

impl std::fmt::Display for MemoryOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cgroup => "the target's control group",
            Self::Machine => "this machine",
            Self::Commit => "vm.overcommit_memory=2",
        })
    }
}

/// Why a target was let go before it was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Early {
    /// It would have taken longer than allowed.
    #[error("it took longer than allowed")]
    Late,
    /// The target has ended.
    #[error("the target has ended")]
    TargetEnded,
    /// Its copy was ended by somebody else, or by the kernel for its memory.
    #[error("its copy was ended by somebody else, or by the kernel for want of memory")]
    CopyEnded,
    /// What the target wrote while it was cloned has taken too much of its memory.
    #[error("its memory ran short")]
    Memory,
}

impl StopError {
    /// What a failure means for a target.
    pub(super) fn of(failure: Failure, pid: u32, within: Duration) -> Self {
        let refused = io::Error::from_raw_os_error;
        match failure {
            Failure::Gone => Self::Gone { pid },
            Failure::Refused(error) => Self::Refused { pid, source: refused(error) },
            Failure::TooManyThreads => Self::TooManyThreads { pid },
            Failure::NotStopped(thread) => Self::NotStopped { pid, thread, within },
            Failure::NoWaiter => Self::NoWaiter { pid },
            Failure::UnknownCode => Self::UnknownCode { pid },
            Failure::Signals => Self::Signals { pid },
            Failure::NotCloned(error) => Self::NotCloned { pid, source: refused(error) },
            Failure::Died => Self::Died,
            Failure::TookTooLong => Self::TookTooLong { pid, within },
            Failure::OldCopy => Self::OldCopy { pid },
            Failure::Filtered => Self::Filtered { pid },
        }
    }

    /// Whether freezing may do where cloning did not.
    pub(super) const fn speaks_against_cloning_alone(&self) -> bool {
        matches!(
            self,
            Self::TooLong { .. }
                | Self::Stopped { .. }
                | Self::OldCopy { .. }
                | Self::AsyncReads { .. }
                | Self::ShadowStack { .. }
                | Self::FewProcesses { .. }
                | Self::LittleMemory { .. }
                | Self::NoWaiter { .. }
                | Self::UnknownCode { .. }
                | Self::Signals { .. }
                | Self::NotCloned { .. }
        )
    }
}
