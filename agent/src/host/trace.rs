//! ptrace(2), without allocation, locks or panics: what stops another process's threads, reads their registers, and
//! sees them on from one system call to the next.
//!
//! What the death of a tracer does to what it traces, by the kernel's source (`__ptrace_unlink`, `ptrace_stop`,
//! Linux 5.4 to 6.18), which decides what is used here and what is not:
//!
//! - A thread runs on with the registers that it has at that moment.
//! - Tracing of system calls ends (`SYSCALL_TRACE` is cleared). **Single steps do not**: the flag stays, and the thread
//!   gets a SIGTRAP that nobody is there to take. So nothing is ever single-stepped.
//! - At a stop in a system call the thread sends itself what it was stopped with, unless a tracer has waited for it: a
//!   SIGTRAP, or with `PTRACE_O_TRACESYSGOOD` a number that is no signal. So that option is set before any such stop.
//! - A signal about to be delivered is delivered, unless a tracer has waited for that stop and so taken it out of the
//!   thread's exit code. So stops are only looked at (`WNOWAIT`), and the signal goes on when the tracer lets go.
//! - A group stop (SIGSTOP) is taken up again.

use std::ffi::{c_long, c_void};
use std::mem::zeroed;
use std::ptr;

use super::bare::last_error;

/// Words of `user_regs_struct` (amd64), of `user_pt_regs` (arm64).
pub(crate) const REGISTERS: usize = if cfg!(target_arch = "x86_64") { 27 } else { 34 };

/// The general registers, in the kernel's order.
pub(crate) type Registers = [u64; REGISTERS];

/// Marks stops in system calls, so that they are no signals.
pub(crate) const MARK_CALLS: i32 = libc::PTRACE_O_TRACESYSGOOD;
/// Traces what the thread clones, from its birth.
pub(crate) const TRACE_CLONES: i32 = libc::PTRACE_O_TRACECLONE;
/// Ends the process when its tracer ends. For a copy alone, never for a target.
pub(crate) const END_WITH_TRACER: i32 = libc::PTRACE_O_EXITKILL;

/// `PTRACE_EVENT_STOP`
const EVENT_STOP: i32 = 128;

/// What a thread that is traced does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It runs, or has not stopped yet.
    Running,
    /// It stands, since it was interrupted or its process stopped.
    Standing,
    /// It is about to be delivered a signal.
    Signal(i32),
    /// It enters a system call, or leaves it.
    Call,
    /// It has cloned, and what it cloned is traced.
    Cloned,
    /// Another event, which was not asked for.
    Other(i32),
    /// It has ended.
    Ended,
    /// It is not traced by this process, or not there any more.
    Unknown,
}

impl Seen {
    /// Whether it does not run.
    pub(crate) const fn is_stopped(self) -> bool {
        matches!(
            self,
            Self::Standing | Self::Signal(_) | Self::Call | Self::Cloned | Self::Other(_)
        )
    }

    const fn of(code: i32) -> Self {
        match (code >> 8, code & 0xff) {
            (EVENT_STOP, _) => Self::Standing,
            (libc::PTRACE_EVENT_CLONE, _) => Self::Cloned,
            (0, signal) if signal == libc::SIGTRAP | 0x80 => Self::Call,
            (0, signal) => Self::Signal(signal),
            (event, _) => Self::Other(event),
        }
    }
}

/// One request that gives nothing back. (C libraries differ in the type of its number.)
fn request(what: impl Into<c_long>, thread: u32, address: u64, data: u64) -> Result<(), i32> {
    // SAFETY: no request that this file makes through here takes an address of this process.
    let done = unsafe {
        libc::syscall(
            libc::SYS_ptrace,
            what.into(),
            c_long::from(thread),
            address as *mut c_void,
            data as *mut c_void,
        )
    };
    if done < 0 { Err(last_error()) } else { Ok(()) }
}

/// Begins to trace a thread, which runs on.
pub(crate) fn seize(thread: u32, options: i32) -> Result<(), i32> {
    request(libc::PTRACE_SEIZE, thread, 0, options as u64)
}

/// Stops a thread that is traced. It has not stopped yet when this returns.
pub(crate) fn interrupt(thread: u32) -> Result<(), i32> {
    request(libc::PTRACE_INTERRUPT, thread, 0, 0)
}

/// Sets the options of a thread that stands.
pub(crate) fn set_options(thread: u32, options: i32) -> Result<(), i32> {
    request(libc::PTRACE_SETOPTIONS, thread, 0, options as u64)
}

/// Lets a thread that stands run on to where it enters or leaves a system call.
pub(crate) fn run_to_call(thread: u32) -> Result<(), i32> {
    request(libc::PTRACE_SYSCALL, thread, 0, 0)
}

/// Lets a thread that stands run on, traced.
pub(crate) fn run(thread: u32) -> Result<(), i32> {
    request(libc::PTRACE_CONT, thread, 0, 0)
}

