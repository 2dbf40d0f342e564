//! What the two architectures differ in: registers, system calls, and the runtime's code around one of them.

#[cfg(target_arch = "x86_64")]
mod amd64;
#[cfg(target_arch = "aarch64")]
mod arm64;

#[cfg(target_arch = "x86_64")]
pub(super) use amd64::*;
#[cfg(target_arch = "aarch64")]
pub(super) use arm64::*;

/// How much of the code behind a thread's system call is read: the runtime's `clone` follows its `futex`.
pub(super) const CODE: usize = 512;

/// A thread that waits on a futex, without a limit in time, and has not been woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// The address of its system call's instruction.
    pub(super) call: u64,
    /// The futex.
    pub(super) word: u64,
    /// What it must hold for the thread to wait on.
    pub(super) expected: u32,
}

/// Addresses in the runtime's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sites {
    /// The instruction from which the process is cloned.
    pub(super) clone: u64,
    /// Where a copy goes that nobody stops: code that ends its thread, and so itself.
    pub(super) exit: u64,
}

/// The command of a futex operation without its flag for private futexes is `FUTEX_WAIT`.
const fn is_wait(operation: u64) -> bool {
    (operation as u32) & !(libc::FUTEX_PRIVATE_FLAG as u32) == libc::FUTEX_WAIT as u32
}

/// What `clone` is called with: descriptors are shared and not copied, and nobody is signalled at the copy's end.
const CLONE_FLAGS: u64 = libc::CLONE_FILES as u64;
