//! The room's system calls; its only unsafe code.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::uprobe::{self, BPF_TRACE_UPROBE_MULTI, HARMLESS};

/// The machine's architecture, as `uname -m` prints it.
pub fn machine() -> Option<String> {
    // SAFETY: utsname is plain bytes, for which all zeroes is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is a utsname that outlives the call.
    if unsafe { libc::uname(&raw mut name) } != 0 {
        return None;
    }
    // SAFETY: the kernel ends every field with a zero.
    let machine = unsafe { CStr::from_ptr(name.machine.as_ptr()) };
    machine.to_str().ok().map(str::to_owned)
}

/// Whether a process of this id exists, even where /proc hides it. Sends nothing to it.
pub fn exists(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else {
        return false;
    };
    // SAFETY: takes and gives plain numbers.
    pid > 0 && unsafe { libc::getpgid(pid) } >= 0
}

/// Tries to read the memory of a process, and says how the kernel judged it.
///
/// The address is 0, where nothing is mapped: the kernel checks permission first, so a caller that
/// is allowed gets `EFAULT`, which counts as success here. Nothing of the target is touched.
pub fn try_read_memory(pid: u32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
    let mut byte = 0_u8;
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 1 };
    // SAFETY: `local` names one byte that outlives the call; `remote` is an address of another
    // process, which the kernel checks.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    if read >= 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
        error => Err(error),
    }
}

/// A path that exists and can never be probed.
const FOLDER: &CStr = c"/";

/// Asks for a uprobe event on a folder and says how the kernel refused it.
pub fn try_uprobe_event(pmu: u32) -> io::Error {
    refusal_of(uprobe::perf_event(pmu, FOLDER, 0, 0, HARMLESS))
}

const BPF_PROG_LOAD: i32 = 5;
const BPF_PROG_TYPE_KPROBE: u32 = 2;

/// `union bpf_attr` (`linux/bpf.h`) for `BPF_PROG_LOAD`, up to `expected_attach_type`.
#[repr(C)]
#[derive(Default)]
struct ProgramLoad {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log: [u32; 4],
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected_attach_type: u32,
}

/// Loads a tracing program that does nothing. It is gone when the descriptor is dropped.
pub fn load_tracing_program() -> io::Result<OwnedFd> {
    // `r0 = 0; exit`
    let instructions: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    // Kernels that know the attach type want it here; those that do not refuse the whole program,
    // which says nothing about permission: so the second try goes without.
    let mut last = io::Error::from_raw_os_error(libc::EINVAL);
    for expected_attach_type in [BPF_TRACE_UPROBE_MULTI, 0] {
        let attr = ProgramLoad {
            kind: BPF_PROG_TYPE_KPROBE,
            instruction_count: instructions.len() as u32,
            instructions: instructions.as_ptr() as u64,
            license: c"GPL".as_ptr() as u64,
            expected_attach_type,
            ..ProgramLoad::default()
        };
        // SAFETY: `attr` and what it points to outlive the call, and its size is given.
        let fd = unsafe {
            libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const attr, size_of::<ProgramLoad>())
        };
        if fd >= 0 {
            // SAFETY: the kernel has just made this descriptor, and nobody else knows it. A
            // descriptor fits an i32.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) });
        }
        last = io::Error::last_os_error();
    }
    Err(last)
}

/// Asks for a uprobe_multi link on a folder, in a process, and says how the kernel refused it.
pub fn try_uprobe_multi(program: &OwnedFd, pid: u32) -> io::Error {
    refusal_of(uprobe::multi_link(program.as_raw_fd(), FOLDER, 0, pid))
}

/// The error of a call that should have failed; one that did not is undone, and counts as having
/// passed all checks.
fn refusal_of(fd: libc::c_long) -> io::Error {
    if fd < 0 {
        return io::Error::last_os_error();
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    drop(unsafe { OwnedFd::from_raw_fd(fd as i32) });
    io::Error::other("the kernel accepted a probe on a folder")
}

/// Gives the kernel back what was freed and is kept for later. (musl keeps little of it.)
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: it frees what nobody holds, and may be called at any time.
        _ = unsafe { libc::malloc_trim(0) };
    }
}
