//! Processes that are forked from the agent to outlive it: what they do first, what they keep, how they end.
//!
//! The agent may have many threads when it forks, and any of them may hold any lock: behind a fork
//! there is no allocation, no panic and nothing that could take a lock, only system calls on values
//! of the own stack.

use std::ffi::{CStr, c_long, c_void};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use super::bare;

/// What such a process is, and does.
#[derive(Clone, Copy)]
pub(crate) struct Forked {
    /// What it is called. The kernel keeps 15 bytes of a name.
    pub(crate) name: &'static CStr,
    /// The capabilities that it keeps, as bits, where it has them.
    pub(crate) keeps: u64,
    /// What it does. Its one descriptor is the socket that it was forked with: number 0.
    pub(crate) run: fn() -> !,
}

impl Forked {
    /// Forks one, which has its end of a socket, and gives its pid. No signal but SIGKILL and SIGSTOP reaches it.
    pub(crate) fn start(self, socket: BorrowedFd<'_>) -> io::Result<i32> {
        // No handler of the agent's may run in it: nothing is delivered there, ever.
        // SAFETY: both sets are plain bits, and outlive the calls.
        let before = unsafe {
            let (mut all, mut before) = (zeroed(), zeroed());
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            before
        };
        // SAFETY: the child goes into `begin` and never comes back.
        let forked = unsafe { fork() };
        if forked == 0 {
            self.begin(socket.as_raw_fd());
        }
        let error = io::Error::last_os_error();
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
        if forked < 0 { Err(error) } else { Ok(forked as i32) }
    }

    fn begin(self, socket: RawFd) -> ! {
        // SAFETY: system calls on plain values and static text. The descriptors that are closed belong
        // to the agent's code, none of which ever runs in this process.
        unsafe {
            // Nothing that is meant for the agent's terminal or group reaches it.
            libc::setsid();
            // Children that end leave nothing to be waited for.
            let mut ignore: libc::sigaction = zeroed();
            ignore.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(libc::SIGCHLD, &raw const ignore, ptr::null_mut());
            libc::prctl(libc::PR_SET_NAME, self.name.as_ptr());
            // No folder of the agent's is kept busy.
            libc::chdir(c"/".as_ptr());
            let alone = socket == 0 || libc::dup2(socket, 0) == 0;
            if !alone {
                end();
            }
            close_all_from(1);
        }
        keep_capabilities(self.keeps);
        (self.run)()
    }
}

/// Closes all descriptors from a number on: one by one where the kernel has no `close_range` (before 5.9).
pub(crate) fn close_all_from(first: RawFd) {
    // SAFETY: descriptors of code that never runs in this process; the limit is this frame's own.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, u32::MAX, 0_u32) == 0 {
            return;
        }
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            end();
        }
        for descriptor in first..=RawFd::try_from(limit.rlim_cur).unwrap_or(RawFd::MAX).min(1 << 20)
        {
            libc::close(descriptor);
        }
    }
}

/// The system call alone: what libc does around it is for children that go on as programs.
///
/// # Safety
/// The child may only do what this file's first lines say, and must never return.
pub(crate) unsafe fn fork() -> c_long {
    // As wide as the registers that they travel in: half of one may be filled with anything.
    let (how, none) = (c_long::from(libc::SIGCHLD), c_long::from(0));
    // SAFETY: a copy of the whole process on a stack of its own, as `fork` makes it.
    unsafe { libc::syscall(libc::SYS_clone, how, none, none, none, none) }
}

/// Does something in a copy of this process, and waits until that has ended.
pub(crate) fn in_another(work: impl FnOnce()) {
    // SAFETY: the child does its work, which is code of processes that were forked, and never comes back.
    let child = unsafe { fork() };
    match child {
        0 => {
            work();
            end()
        }
        1.. => bare::wait_for_end(child as i32),
        // No memory, or too many processes: nothing is done.
        ..0 => {}
    }
}

/// Ends a process, and what it holds with it.
///
/// By a signal of its own: on its way into `exit` another SIGKILL could still reach it and stay
/// pending while what it holds is undone; a task that has taken one out of its queue gets no second.
pub(crate) fn end() -> ! {
    // SAFETY: plain numbers.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
        libc::_exit(1)
    }
}

const VERSION_3: u32 = 0x2008_0522;

/// Gives up every capability but some, and leaves none to programs that are executed from here as another user than root:
/// the ambient ones go with the inheritable. Those that are not there do not come.
pub(crate) fn keep_capabilities(keep: u64) {
    let header: [u32; 2] = [VERSION_3, 0];
    // The effective, the permitted and the inheritable ones, by halves.
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: two words of header and two times three of sets, as version 3 has it.
    unsafe {
        let header: *const c_void = header.as_ptr().cast();
        if libc::syscall(libc::SYS_capget, header, sets.as_mut_ptr()) != 0 {
            return;
        }
        for (half, set) in sets.iter_mut().zip([keep as u32, (keep >> 32) as u32]) {
            *half = [half[0] & set, half[1] & set, 0];
        }
        libc::syscall(libc::SYS_capset, header, sets.as_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CAP_KILL` and `CAP_SETUID`.
    const KILL: u32 = 5;
    const SETUID: u32 = 7;

    fn of_thread(key: &str) -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
        u64::from_str_radix(line.trim(), 16).expect("a number")
    }

    #[test]
    fn no_program_inherits_what_is_kept() {
        // A thread has capabilities of its own.
        let done = std::thread::spawn(|| {
            if of_thread("CapPrm:") & (1 << KILL) == 0 {
                return;
            }
            let header: [u32; 2] = [VERSION_3, 0];
            let mut sets = [[0_u32; 3]; 2];
            // SAFETY: two words of header and two times three of sets, as version 3 has it; and plain numbers.
            unsafe {
                let header: *const c_void = header.as_ptr().cast();
                assert_eq!(libc::syscall(libc::SYS_capget, header, sets.as_mut_ptr()), 0);
                sets[0][2] = 1 << KILL | 1 << SETUID;
                assert_eq!(libc::syscall(libc::SYS_capset, header, sets.as_ptr()), 0);
                let raise = libc::PR_CAP_AMBIENT_RAISE;
                assert_eq!(libc::prctl(libc::PR_CAP_AMBIENT, raise, KILL, 0, 0), 0);
            }
            assert_eq!((of_thread("CapInh:"), of_thread("CapAmb:")), (0xa0, 0x20));
            keep_capabilities(1 << KILL);
            assert_eq!((of_thread("CapEff:"), of_thread("CapPrm:")), (0x20, 0x20));
            assert_eq!((of_thread("CapInh:"), of_thread("CapAmb:")), (0, 0));
        });
        done.join().expect("it holds");
    }
}
