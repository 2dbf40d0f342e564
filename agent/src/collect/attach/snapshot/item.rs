//! An entry of the runtime's list of goroutines, and what was read of the goroutine there.

use super::stacks::StackKey;
use super::standing::Known;
use crate::golang::goroutines::{RawG, RawStatus};

/// A slot of the runtime's list and the goroutine in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) slot: u32,
    pub(super) addr: u64,
}

/// Whether there will be no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There will: leave what is torn for then.
    No,
    /// There will not: take it in as torn.
    Yes,
}

/// A goroutine of the batch.
pub(super) struct Current {
    pub(super) item: Item,
    /// As it was first read.
    pub(super) g: RawG,
    /// As it was read again when all else had been; `None` when it could not be.
    pub(super) later: Option<RawG>,
    /// Its place among the stacks that were read; `None` when it does not stand still.
    pub(super) stack: Option<usize>,
    /// The place of the outermost part of its stack's memory, when it runs and locks are searched for.
    pub(super) outermost: Option<usize>,
    /// What its stack is, once walked; `None` when it could not be.
    pub(super) key: Option<StackKey>,
    /// What the snapshot before knew of it, where it has not run since: its stack is not read again.
    pub(super) unmoved: Option<Known>,
}

impl Current {
    /// Whether it stands where it stood: whatever was read of it in between is its own.
    pub(super) fn stood(&self) -> bool {
        self.later.is_some_and(|later| self.g.stands_as(&later))
    }

    /// Whether it stood, and has not run in between either.
    pub(super) fn stayed(&self) -> bool {
        self.stood() && self.later.is_some_and(|later| self.g.stops == later.stops)
    }

    /// Whether it was running both times.
    pub(super) fn runs(&self) -> bool {
        let runs = |g: &RawG| g.status == RawStatus::Running && g.goid == self.g.goid;
        runs(&self.g) && self.later.as_ref().is_some_and(runs)
    }
}
