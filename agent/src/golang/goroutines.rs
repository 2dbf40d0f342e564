//! The runtime's list of goroutines, and the part of each that says what it is doing.

use super::layout;
use super::memory::{Memory, ReadError};

/// More than fit into any machine's memory; a longer list is a wrong or hostile one.
pub const MAX_GOROUTINES: u64 = 1 << 24;
/// `_Gscan`: the garbage collector, or who preempts it, holds it; the rest of the status is as ever.
const SCAN: u32 = 0x1000;

/// `atomicstatus` without its scan bit (`runtime/runtime2.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawStatus {
    /// On a run queue.
    Runnable,
    /// On a processor.
    Running,
    /// In a system call or in C.
    Syscall,
    /// Blocked.
    Waiting,
    /// Unused: never started, or ended.
    Dead,
    /// Its stack is being moved.
    CopyStack,
    /// Stopped by preemption.
    Preempted,
    /// Found leaked by the runtime (Go 1.26+).
    Leaked,
    /// No status of any Go version.
    Unknown(u32),
}

impl RawStatus {
    const fn of(word: u32) -> Self {
        match word & !SCAN {
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Syscall,
            4 => Self::Waiting,
            // Idle, dead, and (1.26+) dead but kept for threads of C.
            0 | 6 | 11 => Self::Dead,
            8 => Self::CopyStack,
            9 => Self::Preempted,
            10 => Self::Leaked,
            other => Self::Unknown(other),
        }
    }

    /// Whether its registers are saved, so that its stack can be walked.
    #[must_use]
    pub const fn stands_still(self) -> bool {
        matches!(
            self,
            Self::Runnable | Self::Syscall | Self::Waiting | Self::Preempted | Self::Leaked
        )
    }
}

/// One `runtime.g`, as far as it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawG {
    /// Its address.
    pub addr: u64,
    /// Its id.
    pub goid: u64,
    /// Its status.
    pub status: RawStatus,
    /// Whether the garbage collector holds it (`_Gscan`): another thread may be moving its stack, so that not all
    /// that points to that does so yet (`runtime.copystack`).
    pub is_scanned: bool,
    /// The number of its wait reason; meaningful while it waits.
    pub wait_reason: u8,
    /// When the first garbage collection after blocking ran, by the monotonic clock; 0 before.
    pub wait_since_ns: u64,
    /// Who created it; 0 when nobody did.
    pub parent: u64,
    /// The `go` statement that created it; 0 for the first.
    pub gopc: u64,
    /// The function that it started in.
    pub startpc: u64,
    /// Where it goes on.
    pub pc: u64,
    /// Its stack pointer.
    pub sp: u64,
    /// Its link register (arm64), or 0.
    pub lr: u64,
    /// The lowest address of its stack.
    pub stack_lo: u64,
    /// One past the highest.
    pub stack_hi: u64,
    /// The first of the sudogs that it waits through; 0 for none.
    pub waiting: u64,
    /// Its profiler labels; 0 for none.
    pub labels: u64,
    /// Whether it is locked to a thread.
    pub locked: bool,
    /// How often it stopped running, modulo 256 and from anywhere; `None` of a Go version that may
    /// count otherwise. `runtime.casgstatus` counts every wait but those of coroutines and of
    /// preempted goroutines; system calls up to Go 1.25 only.
    pub stops: Option<u8>,
}

/// Reads [`RawG`]s of one Go version.
#[derive(Clone, Copy)]
pub struct GReader<'a> {
    layout: &'a layout::G,
    links: bool,
    counts: bool,
    len: u32,
}

