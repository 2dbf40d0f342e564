//! All goroutines of a program that stands still.

use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::goroutines::{RawG, RawStatus};
use crate::golang::memory::{Memory, Span};
use crate::golang::unwind::Registers;

use super::outcome::ProveError;

/// How many goroutines are read at once.
const BATCH: usize = 1024;
/// What stands where in `runtime.g`, from fields of the layout: the same in Go 1.21 to 1.27
/// (`runtime/runtime2.go`).
mod near {
    /// `_panic`, before `m`.
    pub(super) const PANIC_BEFORE_M: u32 = 16;
    /// `_defer`, before `m`.
    pub(super) const DEFER_BEFORE_M: u32 = 8;
    /// `sched.ctxt`, behind `sched.pc`.
    pub(super) const CONTEXT_BEHIND_PC: u32 = 16;
    /// `param`, before `atomicstatus`.
    pub(super) const PARAM_BEFORE_STATUS: u32 = 8;
}

/// A goroutine as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goroutine {
    pub(super) address: u64,
    pub(super) goid: u64,
    pub(super) status: RawStatus,
    /// Whether the garbage collector may be moving its stack.
    pub(super) is_scanned: bool,
    pub(super) wait_reason: u8,
    /// The function that it started in.
    pub(super) start: u64,
    pub(super) registers: Registers,
    /// Where its stack begins...
    pub(super) low: u64,
    /// ... and ends.
    pub(super) high: u64,
    /// The first of its sudogs.
    pub(super) waiting: u64,
    /// What it is handed when it is woken; 0 while it waits.
    pub(super) param: u64,
    /// The `runtime.m` that runs it.
    pub(super) thread: u64,
    /// The closure that it goes on with.
    pub(super) context: u64,
    /// Its innermost panic.
    pub(super) panic: u64,
    /// Its innermost deferred call.
    pub(super) deferred: u64,
}

impl Goroutine {
    /// Whether its stack can be walked from its saved registers. While that is moved, variables on it are still
    /// pointed to where they were: no frame tells of them.
    pub(super) fn stands(&self) -> bool {
        self.status.stands_still()
            && !self.is_scanned
            && (self.low..self.high).contains(&self.registers.sp)
            && self.registers.sp.is_multiple_of(8)
    }

    /// Whether an address is on its stack.
    pub(super) fn has_on_stack(&self, address: u64) -> bool {
        (self.low..self.high).contains(&address)
    }
}

/// What was read of the list.
pub(super) struct Goroutines {
    /// All that are not dead.
    pub(super) all: Vec<Goroutine>,
    /// The addresses of the others.
    pub(super) dead: Vec<u64>,
    /// How many could not be read.
    pub(super) unread: u64,
}

/// Reads all goroutines.
pub(super) fn read(program: &Program, memory: &dyn Memory) -> Result<Goroutines, ProveError> {
    let failed = |source| program.read_error("the goroutines", source);
    let (list, count) = program.all_gs_in(memory)?;
    let (reader, layout) = (program.goroutine_reader(), &program.binary().layout.layout.g);
    let len = reader.bytes_needed();
    let mut found = Goroutines { all: Vec::new(), dead: Vec::new(), unread: 0 };
    let (mut gather, mut addresses) = (Gather::default(), Vec::new());
    for from in (0..count).step_by(BATCH) {
        list.addresses(memory, from, BATCH.min(count - from), &mut addresses).map_err(failed)?;
        let pieces: Vec<Span> = addresses.iter().map(|addr| Span { addr: *addr, len }).collect();
        gather.read(memory, &pieces).map_err(failed)?;
        for (piece, address) in addresses.iter().enumerate() {
            let bytes = gather.get(piece);
            let Some((bytes, g)) =
                bytes.and_then(|bytes| Some((bytes, reader.parse(*address, bytes)?)))
            else {
                found.unread += 1;
                continue;
            };
            if g.status == RawStatus::Dead {
                found.dead.push(*address);
                continue;
            }
            let word = |at: u32| {
                let word = bytes.get(at as usize..).and_then(<[u8]>::first_chunk);
                word.map_or(0, |word| u64::from_le_bytes(*word))
            };
            found.all.push(goroutine(&g, layout, word));
        }
    }
    Ok(found)
}

fn goroutine(g: &RawG, layout: &crate::golang::layout::G, word: impl Fn(u32) -> u64) -> Goroutine {
    Goroutine {
        address: g.addr,
        goid: g.goid,
        status: g.status,
        is_scanned: g.is_scanned,
        wait_reason: g.wait_reason,
        start: g.startpc,
        registers: Registers { pc: g.pc, sp: g.sp, lr: g.lr },
        low: g.stack_lo,
        high: g.stack_hi,
        waiting: g.waiting,
        param: word(layout.status - near::PARAM_BEFORE_STATUS),
        thread: word(layout.m),
        context: word(layout.sched_pc + near::CONTEXT_BEHIND_PC),
        panic: word(layout.m - near::PANIC_BEFORE_M),
        deferred: word(layout.m - near::DEFER_BEFORE_M),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::golang::arch::Arch;
    use crate::golang::goroutines::GReader;
    use crate::golang::layout::Layout;

    #[test]
    fn what_the_collector_holds_does_not_stand() {
        for version in ["go1.21.13", "go1.24.11", "go1.27.3"] {
            let layout = Layout::for_version(&version.parse().unwrap(), Arch::Amd64).unwrap();
            let layout = layout.layout.g;
            let with = |status: u64| {
                let mut bytes = vec![0; layout.size as usize];
                for (at, word) in [
                    (layout.status, status),
                    (layout.stack_lo, 0x1000),
                    (layout.stack_hi, 0x2000),
                    (layout.sched_sp, 0x1800),
                ] {
                    bytes[at as usize..at as usize + 8].copy_from_slice(&word.to_le_bytes());
                }
                let g = GReader::new(&layout, false, true).parse(0x5000, &bytes).unwrap();
                goroutine(&g, &layout, |_| 0)
            };
            let [waits, is_scanned, runs] = [with(4), with(0x1004), with(2)];
            assert!(waits.stands() && !is_scanned.stands() && !runs.stands(), "{version}");
            // It waits all the same.
            assert_eq!(is_scanned.status, RawStatus::Waiting);
        }
    }
}
