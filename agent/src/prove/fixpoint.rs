//! Adds goroutines that turn out to be able to run, until there are no more.

use rustc_hash::FxHashMap;

use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::heap::Marker;
use crate::golang::heap::marker::Slot;
use crate::golang::memory::{Memory, Span};
use crate::golang::stackmap::StackMaps;

use super::goroutines::Goroutine;
use super::outcome::{Figures, ProveError};
use super::roots::Weak;
use super::waits::Candidate;
use super::words::{SAVED_ELSEWHERE, SAVED_REGISTERS, push_words};

/// How many stacks are read at once, and how many bytes of them.
const BATCH: usize = 512;
const BATCH_BYTES: u64 = 8 << 20;
/// No stack is larger (`runtime.maxstacksize` is 1 GB unless the program sets it).
const MAX_STACK: u64 = 4 << 30;
/// No list of deferred calls or panics is longer.
const MAX_DEFERRED: usize = 1 << 20;
/// The first words of a `g`: `stack.lo`, `stack.hi`, `stackguard0`, `stackguard1`. None of them refers to an object.
const STACK_WORDS: usize = 4;
/// Words of a record of a deferred call (`runtime._defer`, 48 to 80 bytes), from its function on.
const DEFERRED_WORDS: std::ops::Range<usize> = 3..7;

/// What is known by now of who can run.
pub(super) struct Fixpoint<'a> {
    pub(super) program: &'a Program,
    pub(super) memory: &'a dyn Memory,
    pub(super) marker: Marker<'a>,
    pub(super) goroutines: &'a [Goroutine],
    pub(super) candidates: &'a [Candidate],
    /// From where on the stacks of goroutines that run are in use.
    pub(super) lowest: FxHashMap<usize, u64>,
    maps: StackMaps<'a>,
    /// Which candidates wait on an object, by the object.
    waits: Vec<(Slot, u32)>,
    /// Whose structure an object is.
    owners: FxHashMap<Slot, u32>,
    /// By candidate.
    runs: Vec<bool>,
    /// Goroutines that can run, by number, whose stacks are not yet searched.
    ready: Vec<usize>,
    pub(super) figures: Figures,
    /// Stacks that were not understood.
    pub(super) whole_stacks: u64,
    /// Stacks that could not be read.
    pub(super) unread: u64,
}

impl<'a> Fixpoint<'a> {
    /// Nothing but those that wait on nothing known can run yet.
    pub(super) fn new(
        program: &'a Program,
        memory: &'a dyn Memory,
        mut marker: Marker<'a>,
        (goroutines, candidates): (&'a [Goroutine], &'a [Candidate]),
    ) -> Self {
        let mut waits = Vec::with_capacity(candidates.len());
        let mut owners = FxHashMap::default();
        let mut is_candidate = vec![false; goroutines.len()];
        let mut runs = vec![false; candidates.len()];
        for (number, candidate) in candidates.iter().enumerate() {
            is_candidate[candidate.goroutine] = true;
            let own = marker.slot(goroutines[candidate.goroutine].address);
            for slot in own.iter().chain(&candidate.sudogs) {
                owners.insert(*slot, number as u32);
                marker.hide(*slot);
            }
            for object in &candidate.objects {
                match marker.slot(*object) {
                    Some(slot) => {
                        marker.watch(slot);
                        waits.push((slot, number as u32));
                    }
                    // A variable, which anybody can reach.
                    None => runs[number] = true,
                }
            }
            runs[number] |= !candidate.is_known;
        }
        waits.sort_unstable();
        let others = (0..goroutines.len()).filter(|number| !is_candidate[*number]);
        let run = candidates.iter().zip(&runs).filter(|(_, runs)| **runs);
        let ready = others.chain(run.map(|(candidate, _)| candidate.goroutine)).collect();
        for (candidate, _) in candidates.iter().zip(&runs).filter(|(_, runs)| **runs) {
            marker.mark_all(&candidate.elements);
        }
        let figures = Figures {
            goroutines: goroutines.len() as u64,
            candidates: candidates.len() as u64,
            ..Figures::default()
        };
        Self {
            program,
            memory,
            marker,
            goroutines,
            candidates,
            lowest: FxHashMap::default(),
            maps: program.stack_maps(memory),
            waits,
            owners,
            runs,
            ready,
            figures,
            whole_stacks: 0,
            unread: 0,
        }
    }

