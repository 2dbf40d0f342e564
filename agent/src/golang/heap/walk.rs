//! A walk of the graph of the heap's objects from outside: which of them roots reach.
//!
//! The program is not stopped. What it moves meanwhile may be missed, and what it drops may still be counted; how
//! much moved is counted too. Memory is kept in proportion to the number of objects (three bits each) and of spans.

use super::form::Form;
use super::marks::{Marks, Tally};
use super::pointers::{Pointers, Run};
use super::spans::{Span, Spans};
use crate::golang::gather::Gather;
use crate::golang::layout;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// So many bytes are read at once.
const BATCH_BYTES: u64 = 1 << 20;
/// Of so many spans.
const BATCH_SPANS: usize = 512;
/// Stacks are read in pieces of this size.
const STACK_CHUNK: u64 = 256 << 10;
/// No stack is larger (`runtime.maxstacksize` is 1 GB unless the program sets it); what goes beyond is not read.
const MAX_STACK: u64 = 1 << 30;

/// A walk that goes on.
pub struct Walk<'a> {
    memory: &'a dyn Memory,
    mheap: u64,
    layout: layout::Heap,
    spans: &'a Spans,
    marks: Marks<'a>,
    pointers: Pointers,
    gather: Gather,
    unread: u64,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By size class, smallest first; large objects, without a size, last.
    pub classes: Vec<ClassOutcome>,
    /// All that was reached.
    pub reached: Tally,
    /// What is allocated and was not reached: it is garbage, or the walk missed who holds it.
    pub unreached: Tally,
    /// How exact this is.
    pub moved: Moved,
}

/// Objects of one size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassOutcome {
    /// The size of one; `None` for objects with a span of their own.
    pub object_bytes: Option<u64>,
    /// What was reached.
    pub reached: Tally,
    /// What was not.
    pub unreached: Tally,
}

/// What the program did meanwhile, and what could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Spans whose structure made no sense.
    pub torn_spans: u64,
    /// Spans that were freed or used otherwise by the end.
    pub changed_spans: u64,
    /// All spans with objects.
    pub spans: u64,
    /// Pointers to objects that came after the walk began.
    pub astray: u64,
    /// Objects of no type that can be, all of whose words were taken for pointers.
    pub untyped: u64,
    /// Objects that could not be read.
    pub unread: u64,
    /// Whether a garbage collection began or ended meanwhile.
    pub collected: bool,
}

