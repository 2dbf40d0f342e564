//! Holds probes in processes of their own, so that no death of the agent leaves one behind.
//!
//! The kernel takes a probe out when the last descriptor of its link is closed, and to do so it
//! looks up a page of the target. For a task that is being killed it looks up no pages: a SIGKILL
//! in the midst of that close leaves the breakpoint in the target for good ("failed to unregister,
//! leaking uprobe" in the kernel's log). But a task that already exits cannot be killed any more,
//! and what it leaves open is closed on its way out. So:
//!
//! - A link is made in a process that does nothing else, a *holder*. It is the only one that ever
//!   has the link's descriptor, and never closes it: it ends, and the link with it.
//! - Holders are forked from a *server*, a copy of the agent from before it had anything to copy.
//!   It keeps nothing but the socket by which it is asked for holders.
//! - A holder stays for as long as the agent has the other end of its socket. To detach is to close
//!   that; so is to die, in whatever way.
//!
//! Server and holders can be killed too, each alone or all at once: then they exit, and that is
//! what takes probes out. Holders that are there do not need the server.

mod process;

use std::io::{self, ErrorKind, Read as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use thiserror::Error;

pub(super) use process::Order;

/// A kernel that has not made or undone a link for so long does not do so any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// Started once, or never.
static SERVER: OnceLock<io::Result<Server>> = OnceLock::new();

/// Why nothing is held, or still is.
#[derive(Debug, Error)]
pub enum HolderError {
    /// The process from which holders are forked could not be.
    #[error("cannot start the process that holds probes")]
    Start(#[source] io::Error),
    /// It was there once.
    #[error(
        "the process that holds probes (leak-agent-hold) was ended by somebody else; start leak-agent again"
    )]
    ServerGone,
    /// A holder could not be forked, or was killed before it could answer.
    #[error("a process that was to hold a probe (leak-agent-hold) ended before it did")]
    Ended,
    /// A holder does not answer, or does not end.
    #[error("a process that holds a probe (leak-agent-hold) has not got on for {PATIENCE:?}")]
    Stuck,
    /// A system call failed in this process.
    #[error("cannot speak to the process that holds probes")]
    Socket(#[source] io::Error),
    /// The kernel refuses the link.
    #[error("the kernel refuses")]
    Refused(#[source] io::Error),
}

struct Server {
    socket: UnixStream,
    pid: Pid,
}

/// Starts the server, unless it runs. It is a copy of this process as it is now: the earlier, the
/// smaller. It holds no probe yet. Where nobody does this, the first probe does.
///
/// # Errors
/// When it cannot be forked. Asking again gives the same answer.
pub fn start() -> Result<Holding, HolderError> {
    server().map(|_| Holding(()))
}

/// The server, from its start to the end of this value. Without it no probe can be attached any
/// more; those that are stay.
#[must_use]
pub struct Holding(());

impl Drop for Holding {
    fn drop(&mut self) {
        let Ok(server) = server() else { return };
        // Both can only fail for a server that is gone. It would go with this process anyhow; but
        // then somebody else would have to wait for it, and not every container's first process
        // does.
        let _ = server.socket.shutdown(Shutdown::Both);
        while waitpid(server.pid, None) == Err(Errno::EINTR) {}
    }
}

fn server() -> Result<&'static Server, HolderError> {
    let server = SERVER.get_or_init(|| {
        let (socket, its) = UnixStream::pair()?;
        let pid = process::fork_server(its.as_fd())?;
        Ok(Server { socket, pid: Pid::from_raw(pid) })
    });
    server.as_ref().map_err(|error| HolderError::Start(again(error)))
}

/// One probe in the target, as long as this value lives.
pub(super) struct Holder {
    /// Closing it lets the holder go.
    socket: UnixStream,
    /// Becomes readable when the holder has exited, and the link is gone.
    process: OwnedFd,
}

impl Holder {
    /// Makes a link of a loaded program to a place in an executable.
    pub(super) fn hold(
        order: Order,
        program: BorrowedFd<'_>,
        executable: BorrowedFd<'_>,
    ) -> Result<Self, HolderError> {
        let server = server()?;
        let (mut socket, its) = UnixStream::pair().map_err(HolderError::Socket)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(HolderError::Socket)?;
        let asked = process::ask(server.socket.as_fd(), order, [its.as_fd(), program, executable]);
        asked.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => HolderError::ServerGone,
            _ => HolderError::Socket(error),
        })?;
        // From here on only the holder has it, so that its end is the end of what can be read.
        drop(its);
        let mut answer = [0; process::Answer::BYTES];
        socket.read_exact(&mut answer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => HolderError::Ended,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => HolderError::Stuck,
            _ => HolderError::Socket(error),
        })?;
        let process::Answer { error, pid } = process::Answer::from_bytes(answer);
        if error != 0 {
            return Err(HolderError::Refused(io::Error::from_raw_os_error(error)));
        }
        let process = process::open(pid).map_err(HolderError::Socket)?;
        let holder = Self { socket, process };
        // If it still lives now, then the process that was just opened is no other.
        if holder.is_alive() { Ok(holder) } else { Err(HolderError::Ended) }
    }

    /// Whether it is still there. Nobody but this process has a reason to end it.
    pub(super) fn is_alive(&self) -> bool {
        // It says nothing after its answer: only its end makes the socket readable.
        !is_readable(self.socket.as_fd(), Duration::ZERO).unwrap_or(true)
    }

    /// Takes probes out, all at once, and waits until they are gone.
    pub(super) fn release(holders: impl IntoIterator<Item = Self>) -> Result<(), HolderError> {
        // All of them are let go before the first is waited for.
        let processes: Vec<OwnedFd> = holders.into_iter().map(|holder| holder.process).collect();
        let start = Instant::now();
        for process in processes {
            let left = PATIENCE.saturating_sub(start.elapsed());
            if !is_readable(process.as_fd(), left).map_err(HolderError::Socket)? {
                return Err(HolderError::Stuck);
            }
        }
        Ok(())
    }
}

/// Whether there is something to read, now or within some time; an end counts.
fn is_readable(fd: BorrowedFd<'_>, within: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        let left = within.saturating_sub(start.elapsed());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// An error that is still somebody else's.
fn again(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
