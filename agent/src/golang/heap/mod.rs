//! The heap of a Go program and its garbage collector, from outside: what they hold, did and cost.

mod arenas;
pub mod buckets;
mod caches;
mod classes;
mod counters;
mod figures;
mod form;
mod goal;
mod index;
mod large;
pub mod marker;
mod marks;
pub mod paths;
mod pointers;
mod processors;
mod queue;
mod queued;
mod reach;
pub mod roots;
pub mod shape;
mod spans;
pub mod stacks;
#[cfg(test)]
mod tests;
mod types;
mod walk;
mod weak;

use std::ops::Range;

use thiserror::Error;

pub use figures::{Class, Cpu, Figures};
pub use form::Form;
pub use large::LargeObject;
pub use marker::Marker;
pub use marks::Tally;
pub use processors::Processor;
pub use reach::Telling;
pub use spans::{Span, Spans};
pub use walk::{Came, ClassOutcome, Moved, Outcome, Owner, Walk};
pub use weak::Entry;

use super::globals::{Global, Located, NotLocated};
use super::layout;
use super::memory::{Memory, ReadError};
use super::types::Types;
use counters::{Counters, Oddity};
use queued::Queues;

/// How often figures are read until two readings fit each other.
const MAX_READS: u32 = 8;

/// Where a process keeps the heap: its figures, its spans.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    memstats: u64,
    controller: u64,
    work: u64,
    all_p: u64,
    mheap: u64,
    queues: Queues,
    layout: layout::Heap,
    form: Form,
}

/// Why the heap of a program cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoHeap {
    /// The layout has nothing of it.
    #[error(
        "the program's debug information does not describe the heap's structures in a form that leak-agent knows"
    )]
    Layout,
    /// A variable of the runtime was not found.
    #[error(transparent)]
    NotLocated(#[from] NotLocated),
}

/// Why the heap's figures could not be read this time.
#[derive(Debug, Error)]
pub enum HeapError {
    /// The memory could not be read.
    #[error("the heap's figures cannot be read")]
    Memory(#[from] ReadError),
    /// They changed under every reading, or never add up.
    #[error("the heap's figures do not fit together in {reads} readings: {oddity}")]
    Odd {
        /// How many.
        reads: u32,
        /// What was wrong with the last.
        oddity: Oddity,
    },
}

impl Heap {
    /// Where `find` says that the variables are.
    ///
    /// # Errors
    /// When it does not find one, or the layout is without the heap's structures.
    pub fn locate(
        layout: Option<layout::Heap>,
        form: Form,
        find: impl Fn(Global) -> Result<Located, NotLocated>,
        bias: u64,
    ) -> Result<Self, NoHeap> {
        let address = |global| find(global).map(|it| it.address.wrapping_add(bias));
        Ok(Self {
            memstats: address(Global::MemStats)?,
            controller: address(Global::GcController)?,
            work: address(Global::Work)?,
            all_p: address(Global::AllP)?,
            mheap: address(Global::MHeap)?,
            queues: Queues {
                finalizers: address(Global::AllFin).ok(),
                cleanups: address(Global::GcCleanups).ok(),
            },
            layout: layout.ok_or(NoHeap::Layout)?,
            form,
        })
    }

    /// The figures of one moment. The program runs on, so that they are read twice and must fit
    /// each other, and the runtime's two ways to count; a program that rests gives them exactly.
    ///
    /// # Errors
    /// When memory cannot be read, or what stands there is never plausible.
    pub fn figures(&self, memory: &dyn Memory) -> Result<Figures, HeapError> {
        let mut last = Oddity::Unreadable;
        for read in 0..MAX_READS {
            let before = self.counters(memory)?;
            let cached = caches::read(memory, self.all_p, &self.layout)?;
            let after = self.counters(memory)?;
            match before.and_then(|before| after?.follows(&before)) {
                Ok(counters) => return Ok(Figures::of(&counters, &cached, read)),
                Err(oddity) => last = oddity,
            }
        }
        Err(HeapError::Odd { reads: MAX_READS, oddity: last })
    }

    /// The spans that hold objects, as they are now.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn spans(&self, memory: &dyn Memory) -> Result<Spans, ReadError> {
        Spans::read(memory, self.mheap, &self.layout)
    }

    /// A walk of the objects of those spans. `types` are those of the program, `code` is where its text is.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn walk<'a>(
        &self,
        memory: &'a dyn Memory,
        spans: &'a Spans,
        (types, code): (Types, Vec<Range<u64>>),
    ) -> Result<Walk<'a>, ReadError> {
        Walk::begin(memory, (self.mheap, self.layout, self.form), spans, (types, code))
    }

    /// What marks the objects of those spans: nothing is marked yet.
    #[must_use]
    pub fn marker<'a>(&self, memory: &'a (dyn Memory + Sync), spans: &'a Spans) -> Marker<'a> {
        Marker::new(memory, (self.mheap, &self.layout, self.form), spans)
    }

    /// The processors of the scheduler, and how many there are beside that could not be read.
    ///
    /// # Errors
    /// When their list cannot be read.
    pub fn processors(&self, memory: &dyn Memory) -> Result<roots::Found<Processor>, ReadError> {
        processors::read(memory, self.all_p, &self.layout)
    }

    /// What the runtime keeps for objects of those spans: finalizers and the like.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn specials(
        &self,
        memory: &dyn Memory,
        spans: &Spans,
    ) -> Result<roots::Found<roots::Special>, ReadError> {
        roots::specials(memory, &self.layout.special, &self.form, spans)
    }

    /// Whether programs of this version may have weak pointers of their own.
    #[must_use]
    pub const fn has_weak_pointers(&self) -> bool {
        self.form.weak_kind.is_some()
    }

    /// Whether it is known where cleanups are queued; up to Go 1.24 they are where finalizers are.
    #[must_use]
    pub const fn has_cleanup_queue(&self) -> bool {
        self.queues.cleanups.is_some() || self.form.queued_cleanup_words.is_none()
    }

    /// The words that may point to what finalizers and cleanups need that are queued to run.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn queued(&self, memory: &dyn Memory) -> Result<roots::Found<u64>, ReadError> {
        queued::read(memory, &self.queues, &self.form)
    }

    fn counters(&self, memory: &dyn Memory) -> Result<Result<Counters, Oddity>, ReadError> {
        Counters::read(memory, (self.memstats, self.controller, self.work), &self.layout)
    }
}
