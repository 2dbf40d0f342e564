//! System calls without allocation, locks or panics: for processes that were forked from one with threads
//! ([`super::forked`]).

use std::ffi::{CStr, c_int, c_long, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::AtomicU64;

/// A path in /proc: at most 63 bytes, with the zero at its end.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    bytes: [u8; 64],
    len: usize,
}

impl Path {
    /// `/proc/` and a process.
    pub(crate) fn of(pid: u32) -> Self {
        Self::new(b"/proc/").number(pid)
    }

    /// Begins with a text.
    pub(crate) fn new(text: &[u8]) -> Self {
        Self { bytes: [0; 64], len: 0 }.text(text)
    }

    /// Goes on with a text. What does not fit in is cut off.
    pub(crate) fn text(mut self, text: &[u8]) -> Self {
        let last = self.bytes.len() - 1;
        let room = self.bytes.iter_mut().take(last).skip(self.len);
        let mut taken = 0;
        for (to, from) in room.zip(text) {
            *to = *from;
            taken += 1;
        }
        self.len = self.len.wrapping_add(taken);
        self
    }

    /// Goes on with a number in decimal.
    pub(crate) fn number(self, number: u32) -> Self {
        let mut digits = [0; 10];
        let (mut first, mut left) = (digits.len(), number);
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            (*digit, first, left) = (b'0' + (left % 10) as u8, place, left / 10);
            if left == 0 {
                break;
            }
        }
        self.text(digits.get(first..).unwrap_or_default())
    }

    /// It ends within its 64 bytes.
    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"/")
    }
}

/// What the last system call of this thread failed with.
pub(crate) fn last_error() -> i32 {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() }
}

/// A descriptor that is closed when this value goes.
pub(crate) struct Fd(RawFd);

impl Fd {
    fn open(path: &Path, flags: c_int) -> Result<Self, i32> {
        // SAFETY: the path ends with a zero, and outlives the call.
        let fd = unsafe { libc::open(path.as_c_str().as_ptr(), flags | libc::O_CLOEXEC) };
        if fd < 0 { Err(last_error()) } else { Ok(Self(fd)) }
    }

    /// A process's, which becomes readable when that has exited (Linux 5.3).
    pub(crate) fn of_process(pid: u32) -> Result<Self, i32> {
        // SAFETY: plain numbers; a descriptor that comes back is nobody else's.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as c_long, 0_u64) };
        if fd < 0 { Err(last_error()) } else { Ok(Self(fd as RawFd)) }
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: it was opened by this process, which has no other use for it.
        unsafe { libc::close(self.0) };
    }
}

/// A timer of the kernel's that ends this process by SIGKILL when it rings, whatever this process does or waits for then,
/// and also while it is stopped or frozen. What it forks has none.
pub(crate) struct Deadline(Option<c_int>);

impl Deadline {
    /// One that does not ring yet.
    pub(crate) fn new() -> Self {
        let mut timer: c_int = 0;
        // SAFETY: both values are this frame's own; zeroes are an event.
        let made = unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            (event.sigev_notify, event.sigev_signo) = (libc::SIGEV_SIGNAL, libc::SIGKILL);
            let clock = libc::CLOCK_MONOTONIC as c_long;
            libc::syscall(libc::SYS_timer_create, clock, &raw const event, &raw mut timer)
        };
        Self((made == 0).then_some(timer))
    }

    /// Has it ring at a time of [`now_ns`], and not when it was to before. Whether it will.
    pub(crate) fn set(&self, at_ns: u64) -> bool {
        let (s, ns) = (at_ns / 1_000_000_000, at_ns % 1_000_000_000);
        let at = libc::timespec { tv_sec: s as _, tv_nsec: ns as _ };
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let time = libc::itimerspec { it_interval: never, it_value: at };
        let Some(timer) = self.0 else { return false };
        let (timer, none) = (c_long::from(timer), ptr::null_mut::<c_void>());
        let absolute = c_long::from(libc::TIMER_ABSTIME);
        // SAFETY: the time is this frame's own, and the kernel only reads it.
        unsafe {
            libc::syscall(libc::SYS_timer_settime, timer, absolute, &raw const time, none) == 0
        }
    }

    /// Has it not ring.
    pub(crate) fn clear(&self) {
        self.set(0);
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(timer) = self.0 {
            // SAFETY: it is this process's, and nobody has another use for it.
            unsafe { libc::syscall(libc::SYS_timer_delete, c_long::from(timer)) };
        }
    }
}