impl<'a> GReader<'a> {
    /// For a layout; `links` says whether the processor has a link register, `counts` whether this Go
    /// is known to count how often a goroutine stops running.
    #[must_use]
    pub fn new(layout: &'a layout::G, links: bool, counts: bool) -> Self {
        let words = [
            layout.stack_lo,
            layout.stack_hi,
            layout.sched_sp,
            layout.sched_pc,
            layout.sched_lr,
            layout.syscall_sp,
            layout.syscall_pc,
            layout.status,
            layout.goid,
            layout.wait_since,
            layout.wait_reason,
            layout.labels,
            layout.locked_m,
            layout.parent_goid,
            layout.gopc,
            layout.startpc,
            layout.waiting,
            layout.tracking_seq,
        ];
        let len = words.into_iter().max().unwrap_or(0) + 8;
        Self { layout, links, counts, len }
    }

    /// How much of the struct must be read.
    #[must_use]
    pub const fn bytes_needed(&self) -> u32 {
        self.len
    }

    /// Parses the first [`GReader::bytes_needed`] bytes of the struct at `addr`.
    #[must_use]
    pub fn parse(&self, addr: u64, bytes: &[u8]) -> Option<RawG> {
        let word = |at: u32| Some(u64::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?));
        let half = |at: u32| Some(u32::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?));
        let at = self.layout;
        let word_of_status = half(at.status)?;
        let status = RawStatus::of(word_of_status);
        let syscall_sp = word(at.syscall_sp)?;
        // As the runtime's unwinder: entersyscall's registers while there are any.
        let (pc, sp, lr) = if syscall_sp != 0 && status == RawStatus::Syscall {
            (word(at.syscall_pc)?, syscall_sp, 0)
        } else {
            (
                word(at.sched_pc)?,
                word(at.sched_sp)?,
                if self.links { word(at.sched_lr)? } else { 0 },
            )
        };
        Some(RawG {
            addr,
            goid: word(at.goid)?,
            status,
            is_scanned: word_of_status & SCAN != 0,
            wait_reason: *bytes.get(at.wait_reason as usize)?,
            wait_since_ns: word(at.wait_since)?,
            parent: word(at.parent_goid)?,
            gopc: word(at.gopc)?,
            startpc: word(at.startpc)?,
            pc,
            sp,
            lr,
            stack_lo: word(at.stack_lo)?,
            stack_hi: word(at.stack_hi)?,
            waiting: word(at.waiting)?,
            labels: word(at.labels)?,
            locked: word(at.locked_m)? != 0,
            stops: bytes.get(at.tracking_seq as usize).copied().filter(|_| self.counts),
        })
    }
}

impl RawG {
    /// Whether another reading shows the same goroutine, standing where it stood; it may have run in
    /// between.
    #[must_use]
    pub fn stands_as(&self, later: &Self) -> bool {
        self.goid == later.goid
            && self.status == later.status
            && self.sp == later.sp
            && self.pc == later.pc
            && self.wait_reason == later.wait_reason
            && self.waiting == later.waiting
            && self.stack_hi == later.stack_hi
    }
}

/// The list of all goroutines: addresses of `runtime.g`s, dead ones among them. It only grows, and
/// a longer one replaces it, so that an old one stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllGs {
    first: u64,
    len: u64,
}

impl AllGs {
    /// Reads `runtime.allglen` and `runtime.allgptr`, in the order that their writer's order asks for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(memory: &dyn Memory, allglen: u64, allgptr: u64) -> Result<Self, ReadError> {
        let len = memory.read_u64(allglen)?;
        let first = memory.read_u64(allgptr)?;
        Ok(Self { first, len })
    }

    /// How many entries there are; `None` when the number is beyond all sense.
    #[must_use]
    pub fn entries(&self) -> Option<usize> {
        (self.len <= MAX_GOROUTINES && self.first != 0).then_some(self.len as usize)
    }

    /// Reads the entries `from..from + count` into `addresses`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn addresses(
        &self,
        memory: &dyn Memory,
        from: usize,
        count: usize,
        addresses: &mut Vec<u64>,
    ) -> Result<(), ReadError> {
        let bytes = memory.read_vec(self.first.wrapping_add(from as u64 * 8), count * 8)?;
        addresses.clear();
        addresses.extend(bytes.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)));
        Ok(())
    }
}
