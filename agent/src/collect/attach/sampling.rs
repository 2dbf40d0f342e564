//! Switches the sampling of allocations on in a program that keeps no memory profile, for as long as it is watched.
//!
//! This is the one thing that the agent ever writes to a target, and it does so only where the user asked for that by
//! name: `runtime.MemProfileRate`, from 0 to a power of two and back, so that of the word one byte alone changes and
//! nobody ever reads half of a value.
//!
//! A process of its own, the *keeper*, writes both (`process`). It is forked before the agent drops its privileges, does
//! nothing else, and keeps nothing but a socket and each target's `/proc/PID/mem`, which the kernel binds to the memory
//! that the process had when it was opened: after an `execve` or an exit nothing is written any more, whatever runs
//! under that id. However the agent ends, its end of the socket closes, and the keeper sets back what it has set, where
//! that is still there.
//!
//! Why that is safe in a running program, by the runtime's source of Go 1.21 to 1.27: `mallocgc` reads the rate anew at
//! each allocation (`malloc.go`), since programs may assign to it at any time. Where it is not 0, `profilealloc` takes
//! the next sample's distance from it and calls `mProf_Malloc` (`mprof.go`), which is linked into every program, as are
//! the lists of buckets and their hash table, which are made at the first sample. `disableMemoryProfiling` is read once,
//! at the start (`proc.go`, `schedinit`). Threads have their buffer for stacks (`m.profStack`, since 1.23) whether there
//! is a profile or not; a program that runs with `GODEBUG=profstackdepth=0` has none, and samples nothing. Back at 0,
//! nothing is sampled any more, and what was is still counted as it is freed (`mProf_Free`).
//!
//! What stays in the target: the hash table (1.4 MB, of which the pages that were used are resident) and a bucket for
//! each stack and size, some hundred bytes to a kilobyte each.
//!
//! What is exact then: objects are sampled as in any program, but that the first allocation of each processor after the
//! switch is sampled whatever its size (the distance was 0, or the rate another), and since 1.24 one more when it is
//! switched off.

mod process;

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use thiserror::Error;

use super::Options;
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::golang::task::living;
use crate::model::{NotSampled, Restored};
use process::{Answer, Order, What};

/// A keeper that has not answered for so long does not do so any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked whether the keeper has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The process that sets rates, and sets them back.
#[derive(Debug)]
pub struct Keeper {
    socket: Mutex<UnixStream>,
    pid: Pid,
}

impl Keeper {
    /// Forks it: a copy of this process as it is now, with the power to write to other processes that this one still
    /// has. Before anything is read that somebody else could have written.
    ///
    /// # Errors
    /// When it cannot be forked.
    pub fn start() -> io::Result<Self> {
        let (socket, its) = UnixStream::pair()?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let pid = process::fork(its.as_fd())?;
        Ok(Self { socket: Mutex::new(socket), pid: Pid::from_raw(pid) })
    }

    /// Switches sampling on in the process with an id, until the value that comes back ends.
    ///
    /// # Errors
    /// Where it already samples, where it is not known to be safe, and where nothing can be written. Nothing was then.
    pub fn switch_on(
        self: &Arc<Self>,
        pid: u32,
        options: &Options,
        rate: Rate,
    ) -> Result<Sampling, NotSampled> {
        let unlocated = |why| NotSampled::Unlocated { why };
        let program = options.program(pid).map_err(|error| unlocated(one_line(&error)))?;
        let version = &program.binary().version;
        let buckets = program.buckets().map_err(|why| unlocated(why.to_string()))?;
        let address = buckets
            .switch(version)
            .ok_or_else(|| NotSampled::Version { version: version.to_string() })?;
        let thread = living(pid).ok_or(NotSampled::Gone)?;
        let open = Order { what: What::Open, slot: pid, thread, address, rate: 0 };
        let Answer { slot, value, .. } = self.ask(open)?;
        // From here on it is set back, and the memory closed, whatever happens.
        let sampling = Sampling { keeper: Arc::clone(self), slot, rate, is_over: false };
        // The keeper has the memory of the program that was located, if that is still there.
        if is_gone(&program) {
            return Err(NotSampled::Gone);
        }
        free(value)?;
        let set = Order { what: What::Set, slot, rate: rate.bytes(), ..open };
        let found = self.ask(set)?.value;
        // Somebody else was first.
        free(found)?;
        Ok(sampling)
    }