    /// Takes in words that may be pointers, of whatever runs.
    pub(super) fn take_words(&mut self, words: &[u64]) {
        let mut plain = Vec::new();
        for word in words {
            match self.marker.slot(*word) {
                Some(slot) if self.marker.is_hidden(slot) => self.touch(slot),
                Some(_) => plain.push(*word),
                None => {}
            }
        }
        self.marker.mark_all(&plain);
    }

    /// Somebody who can run has a pointer to the structure of a goroutine, or to what links it to what it waits on: it
    /// is about to be woken.
    fn touch(&mut self, slot: Slot) {
        if let Some(number) = self.owners.get(&slot) {
            self.wake(*number as usize);
        }
    }

    fn wake(&mut self, number: usize) {
        if !std::mem::replace(&mut self.runs[number], true) {
            let candidate = &self.candidates[number];
            self.ready.push(candidate.goroutine);
            self.marker.mark_all(&candidate.elements);
        }
    }

    /// Marks until nothing changes; `weak` are handles of weak pointers. By candidate, whether it can run.
    pub(super) fn run(&mut self, weak: &[Weak], threads: usize) -> Result<&[bool], ProveError> {
        let mut weak: Vec<Weak> = weak.to_vec();
        loop {
            self.figures.rounds += 1;
            self.follow(threads)?;
            for slot in self.marker.take_met() {
                let mut at = self.waits.partition_point(|(object, _)| *object < slot);
                while let Some((object, number)) = self.waits.get(at).copied()
                    && object == slot
                {
                    self.wake(number as usize);
                    at += 1;
                }
            }
            let mut any = !self.ready.is_empty();
            weak.retain(|it| {
                let is_reached = self.marker.is_reached(it.handle);
                if is_reached {
                    self.marker.mark(it.object);
                    any = true;
                }
                !is_reached
            });
            if !any {
                return Ok(&self.runs);
            }
        }
    }

    /// Marks what candidates hold that were not found to be able to run; nothing is decided by it any more.
    pub(super) fn hold(&mut self, numbers: &[u32], threads: usize) -> Result<(), ProveError> {
        self.owners.clear();
        for number in numbers {
            let candidate = &self.candidates[*number as usize];
            self.marker.mark_all(&candidate.elements);
            self.marker.mark_all(&candidate.objects);
            self.ready.push(candidate.goroutine);
        }
        self.follow(threads)
    }

    /// Marks all that follows from what is ready and marked.
    fn follow(&mut self, threads: usize) -> Result<(), ProveError> {
        self.search()?;
        let run = self.marker.run(threads);
        Ok(run.map_err(|source| self.program.read_error("the heap", source))?)
    }