impl<'a> Walk<'a> {
    /// Begins one: nothing is reached yet.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn begin(
        memory: &'a dyn Memory,
        (mheap, layout, form): (u64, layout::Heap, Form),
        spans: &'a Spans,
    ) -> Result<Self, ReadError> {
        let arenas = mheap.wrapping_add(layout.mheap.arenas.into());
        Ok(Self {
            memory,
            mheap,
            layout,
            spans,
            marks: Marks::new(spans),
            pointers: Pointers::new(memory, form, arenas)?,
            gather: Gather::default(),
            unread: 0,
        })
    }

    /// Marks what a pointer points to.
    pub fn reach(&mut self, address: u64) {
        self.marks.reach(address);
    }

    /// Marks what any word of a stack may point to, from `start` to `end`.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_stack(&mut self, start: u64, end: u64) -> Result<(), ReadError> {
        let end = end.min(start.saturating_add(MAX_STACK));
        let mut at = start;
        let mut bytes = Vec::new();
        while at < end {
            let len = STACK_CHUNK.min(end - at);
            bytes.resize(len as usize, 0);
            match self.memory.read(at, &mut bytes) {
                Ok(()) => self.reach_from_words(&bytes),
                Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                // It was moved or freed.
                Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => self.unread += 1,
            }
            at += len;
        }
        Ok(())
    }

    /// Marks what any word may point to.
    pub fn reach_from_words(&mut self, bytes: &[u8]) {
        for word in bytes.as_chunks::<8>().0 {
            self.marks.reach(u64::from_le_bytes(*word));
        }
    }

    /// Marks what an object points to, and not the object.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_object(&mut self, address: u64) -> Result<(), ReadError> {
        let Some((_, span)) = self.spans.find(address) else { return Ok(()) };
        let Some(object) = span.object_at(address) else { return Ok(()) };
        if span.is_without_pointers() {
            return Ok(());
        }
        let mut found = Vec::new();
        if span.is_large() {
            self.pointers.of_large(self.memory, span, |it| found.push(it))?;
        } else {
            let start = span.start + u64::from(object) * span.object_bytes;
            let ends = (start, start + span.object_bytes);
            let mut pieces = Vec::new();
            let run = self.pointers.pieces(self.memory, span, ends, &mut pieces)?;
            self.gather.read(self.memory, &pieces)?;
            let read = (&run, &self.gather);
            self.pointers.of_object(self.memory, span, read, object, |it| found.push(it))?;
        }
        found.into_iter().for_each(|address| self.marks.reach(address));
        Ok(())
    }

    /// Follows pointers until there are no more, or `go_on`, which is asked every megabyte, says no. Gives what
    /// was reached since the last time, and whether that is all.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn follow(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<(Tally, bool), ReadError> {
        let mut batch: Vec<(u32, &Span, Run)> = Vec::new();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut is_whole = true;
        while self.marks.any_waits() {
            if !go_on() {
                is_whole = false;
                break;
            }
            self.take(&mut batch, &mut pieces)?;
            self.gather.read(self.memory, &pieces)?;
            for (number, span, run) in batch.drain(..) {
                self.search(number, span, &run)?;
            }
            pieces.clear();
        }
        Ok((std::mem::take(&mut self.marks.tally), is_whole))
    }

    /// Takes from the queue what is read next; objects with a span of their own are searched at once.
    fn take(
        &mut self,
        batch: &mut Vec<(u32, &'a Span, Run)>,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), ReadError> {
        let mut bytes = 0;
        while bytes < BATCH_BYTES && batch.len() < BATCH_SPANS {
            let Some((number, span)) = self.marks.next() else { break };
            let Some((first, last)) = self.marks.pending(span) else { continue };
            if span.is_large() {
                self.marks.searched(span, first);
                let (marks, pointers) = (&mut self.marks, &mut self.pointers);
                let is_read = pointers.of_large(self.memory, span, |it| marks.reach(it))?;
                self.unread += u64::from(!is_read);
                bytes += span.bytes;
                continue;
            }
            let at = |object: u32| span.start + u64::from(object) * span.object_bytes;
            let ends = (at(first), at(last + 1));
            batch.push((number, span, self.pointers.pieces(self.memory, span, ends, pieces)?));
            bytes += ends.1 - ends.0;
        }
        Ok(())
    }

    /// Searches the objects of a run, those too that it reaches within itself.
    fn search(&mut self, number: u32, span: &Span, run: &Run) -> Result<(), ReadError> {
        let object = |address: u64| ((address - span.start) / span.object_bytes) as u32;
        let (first, last) = (object(run.start), object(run.end) - 1);
        let mut from = first;
        loop {
            let Some(object) = self.marks.pending_in(span, from, last) else {
                // What is reached behind the place where the search is comes at the next round.
                if from == first || self.marks.pending_in(span, first, last).is_none() {
                    break;
                }
                from = first;
                continue;
            };
            self.marks.searched(span, object);
            let (marks, read) = (&mut self.marks, (run, &self.gather));
            let found = |address| marks.reach(address);
            if !self.pointers.of_object(self.memory, span, read, object, found)? {
                self.unread += 1;
            }
            from = object + 1;
            if from > last {
                from = first;
            }
        }
        if self.marks.pending(span).is_some() {
            self.marks.wait(number);
        }
        Ok(())
    }

    /// How many bytes of objects were read.
    #[must_use]
    pub const fn read_bytes(&self) -> u64 {
        self.pointers.read_bytes
    }

    /// Ends it: what was reached in all, and what moved meanwhile.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn end(self) -> Result<Outcome, ReadError> {
        let mut outcome = Outcome::default();
        for span in self.spans.all() {
            let (reached, allocated) = self.marks.count(span);
            outcome.add(span, reached, allocated.saturating_sub(reached));
        }
        outcome.classes.sort_by_key(|class| class.object_bytes.unwrap_or(u64::MAX));
        let now = Spans::read(self.memory, self.mheap, &self.layout)?;
        outcome.moved = Moved {
            torn_spans: self.spans.torn(),
            changed_spans: self.spans.changed(&now),
            spans: self.spans.all().len() as u64,
            astray: self.marks.astray,
            untyped: self.pointers.untyped,
            unread: self.unread,
            collected: now.sweep_generation() != self.spans.sweep_generation(),
        };
        Ok(outcome)
    }
}

impl Outcome {
    fn add(&mut self, span: &Span, reached: u64, unreached: u64) {
        let object_bytes = (!span.is_large()).then_some(span.object_bytes);
        let known = self.classes.iter().position(|class| class.object_bytes == object_bytes);
        let at = known.unwrap_or_else(|| {
            let (reached, unreached) = (Tally::default(), Tally::default());
            self.classes.push(ClassOutcome { object_bytes, reached, unreached });
            self.classes.len() - 1
        });
        let class = &mut self.classes[at];
        class.reached.add(reached, span.object_bytes);
        class.unreached.add(unreached, span.object_bytes);
        self.reached.add(reached, span.object_bytes);
        self.unreached.add(unreached, span.object_bytes);
    }
}

#[cfg(test)]
mod tests;