/// What a symbolic link names, as much as fits in.
pub(crate) fn link<'a>(path: &Path, room: &'a mut [u8]) -> Option<&'a [u8]> {
    let path = path.as_c_str().as_ptr();
    // SAFETY: the path ends with a zero; the room is the caller's, and as long as is said.
    let count = unsafe { libc::readlink(path, room.as_mut_ptr().cast(), room.len()) };
    room.get(..usize::try_from(count).ok()?)
}

/// Writes a text into a file in one go. Whether that was done.
pub(crate) fn write(path: &Path, text: &[u8]) -> bool {
    let Ok(fd) = Fd::open(path, libc::O_WRONLY) else { return false };
    // SAFETY: the text is the caller's, and as long as is said.
    let count = unsafe { libc::write(fd.0, text.as_ptr().cast(), text.len()) };
    usize::try_from(count) == Ok(text.len())
}

/// The beginning of a file, as much as fits in, in one read; what is empty is gone.
pub(crate) fn read<'a>(path: &Path, room: &'a mut [u8]) -> Option<&'a [u8]> {
    let fd = Fd::open(path, libc::O_RDONLY).ok()?;
    // SAFETY: the room is the caller's, and as long as is said.
    let count = unsafe { libc::read(fd.0, room.as_mut_ptr().cast(), room.len()) };
    let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
    room.get(..count)
}

/// `linux_dirent64` up to its name.
const HEAD: usize = 19;

/// Gives each entry of a folder whose name is a number.
pub(crate) fn each_number(path: &Path, each: &mut dyn FnMut(u32)) -> Result<(), i32> {
    let folder = Fd::open(path, libc::O_RDONLY | libc::O_DIRECTORY)?;
    let mut room = [0_u64; 1024];
    loop {
        let len = size_of_val(&room);
        let to: *mut c_void = room.as_mut_ptr().cast();
        // SAFETY: the room is this frame's own, and as long as is said.
        let count = unsafe { libc::syscall(libc::SYS_getdents64, folder.0 as c_long, to, len) };
        let count = match usize::try_from(count) {
            Ok(0) => return Ok(()),
            Ok(count) => count.min(len),
            Err(_) => return Err(last_error()),
        };
        // SAFETY: the kernel has written this much of the room, and any byte is a value.
        let mut rest = unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), count) };
        while let (Some(low), Some(high)) = (rest.get(16), rest.get(17)) {
            let record = usize::from(u16::from_le_bytes([*low, *high]));
            let name = rest.get(HEAD..record).unwrap_or_default();
            if let Some(number) = number(name).and_then(|it| u32::try_from(it).ok()) {
                each(number);
            }
            rest = rest.get(record.max(HEAD)..).unwrap_or_default();
        }
    }
}

/// The decimal number that a text begins with, up to a zero, blank or end; `None` for anything else.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let mut value: Option<u64> = None;
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                let more = u64::from(*byte - b'0');
                value = Some(value.unwrap_or(0).checked_mul(10)?.checked_add(more)?);
            }
            0 | b' ' | b'\t' | b'\n' => break,
            _ => return None,
        }
    }
    value
}

/// Plain numbers alone: of which all zeroes is a value.
///
/// # Safety
/// Any bytes must be a value of it.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: numbers.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}

/// Memory of a process's own, or one that it shares with what it forks: zero at first, touched page by page.
pub(crate) struct Pages<T> {
    first: *mut T,
    count: usize,
}

impl<T: Plain> Pages<T> {
    /// Room for so many values.
    pub(crate) fn map(count: usize, is_shared: bool) -> Option<Self> {
        let kind = if is_shared { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
        let flags = kind | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let len = count.checked_mul(size_of::<T>())?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory, where the kernel likes; pages are aligned for any number.
        let first = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, -1, 0) };
        (first != libc::MAP_FAILED).then_some(Self { first: first.cast(), count })
    }

    /// All of it. Not for what is shared.
    pub(crate) fn all(&mut self) -> &mut [T] {
        // SAFETY: it was mapped with this length, any bytes are values, and this is the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.count) }
    }
}