    /// Searches the stacks of those that can run.
    fn search(&mut self) -> Result<(), ProveError> {
        let mut gather = Gather::default();
        while !self.ready.is_empty() {
            let mut batch = Vec::new();
            let mut pieces = Vec::new();
            let mut bytes = 0;
            let g = self.program.binary().layout.layout.g.size;
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Some(number) = self.ready.pop() else { break };
                let it = &self.goroutines[number];
                let start = match self.lowest.get(&number) {
                    Some(lowest) => *lowest,
                    None if it.stands() => it.registers.sp,
                    None => it.low,
                };
                let len = it.high.saturating_sub(start);
                if len == 0 || len > MAX_STACK || start == 0 {
                    self.unread += 1;
                    continue;
                }
                batch.push((number, start));
                pieces.push(Span { addr: it.address, len: g });
                pieces.push(Span { addr: start, len: len as u32 });
                bytes += len;
            }
            gather
                .read(self.memory, &pieces)
                .map_err(|source| self.program.read_error("stacks", source))?;
            let mut words = Vec::new();
            for (at, (number, start)) in batch.into_iter().enumerate() {
                let (Some(g), Some(stack)) = (gather.get(2 * at), gather.get(2 * at + 1)) else {
                    self.unread += 1;
                    continue;
                };
                self.stack(number, (start, stack), g, &mut words)?;
            }
            self.take_words(&words);
        }
        Ok(())
    }

    /// Finds the pointers of a goroutine.
    fn stack(
        &mut self,
        number: usize,
        (start, stack): (u64, &[u8]),
        g: &[u8],
        words: &mut Vec<u64>,
    ) -> Result<(), ProveError> {
        let goroutine = &self.goroutines[number];
        self.figures.read_bytes += stack.len() as u64;
        // Its structure, but not other goroutines that this links it to.
        let all = g.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let marker = &self.marker;
        let plain = |word: &u64| marker.slot(*word).is_some_and(|slot| !marker.is_hidden(slot));
        // It begins with where its stack is, whose end may be where an object begins.
        words.extend(all.skip(STACK_WORDS).filter(plain));
        let saves = self.program.binary().version.minor >= SAVED_ELSEWHERE;
        if self.lowest.contains_key(&number) || !goroutine.stands() {
            self.figures.whole_frames += 1;
            words.extend(stack.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)));
            // Whether it was interrupted is not known.
            if saves && goroutine.status.stands_still() {
                self.saved_registers(goroutine, g, words)?;
            }
            return Ok(());
        }
        let mut others = vec![goroutine.context, goroutine.panic];
        if !self.deferred(goroutine, (start, stack), &mut others) {
            self.unread += 1;
        }
        let scanned = self
            .maps
            .scan(goroutine.registers, stack, &others, &mut |word| words.push(word))
            .map_err(|source| self.program.read_error("stack maps", source))?;
        self.figures.precise_frames += scanned.precise;
        self.figures.whole_frames += scanned.whole;
        self.whole_stacks += u64::from(scanned.is_whole);
        if scanned.is_interrupted && saves {
            self.saved_registers(goroutine, g, words)?;
        }
        Ok(())
    }

    /// The vector registers of a goroutine that was interrupted: since Go 1.26 its structure leads to where they are, outside
    /// of the heap (`runtime/preempt_xreg.go`).
    fn saved_registers(
        &self,
        goroutine: &Goroutine,
        g: &[u8],
        words: &mut Vec<u64>,
    ) -> Result<(), ProveError> {
        let all = g.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let elsewhere = |word: &u64| {
            word.is_multiple_of(8)
                && self.marker.slot(*word).is_none()
                && !goroutine.has_on_stack(*word)
        };
        for place in all.filter(elsewhere) {
            let ends = (place, place.saturating_add(SAVED_REGISTERS));
            push_words(self.memory, ends, words)
                .map_err(|source| self.program.read_error("saved registers", source))?;
        }
        Ok(())
    }

    /// What the records of deferred calls point to: those on the stack and those in the heap are linked to each other.
    /// Whether all could be read.
    fn deferred(
        &self,
        goroutine: &Goroutine,
        (start, stack): (u64, &[u8]),
        to: &mut Vec<u64>,
    ) -> bool {
        let links = if self.program.binary().version.minor < 22 { 5 } else { 4 };
        let mut at = goroutine.deferred;
        for _ in 0..MAX_DEFERRED {
            if at == 0 {
                return true;
            }
            to.push(at);
            let mut record = [0; DEFERRED_WORDS.end * 8];
            let offset = at.wrapping_sub(start) as usize;
            match stack.get(offset..offset.saturating_add(record.len())) {
                Some(bytes) => record.copy_from_slice(bytes),
                None if self.memory.read(at, &mut record).is_ok() => {}
                None => return false,
            }
            let words = record.as_chunks::<8>().0;
            let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
            to.extend(DEFERRED_WORDS.map(word));
            at = word(links);
        }
        false
    }
}
