//! The memory of a running process, read through `process_vm_readv`: no stop, no signal, no trace.

use std::io::IoSliceMut;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::memory::{Memory, ReadError, Span};
use super::task::living;

/// The kernel's limit of pieces a call (`UIO_MAXIOV`).
const MAX_PIECES: usize = 1024;

/// The memory of a running process.
#[derive(Debug)]
pub struct LiveMemory {
    pid: u32,
    /// The thread that it is read through: the first, as long as that lives.
    thread: AtomicU32,
}

impl LiveMemory {
    /// Of the process with this id. Nothing is opened or held.
    #[must_use]
    pub fn new(pid: u32) -> Self {
        Self { pid, thread: AtomicU32::new(pid) }
    }

    /// Reads as many of `pieces` as the kernel gives in one call; the count of bytes.
    fn call(&self, pieces: &[RemoteIoVec], buf: &mut [u8]) -> Result<usize, Errno> {
        let mut through = |thread: u32| {
            // Linux pids have 22 bits; a larger number names no process, and reading says so.
            let thread = Pid::from_raw(i32::try_from(thread).unwrap_or(i32::MAX));
            process_vm_readv(thread, &mut [IoSliceMut::new(buf)], pieces)
        };
        let thread = self.thread.load(Ordering::Relaxed);
        match through(thread) {
            // A thread that has ended has no memory; the process may have others.
            Err(Errno::ESRCH) => {
                let other = living(self.pid).filter(|&other| other != thread);
                let other = other.ok_or(Errno::ESRCH)?;
                self.thread.store(other, Ordering::Relaxed);
                through(other)
            }
            outcome => outcome,
        }
    }
}

fn error(errno: Errno, addr: u64, len: usize) -> ReadError {
    match errno {
        Errno::ESRCH => ReadError::Exited,
        Errno::EPERM => ReadError::Denied,
        Errno::EFAULT => ReadError::Unmapped { addr, len },
        errno => ReadError::Os { addr, len, source: errno.into() },
    }
}

impl Memory for LiveMemory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while done < buf.len() {
            let (here, rest) = (addr.wrapping_add(done as u64), &mut buf[done..]);
            let piece = RemoteIoVec { base: here as usize, len: rest.len() };
            let len = rest.len();
            match self.call(&[piece], rest).map_err(|errno| error(errno, here, len))? {
                0 => return Err(ReadError::Unmapped { addr: here, len }),
                count => done += count,
            }
        }
        Ok(())
    }

    fn read_spans(
        &self,
        spans: &[Span],
        buf: &mut [u8],
        failed: &mut dyn FnMut(usize),
    ) -> Result<(), ReadError> {
        let mut pieces = Vec::with_capacity(spans.len().min(MAX_PIECES));
        let (mut next, mut rest) = (0, buf);
        while next < spans.len() {
            let batch = &spans[next..spans.len().min(next + MAX_PIECES)];
            pieces.clear();
            pieces.extend(
                batch.iter().map(|s| RemoteIoVec { base: s.addr as usize, len: s.len as usize }),
            );
            let wanted: usize = pieces.iter().map(|piece| piece.len).sum();
            let got = match self.call(&pieces, &mut rest[..wanted]) {
                Ok(got) => got,
                Err(Errno::EFAULT) => 0,
                Err(errno) => return Err(error(errno, batch[0].addr, wanted)),
            };
            // The kernel stops at the first byte that it cannot read: skip that piece and go on
            // behind it.
            let mut taken = 0;
            let whole = pieces
                .iter()
                .take_while(|piece| {
                    let fits = taken + piece.len <= got;
                    taken += if fits { piece.len } else { 0 };
                    fits
                })
                .count();
            next += whole;
            rest = &mut rest[taken..];
            if whole < batch.len() {
                let len = pieces[whole].len;
                rest[..len].fill(0);
                failed(next);
                next += 1;
                rest = &mut rest[len..];
            }
        }
        Ok(())
    }
}