/// Lets a thread that stands go, with the signal that it was about to be delivered, or 0.
pub(crate) fn detach(thread: u32, signal: i32) -> Result<(), i32> {
    request(libc::PTRACE_DETACH, thread, 0, signal as u64)
}

/// Whom a thread that has stopped at [`Seen::Cloned`] has cloned, as this process sees it.
pub(crate) fn cloned(thread: u32) -> Result<u32, i32> {
    let mut pid: u64 = 0;
    let to: *mut u64 = &raw mut pid;
    // SAFETY: the kernel writes one word of this frame.
    let done = unsafe {
        libc::syscall(
            libc::SYS_ptrace,
            c_long::from(libc::PTRACE_GETEVENTMSG),
            c_long::from(thread),
            ptr::null_mut::<c_void>(),
            to,
        )
    };
    if done < 0 { Err(last_error()) } else { Ok(pid as u32) }
}

const NT_PRSTATUS: u64 = 1;
/// amd64: everything that `XSAVE` keeps. arm64: the vector registers and their two state words.
const VECTORS: u64 = if cfg!(target_arch = "x86_64") { 0x202 } else { 2 };

/// Moves a set of registers, and says how many bytes.
fn register_set(
    what: impl Into<c_long>,
    thread: u32,
    set: u64,
    words: &mut [u64],
) -> Result<usize, i32> {
    let mut room = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: size_of_val(words) };
    let at: *mut libc::iovec = &raw mut room;
    // SAFETY: the kernel reads or writes the caller's words, as many as are said, and says how many in `room`.
    let done = unsafe {
        libc::syscall(libc::SYS_ptrace, what.into(), c_long::from(thread), set as *mut c_void, at)
    };
    if done < 0 { Err(last_error()) } else { Ok(room.iov_len) }
}

/// The general registers of a thread that stands.
pub(crate) fn registers(thread: u32) -> Result<Registers, i32> {
    let mut words = [0; REGISTERS];
    let len = register_set(libc::PTRACE_GETREGSET, thread, NT_PRSTATUS, &mut words)?;
    // Fewer are those of a 32-bit program.
    if len == size_of_val(&words) { Ok(words) } else { Err(libc::ENOTSUP) }
}

/// Sets the general registers of a thread that stands.
pub(crate) fn set_registers(thread: u32, mut words: Registers) -> Result<(), i32> {
    register_set(libc::PTRACE_SETREGSET, thread, NT_PRSTATUS, &mut words).map(|_| ())
}

/// The vector registers of a thread that stands: as many words as the kernel has of them.
pub(crate) fn vectors(thread: u32, room: &mut [u64]) -> Result<&[u64], i32> {
    let len = register_set(libc::PTRACE_GETREGSET, thread, VECTORS, room)?;
    Ok(room.get(..len / size_of::<u64>()).unwrap_or_default())
}

/// What a thread does that this process traces, without waiting. A thread that has ended is forgotten.
pub(crate) fn look(thread: u32) -> Seen {
    let wait = |flags| {
        // SAFETY: the value is this frame's own; zeroes are one.
        unsafe {
            let mut info: libc::siginfo_t = zeroed();
            let done = libc::waitid(libc::P_PID, thread, &raw mut info, flags | libc::__WALL);
            (done, info.si_pid(), info.si_code, info.si_status())
        }
    };
    // Stops are left as they are, ends are taken.
    let stops = libc::WSTOPPED | libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    match wait(stops) {
        (0, 0, ..) => Seen::Running,
        (0, _, libc::CLD_TRAPPED | libc::CLD_STOPPED, status) => Seen::of(status),
        (0, ..) => {
            wait(libc::WEXITED | libc::WNOHANG);
            Seen::Ended
        }
        _ => Seen::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart() {
        assert_eq!(Seen::of(libc::SIGTRAP | EVENT_STOP << 8), Seen::Standing);
        assert_eq!(Seen::of(libc::SIGSTOP | EVENT_STOP << 8), Seen::Standing);
        assert_eq!(Seen::of(libc::SIGTRAP | 0x80), Seen::Call);
        assert_eq!(Seen::of(libc::SIGURG), Seen::Signal(libc::SIGURG));
        assert_eq!(Seen::of(libc::SIGTRAP), Seen::Signal(libc::SIGTRAP));
        assert_eq!(Seen::of(libc::SIGTRAP | libc::PTRACE_EVENT_CLONE << 8), Seen::Cloned);
        assert_eq!(Seen::of(libc::SIGTRAP | libc::PTRACE_EVENT_EXEC << 8), Seen::Other(4));
        assert!(!Seen::Running.is_stopped() && !Seen::Ended.is_stopped());
    }

    #[test]
    fn nobody_traces_what_is_not_there() {
        assert_eq!(seize(u32::MAX >> 1, 0), Err(libc::ESRCH));
        assert_eq!(look(u32::MAX >> 1), Seen::Unknown);
    }
}
