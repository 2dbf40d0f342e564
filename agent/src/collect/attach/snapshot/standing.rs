//! Goroutines that have not run since the snapshot before: what was read of them then still holds.
//!
//! The runtime counts how often each goroutine stops running (`g.trackingSeq`, in
//! `runtime.casgstatus`). One that waits as it waited, and has stopped no more often since, is in
//! the very same wait: its stack is the same, and so is what it waits on. Most of a snapshot's cost is
//! reading stacks, and most goroutines stand still.
//!
//! What it takes to be deceived: the count is of 8 bits, so that a goroutine that ran 256 times between
//! two snapshots, or a multiple of that, and waits again as deep in its stack, through the same sudog and for
//! the same reason, is taken for one that stayed, unless a garbage collection came in between and set
//! its `waitsince`. And it is counted a moment after the goroutine began to wait: a snapshot in that
//! moment of some nanoseconds takes it for the wait before. The next snapshot sees it right.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::mentions::LockSet;
use super::stacks::StackKey;
use crate::golang::goroutines::{RawG, RawStatus};
use crate::model::ObjectRange;

/// What is known of the goroutines of the snapshot before.
#[derive(Default)]
pub(super) struct Standing {
    /// By slot of the runtime's list.
    slots: Vec<Stood>,
    /// What they waited on.
    objects: Vec<u64>,
    /// The snapshot under way, from 1, and the last that came to its end; 0 for none.
    number: u64,
    ended: u64,
}

/// What is known of a goroutine that waits.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) key: StackKey,
    /// Where what it waits on stands among the snapshot's objects.
    pub(super) objects: ObjectRange,
    /// For which set of contended locks its stack was searched without finding any, if for one.
    pub(super) searched: Option<LockSet>,
}

/// One that waited at some snapshot. There are a million of them: 24 bytes.
#[derive(Clone, Copy, Default)]
struct Stood {
    /// A digest of who waited where and how often it had stopped running.
    wait: u64,
    /// A digest of `g.waitsince`; 0 for none.
    since: u32,
    key: StackKey,
    /// The first object, and how many.
    first: u32,
    objects: u8,
    searched: Option<LockSet>,
    /// The snapshot's number, as far as it fits. Whoever was not read for exactly 65,536 snapshots is mistaken
    /// for one of the snapshot before.
    number: u16,
}

impl Standing {
    /// Before every snapshot, with how many slots there are, and whether the stacks that were known are
    /// numbered anew, so that everything is forgotten.
    pub(super) fn begin(&mut self, slots: usize, anew: bool) {
        self.number += 1;
        if anew {
            self.ended = 0;
        }
        self.slots.reserve_exact(slots.saturating_sub(self.slots.len()));
        self.slots.resize(slots.max(self.slots.len()), Stood::default());
    }

    /// What the snapshot before knew of a goroutine, if it has not run since.
    pub(super) fn find(&self, slot: u32, g: &RawG) -> Option<Known> {
        let stood = self.slots.get(slot as usize)?;
        let is_last = self.ended != 0 && self.ended + 1 == self.number;
        let is_of_last = is_last && stood.number == self.ended as u16;
        // The runtime sets the time some while after the wait began, and takes it back when that ends.
        let is_same = stood.since == 0 || stood.since == since(g);
        let objects = ObjectRange { start: stood.first, len: u32::from(stood.objects) };
        (is_of_last && is_same && Some(stood.wait) == wait(g)).then_some(Known {
            key: stood.key,
            objects,
            searched: stood.searched,
        })
    }

    /// What a goroutine waited on at the snapshot before.
    pub(super) fn objects(&self, known: Known) -> &[u64] {
        let start = known.objects.start as usize;
        self.objects.get(start..start + known.objects.len as usize).unwrap_or_default()
    }

    /// Notes a goroutine of this snapshot of which all is known.
    pub(super) fn note(&mut self, slot: u32, g: &RawG, known: Known) {
        let (Some(wait), Ok(objects)) = (wait(g), u8::try_from(known.objects.len)) else { return };
        if let Some(stood) = self.slots.get_mut(slot as usize) {
            let Known { key, objects: ObjectRange { start: first, .. }, searched } = known;
            let number = self.number as u16;
            *stood = Stood { wait, since: since(g), key, first, objects, searched, number };
        }
    }

    /// After every snapshot that came to its end, with all of its objects.
    pub(super) fn end(&mut self, objects: &[u64]) {
        self.objects.clear();
        self.objects.extend_from_slice(objects);
        self.ended = self.number;
    }
}

/// A digest of the runtime's own time of a wait; 0 while there is none.
fn since(g: &RawG) -> u32 {
    let mut hasher = FxHasher::default();
    g.wait_since_ns.hash(&mut hasher);
    if g.wait_since_ns == 0 { 0 } else { hasher.finish() as u32 | 1 }
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
