//! Goroutines that have not run since the look before: what was read of them then still holds.
//!
//! The runtime counts how often each goroutine stops running (`g.trackingSeq`, in
//! `runtime.casgstatus`). One that waits as it waited, and has stopped no more often since, is in
//! the very same wait: its stack is the same, and so is what it waits on. Most of a look's cost is
//! reading stacks, and most goroutines stand still.
//!
//! What it takes to be deceived: the count is of 8 bits, so that a goroutine that ran 256 times between
//! two looks, or a multiple of that, and waits again as deep in its stack, through the same sudog and for
//! the same reason, is taken for one that stayed, unless a garbage collection came in between and set
//! its `waitsince`. And it is counted a moment after the goroutine began to wait: a look in between,
//! which is some nanoseconds long, takes it for the wait before. The next look sees it right.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::stacks::StackKey;
use crate::golang::goroutines::{RawG, RawStatus};
use crate::model::ObjectRange;

/// What is known of the goroutines of the look before.
#[derive(Default)]
pub(super) struct Standing {
    /// By slot of the runtime's list.
    slots: Vec<Stood>,
    /// What they waited on.
    objects: Vec<u64>,
    /// The look under way, and the last that came to its end; from 1.
    look: u32,
    ended: u32,
}

/// What is known of a goroutine that waits.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) key: StackKey,
    /// Where what it waits on stands among the look's objects.
    pub(super) objects: ObjectRange,
    /// For which set of contended locks its stack was searched without finding any; 0 for none.
    pub(super) searched: u32,
}

/// One that waited at some look; at look 0 nobody did.
#[derive(Clone, Copy, Default)]
struct Stood {
    /// A digest of who waited where and how often it had stopped running.
    wait: u64,
    wait_since_ns: u64,
    look: u32,
    known: Known,
}

impl Standing {
    /// Before every look.
    pub(super) const fn begin(&mut self) {
        self.look += 1;
    }

    /// Forgets everything: the stacks that were known are numbered anew.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
    }

    /// What the look before knew of a goroutine, if it has not run since.
    pub(super) fn find(&self, slot: u32, g: &RawG) -> Option<Known> {
        let stood = self.slots.get(slot as usize).filter(|stood| stood.look != 0)?;
        // The runtime sets the time some while after the wait began, and takes it back when that ends.
        let is_same = stood.wait_since_ns == 0 || stood.wait_since_ns == g.wait_since_ns;
        let is_last = stood.look == self.ended && self.ended + 1 == self.look;
        (is_last && is_same && Some(stood.wait) == wait(g)).then_some(stood.known)
    }

    /// What a goroutine waited on at the look before.
    pub(super) fn objects(&self, known: Known) -> &[u64] {
        let start = known.objects.start as usize;
        self.objects.get(start..start + known.objects.len as usize).unwrap_or_default()
    }

    /// Notes a goroutine of this look of which all is known.
    pub(super) fn note(&mut self, slot: u32, g: &RawG, known: Known) {
        let Some(wait) = wait(g) else { return };
        let slot = slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, Stood::default());
        }
        self.slots[slot] = Stood { wait, wait_since_ns: g.wait_since_ns, look: self.look, known };
    }

    /// After every look that came to its end, with all of its objects.
    pub(super) fn end(&mut self, objects: &[u64]) {
        self.objects.clear();
        self.objects.extend_from_slice(objects);
        self.ended = self.look;
    }
}

/// A digest of a wait; `None` for what is none, or is not counted.
fn wait(g: &RawG) -> Option<u64> {
    let stops = g.stops?;
    if !matches!(g.status, RawStatus::Waiting | RawStatus::Leaked) {
        return None;
    }
    let mut hasher = FxHasher::default();
    (g.goid, g.sp, g.pc, g.stack_hi, g.waiting, g.wait_reason, stops).hash(&mut hasher);
    Some(hasher.finish())
}
