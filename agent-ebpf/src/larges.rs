//! Objects that have a span of their own, by the struct of the span.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::BPF_NOEXIST;
use leak_agent_common::Large;

use crate::atomic;
use crate::maps::{LARGE, LARGE_INDEX, Table};

/// The entry of a span's struct. Nobody else writes it meanwhile: the span has just been made.
#[derive(Clone, Copy)]
pub struct Entry(*mut Large);

impl Entry {
    /// The entry of a struct, if it has one.
    #[inline(always)]
    pub fn find(span: u64) -> Option<Self> {
        let place = LARGE_INDEX.get_ptr_mut(&span)?;
        // SAFETY: an element of a map.
        LARGE.get_ptr_mut(unsafe { read_volatile(place) }).map(Self)
    }

    /// The same, the next free one if it has none yet; `None` where there is no room.
    #[inline(always)]
    pub fn find_or_add(span: u64) -> Option<Self> {
        if let Some(entry) = Self::find(span) {
            return Some(entry);
        }
        let place = Table::Large.next()?;
        let entry = Self(LARGE.get_ptr_mut(place)?);
        if LARGE_INDEX.insert(&span, &place, u64::from(BPF_NOEXIST)).is_err() {
            return Self::find(span);
        }
        Some(entry)
    }

    /// Forgets the object before.
    #[inline(always)]
    pub fn forget(self) {
        // SAFETY: an element of a map.
        unsafe { write_volatile(&raw mut (*self.0).birth, 0) };
    }

    /// Notes an object and its birth.
    #[inline(always)]
    pub fn write(self, span: u64, start: u64, pages: u64, birth: u64) {
        self.forget();
        // SAFETY: an element of a map.
        unsafe {
            write_volatile(&raw mut (*self.0).span, span);
            write_volatile(&raw mut (*self.0).start, start);
            write_volatile(&raw mut (*self.0).pages, pages);
        }
        // Last, and with a barrier: whoever reads the birth finds the rest. It was 0.
        // SAFETY: the same.
        unsafe { atomic::fetch_add(&raw mut (*self.0).birth, birth) };
    }
}
