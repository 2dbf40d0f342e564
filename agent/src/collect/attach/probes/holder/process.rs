//! The processes that hold probes: what they run, how they are forked and asked. All of the unsafe
//! code behind [`super`].
//!
//! Behind a fork all is as [`crate::host::forked`] says.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_long};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::host::bare::Path;
use crate::host::forked::{Forked, end, fork, keep_capabilities};
use crate::host::uprobe;

/// What the server and its holders are called. The kernel keeps 15 bytes of a name.
const NAME: &CStr = c"leak-agent-hold";

/// A probe that is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Order {
    /// The type of uprobes among perf events, to be held as such; 0 for a `uprobe_multi` link.
    pub pmu: u32,
    /// In which process.
    pub pid: u32,
    /// At which offset of the executable.
    pub offset: u64,
}

impl Order {
    const BYTES: usize = 16;

    const fn bytes(self) -> [u8; Self::BYTES] {
        let halves = (self.pmu as u128) | (self.pid as u128) << 32;
        (halves | (self.offset as u128) << 64).to_le_bytes()
    }

    const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let all = u128::from_le_bytes(bytes);
        Self { pmu: all as u32, pid: (all >> 32) as u32, offset: (all >> 64) as u64 }
    }
}

/// What a holder says, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 when the link is there, else why not.
    pub error: i32,
    /// Who holds it.
    pub pid: i32,
}

impl Answer {
    pub(super) const BYTES: usize = 8;

    const fn bytes(self) -> [u8; Self::BYTES] {
        ((self.error as u32 as u64) | (self.pid as u32 as u64) << 32).to_le_bytes()
    }

    pub(super) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let both = u64::from_le_bytes(bytes);
        Self { error: both as i32, pid: (both >> 32) as i32 }
    }
}

/// What goes with an order: the holder's end of its socket, the program, the executable.
const PASSED: usize = 3;

/// Forks the server, which listens on a socket, and gives its pid.
pub(super) fn fork_server(socket: BorrowedFd<'_>) -> io::Result<i32> {
    Forked { name: NAME, keeps: PROBING, run: serve }.start(socket)
}

/// The server: forks a holder for each order, until the agent is gone.
fn serve() -> ! {
    loop {
        let Some((order, passed)) = next_order() else { end() };
        if let [Some(answers), Some(program), Some(executable)] = passed {
            // SAFETY: the child goes into `hold` and never comes back.
            if unsafe { fork() } == 0 {
                hold(order, answers, program, executable);
            }
        }
        for fd in passed.into_iter().flatten() {
            close(fd);
        }
    }
}

/// A holder: makes the link, says so, and stays until the agent lets go.
fn hold(order: Order, answers: RawFd, program: RawFd, executable: RawFd) -> ! {
    // In the place of the server's socket, whose other orders are none of its business.
    // SAFETY: plain numbers; whatever was there is not used again.
    unsafe { libc::dup2(answers, 0) };
    let made = link(order, program, executable);
    let error = if made < 0 { io::Error::last_os_error().raw_os_error().unwrap_or(-1) } else { 0 };
    for fd in [answers, program, executable] {
        close(fd);
    }
    keep_capabilities(0);
    // SAFETY: the buffers are this frame's own, and as long as is said.
    unsafe {
        let answer = Answer { error, pid: libc::getpid() }.bytes();
        let bytes = answer.as_ptr().cast();
        let said = libc::send(0, bytes, answer.len(), libc::MSG_NOSIGNAL);
        if error == 0 && said > 0 {
            let mut nothing = 0_u8;
            libc::recv(0, (&raw mut nothing).cast(), 1, 0);
        }
    }
    end()
}

fn close(fd: RawFd) {
    // SAFETY: only ever called for descriptors that this process was passed and has no other use
    // for; never for a link.
    unsafe { libc::close(fd) };
}

