//! A process that is stopped, with the registers of its threads.

use anyhow::{Context, Result, bail};
use leak_agent::prove::Thread;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A process that is stopped, until this is dropped.
#[derive(Debug)]
pub struct Stopped {
    seized: Vec<Pid>,
    threads: Vec<Thread>,
}

impl Stopped {
    /// Stops all threads of a process.
    ///
    /// # Errors
    /// When it may not be traced, or ends meanwhile.
    pub fn stop(pid: u32) -> Result<Self> {
        let mut stopped = Self { seized: Vec::new(), threads: Vec::new() };
        loop {
            let mut any = false;
            for entry in std::fs::read_dir(format!("/proc/{pid}/task"))? {
                let thread: i32 =
                    entry?.file_name().to_str().context("a name")?.parse().context("an id")?;
                let thread = Pid::from_raw(thread);
                if stopped.seized.contains(&thread) {
                    continue;
                }
                any = true;
                ptrace::seize(thread, ptrace::Options::empty()).context("seizing a thread")?;
                stopped.seized.push(thread);
                ptrace::interrupt(thread).context("stopping a thread")?;
                match waitpid(thread, Some(WaitPidFlag::__WALL))? {
                    WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..) => {}
                    other => bail!("a thread was to stop: {other:?}"),
                }
                stopped.threads.push(registers(thread)?);
            }
            if !any {
                return Ok(stopped);
            }
        }
    }

    /// Its threads, as they stand.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for thread in &self.seized {
            // One that has ended needs no more.
            let _ = ptrace::detach(*thread, None);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn registers(thread: Pid) -> Result<Thread> {
    let it = ptrace::getregs(thread)?;
    let words = vec![
        it.rax, it.rbx, it.rcx, it.rdx, it.rsi, it.rdi, it.rbp, it.r8, it.r9, it.r10, it.r11,
        it.r12, it.r13, it.r14, it.r15,
    ];
    let tid = thread.as_raw().unsigned_abs();
    Ok(Thread { tid, ip: it.rip, sp: it.rsp, words })
}

#[cfg(target_arch = "aarch64")]
fn registers(thread: Pid) -> Result<Thread> {
    let it = ptrace::getregset::<ptrace::regset::NT_PRSTATUS>(thread)?;
    let tid = thread.as_raw().unsigned_abs();
    Ok(Thread { tid, ip: it.pc, sp: it.sp, words: it.regs.to_vec() })
}
