//! `refused [all]`: tries what the agent promises never to do, each in a way that does no harm, and prints how the
//! kernel answers; after giving up what a watching agent gives up, or, with `all`, with everything it was started with.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::io;
use std::thread;

use anyhow::{Result, bail};
use leak_agent::host::privileges::Plan;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() != Some("all") {
        Plan::reading().probing(true).apply()?;
    }
    tries("");
    // What is given up is given up in threads that come later too.
    if thread::spawn(|| tries("thread: ")).join().is_err() {
        bail!("a thread panicked");
    }
    println!("fork {}", fork());
    Ok(())
}

/// Prints each call with the error's number, 0 if there was none.
fn tries(place: &str) {
    let parent = c_long::from(std::os::unix::process::parent_id() as i32);
    let this = c_long::from(std::process::id() as i32);
    let nobody = c_long::from(u32::MAX);
    for (name, call, arguments) in [
        // Each does nothing where it is allowed: the signal is 0, the address or the file is not there.
        ("kill", libc::SYS_kill, [parent, 0, 0]),
        ("tgkill", libc::SYS_tgkill, [parent, parent, 0]),
        ("tkill", libc::SYS_tkill, [parent, 0, 0]),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal, [-1, 0, 0]),
        ("ptrace", libc::SYS_ptrace, [16, 0, 0]),
        ("process_vm_writev", libc::SYS_process_vm_writev, [parent, 0, 0]),
        ("execve", libc::SYS_execve, [0, 0, 0]),
        ("execveat", libc::SYS_execveat, [-1, 0, 0]),
        ("setuid", libc::SYS_setuid, [nobody, 0, 0]),
        ("setresgid", libc::SYS_setresgid, [nobody, nobody, nobody]),
        ("capset", libc::SYS_capset, [0, 0, 0]),
        ("unshare", libc::SYS_unshare, [0, 0, 0]),
        ("setns", libc::SYS_setns, [-1, 0, 0]),
        ("chroot", libc::SYS_chroot, [0, 0, 0]),
        ("mount", libc::SYS_mount, [0, 0, 0]),
        ("init_module", libc::SYS_init_module, [0, 0, 0]),
        ("reboot", libc::SYS_reboot, [0, 0, 0]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0, 0, 0]),
        ("setpriority of another", libc::SYS_setpriority, [0, parent, 0]),
        // These stay.
        ("kill itself with nothing", libc::SYS_kill, [this, 0, 0]),
        ("setpriority of itself", libc::SYS_setpriority, [0, 0, 19]),
        ("getppid", libc::SYS_getppid, [0, 0, 0]),
    ] {
        let [a, b, c] = arguments;
        // SAFETY: no argument is the address of anything.
        let answer = unsafe { libc::syscall(call, a, b, c, 0, 0, 0) };
        let error = if answer < 0 { io::Error::last_os_error().raw_os_error() } else { None };
        println!("{place}{name} {}", error.unwrap_or(0));
    }
}

/// Whether a process can still be forked, and waited for: its exit code, -1 if not.
fn fork() -> i32 {
    // SAFETY: the child does nothing but end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child alone, without what this process wants done at its end.
        unsafe { libc::_exit(0) };
    }
    let mut status = -1;
    // SAFETY: `status` outlives the call.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    if waited == child { libc::WEXITSTATUS(status) } else { -1 }
}
