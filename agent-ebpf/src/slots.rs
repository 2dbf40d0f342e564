//! The goroutine table: one slot a `runtime.g`, written in place.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::BPF_NOEXIST;
use leak_agent_common::{Slot, State};

use crate::atomic;
use crate::maps::{SLOT_INDEX, SLOTS, Table, count};
use crate::user::Origin;

/// A goroutine's slot. No two programs write one at a time: what happens to a goroutine happens
/// one after the other.
#[derive(Clone, Copy)]
pub struct Entry(*mut Slot);

/// Reads or writes one field of a slot.
macro_rules! field {
    ($entry:expr, $field:ident) => {
        // SAFETY: an entry is an element of a map.
        unsafe { read_volatile(&raw const (*$entry.0).$field) }
    };
    ($entry:expr, $field:ident = $value:expr) => {
        // SAFETY: the same.
        unsafe { write_volatile(&raw mut (*$entry.0).$field, $value) }
    };
}

impl Entry {
    /// The slot of a `runtime.g`, if it has one.
    #[inline(always)]
    pub fn find(g: u64) -> Option<Self> {
        let index = SLOT_INDEX.get_ptr_mut(&g)?;
        // SAFETY: an element of a map.
        SLOTS.get_ptr_mut(unsafe { read_volatile(index) }).map(Self)
    }

    /// The slot of a `runtime.g`, the next free one if it has none yet. A full table is counted.
    #[inline(always)]
    pub fn find_or_add(g: u64) -> Option<Self> {
        if let Some(entry) = Self::find(g) {
            return Some(entry);
        }
        let added = Self::add(g);
        if added.is_none() {
            count!(slots_full, "no room for the g at {:x}", g);
        }
        added
    }

    #[inline(always)]
    fn add(g: u64) -> Option<Self> {
        let index = Table::Slots.next()?;
        let entry = Self(SLOTS.get_ptr_mut(index)?);
        SLOT_INDEX.insert(&g, &index, u64::from(BPF_NOEXIST)).ok()?;
        Some(entry)
    }

    /// The goroutine's id; 0 if it is not known yet.
    #[inline(always)]
    pub fn goid(self) -> u64 {
        field!(self, goid)
    }

    /// A [`State`], as a number.
    #[inline(always)]
    pub fn state(self) -> u32 {
        field!(self, state)
    }

    /// Where the goroutine was created.
    #[inline(always)]
    pub fn gopc(self) -> u64 {
        field!(self, gopc)
    }

    /// When; 0 if that was not seen.
    #[inline(always)]
    pub fn created_ns(self) -> u64 {
        field!(self, created_ns)
    }

    /// Changes the slot such that a reader knows whether it saw all of the change.
    #[inline(always)]
    pub fn write(self, change: impl FnOnce(Self)) {
        // SAFETY: an element of a map. The additions keep the writes between them.
        unsafe { atomic::fetch_add(&raw mut (*self.0).tail, 1) };
        change(self);
        // SAFETY: the same.
        unsafe { atomic::fetch_add(&raw mut (*self.0).head, 1) };
    }

    /// Gives the slot to another goroutine. To be called in [`Entry::write`].
    #[inline(always)]
    pub fn set_owner(self, g: u64, goid: u64, origin: &Origin, created_ns: u64) {
        field!(self, g = g);
        field!(self, goid = goid);
        field!(self, parent = origin.parent);
        field!(self, gopc = origin.gopc);
        field!(self, startpc = origin.startpc);
        field!(self, created_ns = created_ns);
        field!(self, exited_ns = 0);
        field!(self, parked_ns = 0);
        field!(self, lock = 0);
        field!(self, parks = 0);
        field!(self, reason = 0);
        field!(self, state = State::Created as u32);
    }

    /// Notes the id of a goroutine that had none when it was created. In [`Entry::write`].
    #[inline(always)]
    pub fn set_goid(self, goid: u64) {
        field!(self, goid = goid);
    }

    /// Notes a park. In [`Entry::write`].
    #[inline(always)]
    pub fn set_parked(self, at_ns: u64, lock: u64, reason: u32) {
        let parks: u64 = field!(self, parks);
        field!(self, parked_ns = at_ns);
        field!(self, lock = lock);
        field!(self, reason = reason);
        field!(self, parks = parks + 1);
        field!(self, state = State::Parked as u32);
    }

    /// Notes the end. In [`Entry::write`].
    #[inline(always)]
    pub fn set_dead(self, at_ns: u64) {
        field!(self, exited_ns = at_ns);
        field!(self, state = State::Dead as u32);
    }
}
