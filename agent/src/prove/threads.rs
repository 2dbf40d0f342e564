//! What threads that run goroutines hold in registers and on the stacks that they stand on.

use rustc_hash::FxHashMap;

use crate::golang::Program;
use crate::golang::goroutines::RawStatus;
use crate::golang::heap::{Heap, Marker};
use crate::golang::memory::{Memory, ReadError};

use super::goroutines::Goroutine;
use super::outcome::{NoProof, ProveError};
use super::still::Thread;
use super::words::{SAVED_ELSEWHERE, SAVED_REGISTERS, push_words};

/// Below its stack pointer a function may use so many bytes (the red zone of amd64).
const RED_ZONE: u64 = 128;
/// No stack is larger.
const MAX_STACK: u64 = 1 << 30;
/// `m.gsignal` stands right behind `m.procid`, and `m.g0` first (`runtime/runtime2.go`, Go 1.21 to 1.27).
const SIGNAL_BEHIND_ID: u32 = 8;

/// By which a goroutine that runs is interrupted.
const INTERRUPTS: &str = "runtime.asyncPreempt";
/// Of its stack so much is searched for that.
const INNERMOST: u64 = 8 << 10;

/// What is missing where a thread's stack is.
const STACK: NoProof = NoProof::Root { what: "the stack that a thread stands on" };

/// What was found of threads.
#[derive(Default)]
pub(super) struct Threads {
    /// Words that may be pointers.
    pub(super) words: Vec<u64>,
    /// From where on the stacks of goroutines that run are in use, by their numbers.
    pub(super) lowest: FxHashMap<usize, u64>,
    /// Why what they hold is not known.
    pub(super) missing: Option<NoProof>,
}

/// Searches the threads that run goroutines, or may be about to.
///
/// A thread that has no processor (`p`) and runs no goroutine cannot wake any: to make one ready takes a processor.
pub(super) fn search(
    program: &Program,
    memory: &dyn Memory,
    (heap, marker): (&Heap, &Marker<'_>),
    goroutines: &[Goroutine],
    threads: &[Thread],
) -> Result<Threads, ProveError> {
    let failed = |source| program.read_error("the scheduler's threads", source);
    let layout = &program.binary().layout.layout;
    let numbers: FxHashMap<u64, usize> =
        goroutines.iter().enumerate().map(|(number, it)| (it.address, number)).collect();
    let mut found = Threads::default();
    let mut machines: Vec<u64> = Vec::new();
    let processors = heap.processors(memory).map_err(failed)?;
    if processors.unread > 0 {
        found.missing = Some(NoProof::Root { what: "the list of processors" });
    }
    let processors = processors.found;
    machines.extend(processors.iter().map(|it| it.thread).filter(|thread| *thread != 0));
    let runs = |it: &&Goroutine| !it.status.stands_still() && it.thread != 0;
    machines.extend(goroutines.iter().filter(runs).map(|it| it.thread));
    machines.sort_unstable();
    machines.dedup();
    for machine in machines {
        let word =
            |offset: u32| memory.read_u64(machine.wrapping_add(offset.into())).map_err(failed);
        let id = word(layout.m.procid)?;
        let current = numbers.get(&word(layout.m.curg)?).copied();
        let Some(thread) = threads.iter().find(|it| u64::from(it.tid) == id) else {
            found.missing = Some(NoProof::Root { what: "a thread that runs goroutines" });
            continue;
        };
        if let Some(it) = current.map(|number| &goroutines[number])
            && it.status == RawStatus::Syscall
            && it.has_on_stack(thread.sp)
        {
            // It stands in the system call, or on its way back: its stack holds all that it needs.
            continue;
        }
        let own = found.words.len();
        found.words.extend(&thread.words);
        let mut stacks = Vec::new();
        for g in [word(0)?, word(layout.m.procid + SIGNAL_BEHIND_ID)?] {
            if g != 0 {
                let at = |offset: u32| memory.read_u64(g.wrapping_add(offset.into()));
                let ends = (
                    at(layout.g.stack_lo).map_err(failed)?,
                    at(layout.g.stack_hi).map_err(failed)?,
                );
                stacks.push(ends);
            }
        }
        // The innermost first: a signal's stack tells where the thread stood before.
        let mut order: Vec<(u64, u64)> = stacks.clone();
        order.sort_by_key(|(low, high)| !(*low..*high).contains(&thread.sp));
        let mut is_known = current.is_some_and(|number| goroutines[number].has_on_stack(thread.sp));
        for (low, high) in order {
            let is_on = (low..high).contains(&thread.sp);
            is_known |= is_on;
            let start = if is_on {
                Some(thread.sp.saturating_sub(RED_ZONE).max(low) & !7)
            } else {
                // What leads there was found on the signal's stack.
                let words = &found.words[own..];
                let least = words.iter().filter(|it| (low..high).contains(it)).min();
                least.map(|at| at & !7)
            };
            let Some(start) = start else { continue };
            if high - start > MAX_STACK || is_on && !is_there(memory, thread.sp).map_err(failed)? {
                found.missing = Some(STACK);
                continue;
            }
            // Behind what is in use nothing need be: a thread of C has told where its stack ends at a guess.
            push_words(memory, (start, high), &mut found.words).map_err(failed)?;
        }
        let Some(number) = current else {
            if !is_known {
                found.missing = Some(STACK);
            }
            continue;
        };
        let it = &goroutines[number];
        if it.status.stands_still() {
            continue;
        }
        if !is_known {
            found.missing = Some(STACK);
        }
        let words = found.words[own..].iter().copied();
        let places = words.chain([thread.sp.saturating_sub(RED_ZONE), it.registers.sp]);
        let lowest = places.filter(|place| it.has_on_stack(*place)).min();
        let lowest = lowest.unwrap_or(it.low) & !7;
        found.lowest.insert(number, lowest);
        let innermost = (lowest, it.high.min(lowest.saturating_add(INNERMOST)));
        let mut calls = vec![thread.ip];
        if !push_words(memory, innermost, &mut calls).map_err(failed)? {
            found.missing = Some(STACK);
        }
        // Before Go 1.26 they are saved on the goroutine's stack.
        let elsewhere = program.binary().version.minor >= SAVED_ELSEWHERE;
        let interrupts = |call: &u64| program.function_name(*call) == Some(INTERRUPTS);
        if elsewhere && calls.iter().any(interrupts) {
            // Its vector registers are on their way to or from its processor (since Go 1.26).
            let of_it = processors.iter().filter(|it| it.thread == machine);
            for it in of_it {
                let mut words = Vec::new();
                let place = marker.slot(it.address).and_then(|slot| marker.place(slot));
                let ends = place.map(|(start, size)| (start, start + size));
                let is_whole = ends.map(|ends| push_words(memory, ends, &mut words));
                if !is_whole.transpose().map_err(failed)?.unwrap_or(false) {
                    found.missing = Some(NoProof::Root { what: "the registers of processors" });
                }
                let elsewhere =
                    |word: &&u64| word.is_multiple_of(8) && marker.slot(**word).is_none();
                for place in words.iter().filter(elsewhere) {
                    let ends = (*place, place.saturating_add(SAVED_REGISTERS));
                    // Most of them lead elsewhere, if anywhere.
                    push_words(memory, ends, &mut found.words).map_err(failed)?;
                }
                found.words.append(&mut words);
            }
        }
    }
    Ok(found)
}

/// Whether a word can be read.
fn is_there(memory: &dyn Memory, address: u64) -> Result<bool, ReadError> {
    match memory.read_u64(address & !7) {
        Ok(_) => Ok(true),
        Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
        Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => Ok(false),
    }
}
