//! A walk of the graph of the heap's objects from outside: which of them roots reach.
//!
//! The program is not stopped. What it moves meanwhile may be missed, and what it drops may still be counted; how
//! much moved is counted too. Memory is kept in proportion to the number of objects (some bits each) and of spans.

mod came;
mod descriptors;
mod nearest;
mod records;
mod unmarked;
mod weak;

use std::ops::Range;

use super::form::Form;
use super::marks::Tally;
use super::paths::{NodeId, Paths};
use super::pointers::{Part, Pointers, Run};
use super::queue::{Key, Work};
use super::reach::{Local, Reach};
use super::shape::{self, Shape, Word};
use super::spans::{Span, Spans};
use crate::golang::gather::Gather;
use crate::golang::layout;
use crate::golang::memory::{Memory, ReadError, Span as Piece};
use crate::golang::types::{Label, Layout, Types};
pub use came::Came;
pub use descriptors::Owner;

/// So many bytes are read at once.
const BATCH_BYTES: u64 = 1 << 20;
/// Of so many spans.
const BATCH_SPANS: usize = 512;
/// Stacks are read in pieces of this size.
const STACK_CHUNK: u64 = 256 << 10;
/// Where objects are in so few spans, all of these are read: what they lead to is often beside them.
const FEW_SPANS: usize = 16;
/// So many pointers that were put off are followed together.
const PUT_OFF: usize = 4096;
/// No stack is larger (`runtime.maxstacksize` is 1 GB unless the program sets it); what goes beyond is not read.
const MAX_STACK: u64 = 1 << 30;

/// A walk that goes on.
pub struct Walk<'a> {
    memory: &'a dyn Memory,
    mheap: u64,
    layout: layout::Heap,
    spans: &'a Spans,
    reach: Reach<'a>,
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
    /// Objects that were reached and were not there when the walk began: they came later, or stacks still mention them.
    pub astray: u64,
    /// Objects of no type that can be, all of whose words were taken for pointers.
    pub untyped: u64,
    /// Objects that could not be read.
    pub unread: u64,
    /// Objects that were too many to remember how they are held: what they lead to counts for the holder alone.
    pub untraced: u64,
    /// Objects whose path is one of too many, or too long: they count for what holds them.
    pub merged: u64,
    /// Parts of objects with weak pointers that were followed at once, since too many waited.
    pub unexamined: u64,
    /// Whether a garbage collection began or ended meanwhile.
    pub collected: bool,
}