    fn ask(&self, order: Order) -> Result<Answer, NotSampled> {
        let answer = self.answer(order).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                NotSampled::Refused { why: format!("it has not answered for {PATIENCE:?}") }
            }
            _ => NotSampled::KeeperGone,
        })?;
        match answer.error {
            0 => Ok(answer),
            process::ENDED => Err(NotSampled::Gone),
            process::FULL => Err(NotSampled::TooMany { targets: process::SLOTS as u64 }),
            error => {
                let why = io::Error::from_raw_os_error(error).to_string();
                Err(NotSampled::Refused { why })
            }
        }
    }

    /// One order after the other, each answered before the next.
    fn answer(&self, order: Order) -> io::Result<Answer> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; Answer::BYTES];
        let asked = socket.write_all(&order.bytes());
        let answered = asked.and_then(|()| socket.read_exact(&mut bytes));
        if answered.is_err() {
            // A late answer would be taken for that to the next order. It sees the end, and sets all back.
            let _ = socket.shutdown(Shutdown::Both);
        }
        answered.map(|()| Answer::from_bytes(bytes))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        // It sets back what is still set, and is gone then. Both fail only for one that is gone already.
        let _ = socket.shutdown(Shutdown::Both);
        let start = Instant::now();
        // One that is stopped is left behind: it sets back when it runs again.
        while start.elapsed() < PATIENCE {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => thread::sleep(PAUSE),
                Err(Errno::EINTR) => {}
                _ => return,
            }
        }
    }
}

/// That a program samples nothing by itself.
const fn free(rate: u64) -> Result<(), NotSampled> {
    match rate.cast_signed() {
        0 => Ok(()),
        1.. => Err(NotSampled::AlreadyOn { rate_bytes: rate }),
        ..0 => Err(NotSampled::OffByProgram),
    }
}

fn is_gone(program: &Program) -> bool {
    program.is_replaced() || !program.process().is_alive()
}

/// A program of which allocations are sampled.
#[derive(Debug)]
pub struct Sampling {
    keeper: Arc<Keeper>,
    slot: u32,
    rate: Rate,
    is_over: bool,
}

impl Sampling {
    /// Of so many bytes that are allocated one is sampled.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Sets the old value back, and says what became of it.
    #[must_use]
    pub fn end(mut self) -> Restored {
        self.set_back()
    }

    fn set_back(&mut self) -> Restored {
        self.is_over = true;
        let (slot, rate) = (self.slot, 0);
        let order = Order { what: What::SetBack, slot, thread: 0, address: 0, rate };
        match self.keeper.ask(order) {
            Ok(Answer { value: 0, .. }) => Restored::Yes,
            Ok(Answer { value, .. }) => Restored::Changed { rate: value.cast_signed() },
            Err(NotSampled::Gone) => Restored::Ended,
            Err(NotSampled::Refused { why }) => Restored::Failed { why },
            Err(_) => Restored::KeeperGone,
        }
    }
}

impl Drop for Sampling {
    fn drop(&mut self) {
        if !self.is_over {
            self.set_back();
        }
    }
}

/// Of so many bytes that are allocated one is sampled on average: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

impl Rate {
    /// Below, a program would spend more on its profile than on its work.
    pub const MIN: Self = Self(process::MIN_RATE);
    /// Beyond, Go's own distances between samples are cut (`malloc.go`, `fastexprand`).
    pub const MAX: Self = Self(process::MAX_RATE);

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// What is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a size from 4KiB to 64MiB, such as 512KiB: one of so many bytes is sampled")]
pub struct NoRate;

/// Rounded up to a power of two.
impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let shift = match text[digits.len()..].trim() {
            "" | "B" => 0,
            "KiB" | "kB" | "KB" | "k" | "K" => 10,
            "MiB" | "MB" | "M" => 20,
            _ => return Err(NoRate),
        };
        let number: u64 = digits.trim().parse().map_err(|_| NoRate)?;
        let bytes = number.checked_mul(1 << shift).ok_or(NoRate)?;
        let is_within = (Self::MIN.0..=Self::MAX.0).contains(&bytes);
        if is_within { Ok(Self(bytes.next_power_of_two())) } else { Err(NoRate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_sizes_and_powers_of_two() {
        for (text, bytes) in [
            ("512KiB", 512 << 10),
            ("524288", 512 << 10),
            ("4096B", 4096),
            ("100 kB", 128 << 10),
            ("1MiB", 1 << 20),
            ("64M", 64 << 20),
        ] {
            assert_eq!(text.parse(), Ok(Rate(bytes)), "{text}");
        }
        for text in
            ["", "KiB", "0", "1", "4095", "65MiB", "1GiB", "-4096", "18446744073709551615MiB"]
        {
            assert_eq!(text.parse::<Rate>(), Err(NoRate), "{text}");
        }
    }

    #[test]
    fn one_byte_of_the_word_changes_alone() {
        let mut rate = Rate::MIN.0;
        while rate <= Rate::MAX.0 {
            assert_eq!(rate.to_le_bytes().iter().filter(|byte| **byte != 0).count(), 1);
            rate *= 2;
        }
    }
}
