//! Counts by creation site, and the creator's stack once a site.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::BPF_NOEXIST;
use leak_agent_common::Site;
use leak_agent_common::limits::LIFETIME_BUCKETS;

use crate::maps::{SITE_INDEX, SITES, Table, count};
use crate::say::say;
use crate::{atomic, user};

/// A creation site's entry. Any number of programs may count on it at a time.
#[derive(Clone, Copy)]
pub struct Entry(*mut Site);

impl Entry {
    /// The entry of a site, the next free one if it has none yet. A full table is counted.
    #[inline(always)]
    pub fn find_or_add(gopc: u64, startpc: u64) -> Option<Self> {
        if let Some(entry) = Self::find(gopc) {
            return Some(entry);
        }
        let added = Self::add(gopc, startpc);
        if added.is_none() {
            count!(sites_full, "no room for the creation site {:x}", gopc);
        }
        added
    }

    #[inline(always)]
    fn find(gopc: u64) -> Option<Self> {
        let index = SITE_INDEX.get_ptr_mut(&gopc)?;
        // SAFETY: an element of a map.
        SITES.get_ptr_mut(unsafe { read_volatile(index) }).map(Self)
    }

    #[inline(always)]
    fn add(gopc: u64, startpc: u64) -> Option<Self> {
        let index = Table::Sites.next()?;
        let entry = Self(SITES.get_ptr_mut(index)?);
        if SITE_INDEX.insert(&gopc, &index, u64::from(BPF_NOEXIST)).is_err() {
            // Another processor was faster: its entry counts, and this one stays empty.
            return Self::find(gopc);
        }
        // SAFETY: an element of a map.
        unsafe {
            write_volatile(&raw mut (*entry.0).startpc, startpc);
            write_volatile(&raw mut (*entry.0).gopc, gopc);
        }
        Some(entry)
    }

    /// Counts a creation.
    #[inline(always)]
    pub fn count_created(self) {
        // SAFETY: an element of a map.
        unsafe { atomic::add(&raw mut (*self.0).created, 1) };
    }

    /// Counts an end, and how long the goroutine lived if its creation was seen.
    #[inline(always)]
    pub fn count_exited(self, lifetime_ns: Option<u64>) {
        // SAFETY: an element of a map.
        unsafe { atomic::add(&raw mut (*self.0).exited, 1) };
        if let Some(lifetime_ns) = lifetime_ns {
            let bucket = Site::bucket(lifetime_ns);
            if bucket < LIFETIME_BUCKETS {
                // SAFETY: the same, and the bucket is one of the array's.
                unsafe { atomic::add((&raw mut (*self.0).lifetimes).cast::<u64>().add(bucket), 1) };
            }
        }
    }

    /// Walks the creator's stack from `frame`, unless somebody else has; `g0` is the goroutine of
    /// the system stack that the frame is on.
    #[inline(always)]
    pub fn keep_stack(self, frame: u64, g0: u64, gopc: u64) {
        // SAFETY: an element of a map.
        let claims = unsafe { &raw mut (*self.0).stack_claims };
        // SAFETY: the same.
        let is_first = unsafe { read_volatile(claims) == 0 && atomic::fetch_add(claims, 1) == 0 };
        if !is_first {
            return;
        }
        let mut len = user::walk(frame, gopc, self.0);
        if len == 0 {
            // Go's `systemstack` for arm64 cuts the chain of frame pointers in older releases.
            if let Some(frame) = user::creators_frame(g0) {
                len = user::walk(frame, gopc, self.0);
            }
        }
        if len == 0 {
            count!(
                lost_stacks,
                "no way from the frame at {:x} to its go statement {:x}",
                frame,
                gopc
            );
        } else {
            say!(debug, "creation site {:x}: a stack of {}", gopc, len);
        }
        // Last, and with a barrier: whoever reads the length finds the addresses.
        // SAFETY: the same.
        unsafe { atomic::fetch_add(&raw mut (*self.0).stack_len, len) };
    }
}