impl<'a> Walk<'a> {
    /// Begins one: nothing is reached yet. `types` are those of the program, `code` is where its text is.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn begin(
        memory: &'a dyn Memory,
        (mheap, layout, form): (u64, layout::Heap, Form),
        spans: &'a Spans,
        (types, code): (Types, Vec<Range<u64>>),
    ) -> Result<Self, ReadError> {
        let arenas = mheap.wrapping_add(layout.mheap.arenas.into());
        Ok(Self {
            memory,
            mheap,
            layout,
            spans,
            reach: Reach::new(memory, spans, (types, code), form.has_headers()),
            pointers: Pointers::new(memory, form, arenas)?,
            gather: Gather::default(),
            unread: 0,
        })
    }

    /// Begins to count for another holder: gives the root of its paths.
    pub fn hold(&mut self) -> NodeId {
        self.reach.root = self.reach.paths.root();
        self.reach.root
    }

    /// Marks what a pointer points to.
    pub fn reach(&mut self, address: u64) {
        self.reach_as(Label::EMPTY, Shape::Unknown, address);
    }

    /// Marks what a pointer in a field points to, of which is known what it is.
    pub fn reach_as(&mut self, via: Label, shape: Shape, address: u64) {
        let root = self.reach.root;
        self.reach.pointer((root, via), shape, address);
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
                Ok(()) => self.reach_from_words(&bytes)?,
                Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                // It was moved or freed.
                Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => self.unread += 1,
            }
            at += len;
        }
        Ok(())
    }

    /// Marks what any word may point to.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_words(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let key = (self.reach.root, Shape::Unknown);
        for (offset, word) in (0..).step_by(8).zip(bytes.as_chunks::<8>().0) {
            let value = u64::from_le_bytes(*word);
            let word = Word { offset, bytes, at: offset as usize };
            self.reach.word(key, None, word, value)?;
        }
        Ok(())
    }

    /// Follows pointers until there are no more, or `go_on`, which is asked every megabyte, says no. Gives what
    /// was reached since the last time, and whether that is all.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn follow(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<(Tally, bool), ReadError> {
        let mut is_whole = true;
        while !self.reach.queue.is_empty() || self.reach.marks.any_waits() {
            let work = self.reach.queue.next();
            if work.is_none() && self.follow_deferred() {
                continue;
            }
            if !go_on() {
                work.into_iter().for_each(|work| self.reach.queue.again(work));
                is_whole = false;
                break;
            }
            match work {
                Some(Work::Batch(key)) => self.batch(key)?,
                Some(Work::Rest { span, key, from }) => self.part(span, key, from)?,
                None => self.untraced()?,
            }
        }
        Ok((std::mem::take(&mut self.reach.marks.tally), is_whole))
    }

    /// Follows some pointers that were put off. Whether there were any.
    fn follow_deferred(&mut self) -> bool {
        for number in 0..PUT_OFF {
            let Some((node, via, address)) = self.reach.queue.deferred() else {
                return number > 0;
            };
            self.reach.deferred((node, via), address);
        }
        true
    }

    /// Searches objects that wait by a key.
    fn batch(&mut self, key: Key) -> Result<(), ReadError> {
        let objects = self.reach.queue.take(key);
        let mut runs: Vec<(u32, &Span, Vec<u32>)> = Vec::new();
        let (mut bytes, mut taken) = (0, 0);
        for slot in &objects {
            let Some((number, span)) = self.spans.of_object(*slot) else { continue };
            let object = slot - span.first;
            let count = runs.len();
            match runs.last_mut() {
                Some((last, _, objects)) if *last == number => objects.push(object),
                _ if bytes >= BATCH_BYTES || count >= BATCH_SPANS => break,
                _ => {
                    runs.push((number, span, vec![object]));
                    bytes += span.bytes.min(BATCH_BYTES);
                }
            }
            taken += 1;
        }
        self.reach.queue.put_back(key, &objects[taken..]);
        let is_few = runs.len() <= FEW_SPANS;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut small = Vec::with_capacity(runs.len());
        for (number, span, objects) in runs {
            if span.is_large() {
                self.reach.queue.rest(number, key, 0);
                continue;
            }
            let (Some(first), Some(last)) = (objects.first(), objects.last()) else { continue };
            let (first, last) = if is_few { (0, span.objects - 1) } else { (*first, *last) };
            let at = |object: u32| span.start + u64::from(object) * span.object_bytes;
            let ends = (at(first), at(last + 1));
            let run = self.pointers.pieces(self.memory, span, ends, &mut pieces)?;
            small.push((span, run, Local { key, span: number, run: (first, last), objects }));
        }
        self.gather.read(self.memory, &pieces)?;
        let layout = shape::layout(&mut self.reach.types, self.memory, key.1)?;
        for (span, run, mut local) in small {
            let mut next = std::mem::take(&mut local.objects);
            self.reach.local = Some(local);
            while let Some(object) = next.pop() {
                self.object((key, layout.as_deref()), span, &run, object)?;
                if let Some(local) = &mut self.reach.local {
                    next.append(&mut local.objects);
                }
            }
        }
        self.reach.local = None;
        Ok(())
    }

    /// Searches an object of a run.
    fn object(
        &mut self,
        (key, layout): (Key, Option<&Layout>),
        span: &Span,
        run: &Run,
        object: u32,
    ) -> Result<(), ReadError> {
        let Self { memory, pointers, reach, gather, .. } = self;
        if reach.marks.is_searched(span, object) {
            return Ok(());
        }
        reach.marks.searched(span, object);
        let read = (run, &*gather);
        let Some(bytes) = Pointers::bytes(span, read, object) else {
            self.unread += 1;
            return Ok(());
        };
        if reach.links_hidden(span, bytes) {
            return Ok(());
        }
        let learnt = match key.1 {
            Shape::Unknown | Shape::Function => {
                let first = bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
                let header = reach.header(span);
                let told = if header > 0 { first } else { 0 };
                reach.learn(key, span, (told, header), first)?
            }
            _ => key,
        };
        let learnt_layout;
        let layout = if learnt == key {
            layout
        } else {
            learnt_layout = shape::layout(&mut reach.types, *memory, learnt.1)?;
            learnt_layout.as_deref()
        };
        let mut outcome = Ok(());
        let is_read = pointers.of_object(*memory, span, read, object, |word, value| {
            if outcome.is_ok() {
                outcome = reach.word_of_object(learnt, layout, word, value);
            }
        })?;
        if reach.weak.is_any() {
            reach.gathered(learnt, layout, span.object_bytes);
        }
        self.unread += u64::from(!is_read);
        outcome
    }

    /// Searches a part of an object with a span of its own.
    fn part(&mut self, number: u32, key: Key, from: u64) -> Result<(), ReadError> {
        let Self { memory, pointers, reach, spans, .. } = self;
        let span = &spans.all()[number as usize];
        if from == 0 {
            if reach.marks.is_searched(span, 0) {
                return Ok(());
            }
            reach.marks.searched(span, 0);
        }
        let key = match key.1 {
            Shape::Unknown => reach.learn(key, span, (span.large_type, 0), 0)?,
            _ => key,
        };
        // Before what it leads to, so that this is followed first.
        if let Some(next) = Pointers::next_part(span, from) {
            reach.queue.rest(number, key, next);
        }
        let layout = shape::layout(&mut reach.types, *memory, key.1)?;
        let mut outcome = Ok(());
        let part = pointers.of_large(*memory, span, from, |word, value| {
            if outcome.is_ok() {
                outcome = reach.word_of_object(key, layout.as_deref(), word, value);
            }
        })?;
        if reach.weak.is_any() {
            reach.gathered(key, layout.as_deref(), span.object_bytes);
        }
        match part {
            Part::Read => {}
            Part::Last => reach.queue.end(number),
            Part::Unread => self.unread += 1,
        }
        outcome
    }

    /// Searches objects of which is no longer known how they are held.
    fn untraced(&mut self) -> Result<(), ReadError> {
        let key = (self.reach.root, Shape::Unknown);
        let mut bytes = 0;
        let mut batch = Vec::new();
        let mut pieces = Vec::new();
        while bytes < BATCH_BYTES && batch.len() < BATCH_SPANS {
            let Some((number, span)) = self.reach.marks.next() else { break };
            let Some((first, last)) = self.reach.marks.pending(span) else { continue };
            if span.is_large() {
                self.reach.queue.rest(number, key, 0);
                continue;
            }
            let at = |object: u32| span.start + u64::from(object) * span.object_bytes;
            let ends = (at(first), at(last + 1));
            let run = self.pointers.pieces(self.memory, span, ends, &mut pieces)?;
            batch.push((span, run, (first, last)));
            bytes += ends.1 - ends.0;
        }
        self.gather.read(self.memory, &pieces)?;
        for (span, run, (first, last)) in batch {
            let mut from = first;
            while let Some(object) = self.reach.marks.pending_in(span, from, last) {
                self.object((key, None), span, &run, object)?;
                from = object;
            }
        }
        Ok(())
    }

    /// Notes, from now on, by which path the object at an address is reached first.
    pub fn note(&mut self, address: u64) {
        self.reach.note(address);
    }

    /// By which it was; `None` where nothing has reached it.
    #[must_use]
    pub fn noted(&self, address: u64) -> Option<NodeId> {
        self.reach.noted(address)
    }

    /// By which paths objects are held, as far as was followed.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.reach.paths
    }

    /// The types that were met.
    #[must_use]
    pub const fn types(&self) -> &Types {
        &self.reach.types
    }

    /// The same, to find more of them.
    pub const fn types_mut(&mut self) -> &mut Types {
        &mut self.reach.types
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
            let (reached, unreached) = self.reach.marks.count(span);
            outcome.add(span, reached, unreached);
        }
        outcome.classes.sort_by_key(|class| class.object_bytes.unwrap_or(u64::MAX));
        let (changed_spans, generation) =
            self.spans.changed(self.memory, self.mheap, &self.layout)?;
        outcome.moved = Moved {
            torn_spans: self.spans.torn(),
            changed_spans,
            spans: self.spans.all().len() as u64,
            astray: self.reach.marks.astray,
            untyped: self.pointers.untyped,
            unread: self.unread,
            untraced: self.reach.untraced,
            merged: self.reach.paths.merged,
            unexamined: self.reach.weak.unexamined,
            collected: generation != self.spans.sweep_generation(),
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