/// Waits for the next order and what goes with it; `None` when the agent is gone.
fn next_order() -> Option<(Order, [Option<RawFd>; PASSED])> {
    let mut bytes = [0_u8; Order::BYTES];
    let mut room = Control::default();
    let mut passed = [None; PASSED];
    // SAFETY: the message names `bytes` and `room`, which outlive the call. The kernel writes whole
    // headers into `room`, and says how long; descriptors need not be aligned.
    let read = unsafe {
        let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let mut message = room.message(&raw mut part);
        let read = libc::recvmsg(0, &raw mut message, 0);
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if read > 0 && !header.is_null() && (*header).cmsg_type == libc::SCM_RIGHTS {
            let length = ((*header).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            let data = libc::CMSG_DATA(header).cast::<RawFd>();
            for (at, slot) in passed.iter_mut().enumerate().take(length / size_of::<RawFd>()) {
                *slot = Some(data.add(at).read_unaligned());
            }
        }
        read
    };
    // A message is one write of the agent's, and comes whole.
    (read == Order::BYTES as isize).then(|| (Order::from_bytes(bytes), passed))
}

/// Asks the server for a holder.
pub(super) fn ask(
    server: BorrowedFd<'_>,
    order: Order,
    passed: [BorrowedFd<'_>; PASSED],
) -> io::Result<()> {
    let mut bytes = order.bytes();
    let mut room = Control::default();
    // SAFETY: the message names `bytes` and `room`, which outlive the call, and `room` is large
    // enough for one header and what it holds.
    let sent = unsafe {
        let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let message = room.message(&raw mut part);
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<[RawFd; PASSED]>() as u32) as _;
        let data = libc::CMSG_DATA(header).cast::<[RawFd; PASSED]>();
        data.write_unaligned(passed.map(|fd| fd.as_raw_fd()));
        libc::sendmsg(server.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Room for the descriptors of one message, aligned as its header must be.
#[derive(Default)]
struct Control([u64; 4]);

impl Control {
    /// A message of one part with this room.
    fn message(&mut self, part: *mut libc::iovec) -> libc::msghdr {
        // SAFETY: all zeroes is a message of nothing. (musl's has fields between these.)
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = part;
        message.msg_iovlen = 1;
        message.msg_control = self.0.as_mut_ptr().cast();
        // SAFETY: computes a length.
        let space = unsafe { libc::CMSG_SPACE(size_of::<[RawFd; PASSED]>() as u32) };
        message.msg_controllen = space as _;
        message
    }
}

/// A descriptor of a process, which becomes readable when that has exited.
pub(super) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: plain numbers; a descriptor that comes back is nobody else's.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Makes the link, and gives its descriptor, or something below 0.
fn link(order: Order, program: RawFd, executable: RawFd) -> c_long {
    let path = Path::new(b"/proc/self/fd/").number(executable.unsigned_abs());
    if order.pmu == 0 {
        uprobe::multi_link(program, path.as_c_str(), order.offset, order.pid)
    } else {
        event(order, program, path.as_c_str())
    }
}

const PERF_EVENT_IOC_ENABLE: u32 = 0x2400;
const PERF_EVENT_IOC_SET_BPF: u32 = 0x4004_2408;

fn event(order: Order, program: RawFd, path: &CStr) -> c_long {
    let event = uprobe::perf_event(order.pmu, path, order.offset, order.pid, 0);
    let fd = event as c_int;
    // SAFETY: plain numbers. An event that stays open on failure goes with the process, as it must.
    let is_ready = event >= 0
        && unsafe {
            libc::ioctl(fd, PERF_EVENT_IOC_SET_BPF as _, program) == 0
                && libc::ioctl(fd, PERF_EVENT_IOC_ENABLE as _, 0) == 0
        };
    if is_ready { event } else { -1 }
}

/// CAP_SYS_ADMIN, CAP_PERFMON and CAP_BPF: what making links can need.
const PROBING: u64 = 1 << 21 | 1 << 38 | 1 << 39;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        let order = Order { pmu: 9, pid: u32::MAX, offset: 0x0123_4567_89ab_cdef };
        assert_eq!(Order::from_bytes(order.bytes()), order);
        let answer = Answer { error: libc::EPERM, pid: i32::MAX };
        assert_eq!(Answer::from_bytes(answer.bytes()), answer);
    }
}