impl Pages<u64> {
    /// One word of what is shared, which others may write at any time.
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        static NOWHERE: AtomicU64 = AtomicU64::new(0);
        if index >= self.count {
            return &NOWHERE;
        }
        // SAFETY: the word was mapped, is aligned, and is only ever used through atomics: `all` needs the only reference.
        unsafe { AtomicU64::from_ptr(self.first.add(index)) }
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing refers to it any more.
        unsafe { libc::munmap(self.first.cast(), self.count.wrapping_mul(size_of::<T>())) };
    }
}

/// Receives one message from the socket that a forked process has: its length; 0 when the other side is gone.
pub(crate) fn receive(room: &mut [u8]) -> usize {
    loop {
        // SAFETY: the room is the caller's, and as long as is said.
        let count = unsafe { libc::recv(0, room.as_mut_ptr().cast(), room.len(), 0) };
        match usize::try_from(count) {
            Ok(count) => return count,
            Err(_) if last_error() == libc::EINTR => {}
            Err(_) => return 0,
        }
    }
}

/// Sends one message there. Whether there was somebody to take it, in the time that the socket gives them.
pub(crate) fn send(bytes: &[u8]) -> bool {
    // SAFETY: the bytes are the caller's, and as long as is said.
    while unsafe { libc::send(0, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) } < 0 {
        if last_error() != libc::EINTR {
            return false;
        }
    }
    true
}

/// The same, until a time at the latest.
pub(crate) fn send_until(bytes: &[u8], until_ns: u64) -> bool {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: the bytes are the caller's, and as long as is said.
    while unsafe { libc::send(0, bytes.as_ptr().cast(), bytes.len(), flags) } < 0 {
        let may_wait = matches!(last_error(), libc::EINTR | libc::EAGAIN);
        if !may_wait || now_ns() > until_ns {
            return false;
        }
        sleep_us(50);
    }
    true
}

/// What there is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// A message at the socket, or its end.
    pub(crate) socket: bool,
    /// Either process has exited.
    pub(crate) processes: [bool; 2],
}

/// Waits at most so many milliseconds.
pub(crate) fn wait_for(processes: [Option<&Fd>; 2], milliseconds: u32) -> Ready {
    let poll = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // Below 0 is none.
    let [first, second] = processes.map(|it| poll(it.map_or(-1, |fd| fd.0)));
    let mut all = [poll(0), first, second];
    let timeout = c_int::try_from(milliseconds).unwrap_or(c_int::MAX);
    // SAFETY: three entries of this frame.
    unsafe { libc::poll(all.as_mut_ptr(), 3, timeout) };
    let [socket, processes @ ..] = all.map(|it| it.revents != 0);
    Ready { socket, processes }
}

/// Nanoseconds of a clock that always goes on.
pub(crate) fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the value is this frame's own.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Lets others run for so many microseconds.
pub(crate) fn sleep_us(microseconds: u32) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: (microseconds.min(999_999) * 1000) as _ };
    // SAFETY: the value is this frame's own.
    unsafe { libc::nanosleep(&raw const time, ptr::null_mut()) };
}

/// Lets others run, if any want to.
pub(crate) fn give_way() {
    // SAFETY: no arguments.
    unsafe { libc::sched_yield() };
}

/// Reads the memory of another process; whether all could be read.
pub(crate) fn read_memory(thread: u32, address: u64, room: &mut [u8]) -> bool {
    let local = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: room.len() };
    // SAFETY: `local` names the caller's room; `remote` is of another process, which the kernel checks.
    let read = unsafe {
        libc::process_vm_readv(thread as i32, &raw const local, 1, &raw const remote, 1, 0)
    };
    usize::try_from(read) == Ok(room.len())
}

