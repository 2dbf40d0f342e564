//! A copy of this process that goes its own way from the start of the agent on: an ordinary process, which may do what
//! one may, since it is made while there is one thread and nothing that could be held.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, setsid};

use super::forked::{close_all_from, keep_capabilities};

/// `CAP_KILL`, `CAP_SETGID` and `CAP_SETUID`, as bits.
pub(crate) const KILL: u64 = 1 << 5;
pub(crate) const BECOME_OTHERS: u64 = 1 << 6 | 1 << 7;

/// What it is called.
const NAME: &std::ffi::CStr = c"leak-agent-act";

/// Where its socket is.
const SOCKET: RawFd = 3;

/// A process of the agent's own, and the socket to it. When it is dropped, the other ends.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) socket: UnixStream,
    pid: Pid,
}

impl Aside {
    /// Starts one that does this with its end of a socket, and then ends. It keeps these capabilities, can get no others,
    /// no signal but SIGKILL and SIGSTOP reaches it, and it has no descriptor of the agent's.
    ///
    /// # Errors
    /// When there is more than one thread, or no room for another process.
    pub(crate) fn start(keeps: u64, work: impl FnOnce(UnixStream)) -> io::Result<Self> {
        if fs::read_dir("/proc/self/task")?.count() != 1 {
            return Err(io::Error::other("there are threads already"));
        }
        let (socket, other) = UnixStream::pair()?;
        // SAFETY: there is one thread, so that nothing is held that the copy could wait for.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(Self { socket, pid: child }),
            ForkResult::Child => {
                drop(socket);
                let done = catch_unwind(AssertUnwindSafe(|| {
                    if let Ok(socket) = begin(keeps, other) {
                        work(socket);
                    }
                }));
                // SAFETY: ends the process; nothing of the agent's is to be done at its exit.
                unsafe { libc::_exit(i32::from(done.is_err())) }
            }
        }
    }
}

impl Aside {
    /// Ends the talk with it, whereupon it ends.
    pub(crate) fn close(&self) {
        // SAFETY: a plain number, of a socket that is open.
        _ = unsafe { libc::shutdown(self.socket.as_raw_fd(), libc::SHUT_RDWR) };
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.close();
        _ = waitpid(self.pid, None);
    }
}

fn begin(keeps: u64, socket: UnixStream) -> io::Result<UnixStream> {
    // Nothing that is meant for the agent's terminal or group reaches it; programs that it starts have none of that.
    _ = setsid();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
    nix::sys::prctl::set_name(NAME)?;
    // No folder of the agent's is kept busy.
    std::env::set_current_dir("/")?;
    let null = fs::File::options().read(true).write(true).open("/dev/null")?;
    for standard in 0..=2 {
        // SAFETY: plain numbers; what is closed by it is the agent's, and nothing here uses it.
        if unsafe { libc::dup2(null.as_raw_fd(), standard) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    drop(null);
    let socket = alone(socket)?;
    keep_capabilities(keeps);
    nix::sys::prctl::set_no_new_privs()?;
    Ok(socket)
}

/// Closes all descriptors but the standard ones and a socket: whoever started the agent may have left it some, which no
/// program that is started from here is to have.
fn alone(socket: UnixStream) -> io::Result<UnixStream> {
    let socket = socket.into_raw_fd();
    // SAFETY: plain numbers; what is closed is the agent's, none of whose code runs in this process.
    if socket != SOCKET && unsafe { libc::dup3(socket, SOCKET, libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    close_all_from(SOCKET + 1);
    // SAFETY: it was put there, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(SOCKET) }.into())
}

/// Has a program begin with no signal blocked, as programs expect, whatever is blocked here.
pub(crate) fn block_no_signal_in(command: &mut Command) {
    let begin = || Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?);
    // SAFETY: it is one system call, and takes no lock and no memory.
    unsafe { command.pre_exec(begin) };
}

/// When a process was started, in clock ticks since boot: with its id what tells it from all others.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // A name may hold anything but ends in the last bracket; the start is the 20th field behind it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Sends a signal to this very process, and to no other that has its id meanwhile.
///
/// # Errors
/// When it is gone, or may not be signalled.
pub(crate) fn signal(pid: u32, ticks: u64, signal: Signal) -> io::Result<()> {
    let gone = || io::Error::from_raw_os_error(libc::ESRCH);
    let number = libc::pid_t::try_from(pid).map_err(|_| gone())?;
    // SAFETY: plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given it to us.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    // From here on the descriptor is of whoever had the id when it was opened.
    if start_ticks(pid) != Some(ticks) {
        return Err(gone());
    }
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: plain numbers, and no information.
    let sent = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal as i32, none, 0)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
