//! Goroutines that have not run since the look before: what was read of them then still holds.
//!
//! The runtime counts how often each goroutine stops running (`g.trackingSeq`, in
//! `runtime.casgstatus`). One that waits as it waited, and has stopped no more often since, is in
//! the very same wait: its stack is the same, and so is what it waits on. Most of a look's cost is
//! reading stacks, and most goroutines stand still.
//!
//! The count is of 8 bits. A goroutine that ran 256 times between two looks, or a multiple of that, and
//! waits again as deep in its stack, for the same reason, is taken for one that stayed; at the next look
//! the odds are the same again.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::stacks::StackKey;
use crate::golang::goroutines::{RawG, RawStatus};
use crate::model::ObjectRange;

/// What is known of the goroutines of the look before.
#[derive(Default)]
pub(super) struct Standing {
    /// By slot of the runtime's list.
    slots: Vec<Option<Stood>>,
    /// What they waited on.
    objects: Vec<u64>,
    look: u32,
}

/// A goroutine that waited at some look.
#[derive(Clone, Copy)]
struct Stood {
    /// A digest of who waited where and how often it had stopped running.
    wait: u64,
    look: u32,
    key: StackKey,
    objects: ObjectRange,
}

impl Standing {
    /// Before every look.
    pub(super) const fn begin(&mut self) {
        self.look = self.look.wrapping_add(1);
    }

    /// Forgets everything: the stacks that were known are numbered anew.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
    }

    /// The stack of a goroutine that has not run since the look before, and where what it waits on
    /// stands among that look's objects.
    pub(super) fn find(&self, slot: u32, g: &RawG) -> Option<(StackKey, ObjectRange)> {
        let stood = self.slots.get(slot as usize)?.as_ref()?;
        let is_last = stood.look == self.look.wrapping_sub(1);
        (is_last && Some(stood.wait) == wait(g)).then_some((stood.key, stood.objects))
    }

    /// What goroutines of the look before waited on.
    pub(super) fn objects(&self, range: ObjectRange) -> &[u64] {
        let start = range.start as usize;
        self.objects.get(start..start + range.len as usize).unwrap_or_default()
    }

    /// Notes a goroutine of this look, whose stack is known, with all that it waits on.
    pub(super) fn note(&mut self, slot: u32, g: &RawG, key: StackKey, objects: ObjectRange) {
        let Some(wait) = wait(g) else { return };
        let slot = slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, None);
        }
        self.slots[slot] = Some(Stood { wait, look: self.look, key, objects });
    }

    /// After every look, with all of its objects.
    pub(super) fn end(&mut self, objects: &[u64]) {
        self.objects.clear();
        self.objects.extend_from_slice(objects);
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