/// Waits until a process that this one has forked is gone.
pub(crate) fn wait_for_end(child: i32) {
    // Where nobody waits for children's states (`SIG_IGN`) this ends by ECHILD, when it is gone.
    // SAFETY: plain numbers, and no place for a status.
    while unsafe { libc::waitpid(child, ptr::null_mut(), 0) } < 0 && last_error() == libc::EINTR {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn paths_are_those_of_proc() {
        for (pid, thread) in [(1, 1), (10, 12), (4711, 4712), (u32::MAX, u32::MAX)] {
            let path = Path::of(pid).text(b"/task/").number(thread).text(b"/mem");
            let text = path.as_c_str().to_bytes();
            assert_eq!(text, format!("/proc/{pid}/task/{thread}/mem").as_bytes());
        }
        let fd = Path::new(b"/proc/self/fd/").number(1_234_567_890);
        assert_eq!(fd.as_c_str(), c"/proc/self/fd/1234567890");
        let long = Path::new(&[b'a'; 99]).number(7);
        assert_eq!(long.as_c_str().to_bytes(), [b'a'; 63]);
    }

    #[test]
    fn numbers_end_at_a_blank_and_are_nothing_else() {
        assert_eq!((number(b"4711\0x"), number(b"0 1")), (Some(4711), Some(0)));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for text in [&b""[..], b"self", b"18446744073709551616", b".", b"1x"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    #[test]
    fn our_own_threads_and_files_are_read() {
        let mut threads = Vec::new();
        let me = std::process::id();
        each_number(&Path::of(me).text(b"/task"), &mut |thread| threads.push(thread))
            .expect("we run");
        assert!(threads.contains(&me), "{threads:?}");
        let mut room = [0; 16];
        let comm = read(&Path::of(me).text(b"/comm"), &mut room).expect("a name");
        assert_eq!(comm.last(), Some(&b'\n'));
        assert_eq!(each_number(&Path::new(b"/proc/none"), &mut |_| {}), Err(libc::ENOENT));
        assert_eq!(read(&Path::new(b"/proc/none"), &mut room), None);
    }

    #[test]
    fn pages_are_zero_and_can_be_written() {
        let mut pages = Pages::<u32>::map(1000, false).expect("mapped");
        assert!(pages.all().iter().all(|word| *word == 0));
        pages.all()[999] = 7;
        assert_eq!((pages.all().len(), pages.all()[999]), (1000, 7));
        let shared = Pages::<u64>::map(2, true).expect("mapped");
        shared.word(1).store(9, Ordering::SeqCst);
        assert_eq!([0, 1, 2].map(|it| shared.word(it).load(Ordering::SeqCst)), [0, 9, 0]);
    }

    #[test]
    fn a_deadline_ends_a_process_that_is_stopped_and_one_that_was_set_back_does_not() {
        let status_of = |work: fn(&Deadline)| {
            // SAFETY: the child makes system calls alone, and never comes back.
            let child = unsafe { crate::host::forked::fork() };
            if child == 0 {
                work(&Deadline::new());
                // SAFETY: a plain number.
                unsafe { libc::_exit(7) };
            }
            let mut status = 0;
            // SAFETY: the status is this frame's own.
            unsafe { libc::waitpid(child as i32, &raw mut status, 0) };
            status
        };
        let stopped = status_of(|deadline| {
            deadline.set(now_ns() + 20_000_000);
            // SAFETY: plain numbers.
            unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
        });
        assert!(libc::WIFSIGNALED(stopped) && libc::WTERMSIG(stopped) == libc::SIGKILL);
        let cleared = status_of(|deadline| {
            deadline.set(now_ns() + 200_000_000);
            deadline.clear();
            sleep_us(400_000);
        });
        assert!(libc::WIFEXITED(cleared) && libc::WEXITSTATUS(cleared) == 7, "{cleared}");
    }

    #[test]
    fn links_are_read_and_files_written() {
        let mut room = [0; 64];
        let namespace = link(&Path::new(b"/proc/self/ns/pid"), &mut room).expect("a link");
        assert!(namespace.starts_with(b"pid:["), "{namespace:?}");
        assert_eq!(link(&Path::new(b"/proc/self/stat"), &mut room), None);
        assert!(write(&Path::new(b"/dev/null"), b"text"));
        assert!(!write(&Path::new(b"/proc/none"), b"text"));
    }

    #[test]
    fn a_process_that_is_gone_is_ready() {
        let fd = Fd::of_process(std::process::id()).expect("we run");
        assert_eq!(wait_for([Some(&fd), None], 0).processes, [false; 2]);
        assert_eq!(Fd::of_process(u32::MAX).err(), Some(libc::EINVAL));
    }
}
