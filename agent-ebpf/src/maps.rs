//! The maps, and how many processors' worth of counters stands in them.

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, PerCpuArray};
use leak_agent_common::{CallSite, Counters, Large, Site, Slot};

use crate::atomic;

// The agent sets the sizes when it loads the object; each index is as large as its table.

/// One slot a `runtime.g`, filled from the front. The agent maps it and reads it in place.
#[map]
pub static SLOTS: Array<Slot> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Which slot is whose, by the address of the `runtime.g`.
#[map]
pub static SLOT_INDEX: HashMap<u64, u32> = HashMap::with_max_entries(1, 0);

/// One entry a creation site, filled from the front. The agent maps it too.
#[map]
pub static SITES: Array<Site> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Which entry is whose, by `gopc`.
#[map]
pub static SITE_INDEX: HashMap<u64, u32> = HashMap::with_max_entries(1, 0);

/// One entry a stack at which descriptors were opened or objects allocated, filled from the front. The agent maps it too.
#[map]
pub static CALL_SITES: Array<CallSite> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Which entry is whose, by a hash of the stack.
#[map]
pub static CALL_SITE_INDEX: HashMap<u64, u32> = HashMap::with_max_entries(1, 0);

/// The word of a [`leak_agent_common::Birth`] for each descriptor, by its number. The agent maps it too.
#[map]
pub static DESCRIPTORS: Array<u64> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// One entry a `runtime.mspan` that was made for one large object, filled from the front. The agent maps it too.
#[map]
pub static LARGE: Array<Large> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Which entry is whose, by the address of the `runtime.mspan`.
#[map]
pub static LARGE_INDEX: HashMap<u64, u32> = HashMap::with_max_entries(1, 0);

/// How many entries were asked for so far: of `SLOTS`, of `SITES`, of `CALL_SITES`, and of `LARGE`.
#[map]
pub static USED: Array<u64> = Array::with_max_entries(4, BPF_F_MMAPABLE);

/// What the programs count of their own work.
#[map]
static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// A table that is filled from the front.
#[derive(Clone, Copy)]
pub enum Table {
    /// `SLOTS`.
    Slots = 0,
    /// `SITES`.
    Sites = 1,
    /// `CALL_SITES`.
    CallSites = 2,
    /// `LARGE`.
    Large = 3,
}

impl Table {
    /// The next free place in it, which may lie behind its end.
    #[inline(always)]
    pub fn next(self) -> Option<u32> {
        let used = USED.get_ptr_mut(self as u32)?;
        // Full is full: the count does not run on, so that it never comes round.
        // SAFETY: an element of a map.
        if unsafe { used.read_volatile() } >= u64::from(u32::MAX / 2) {
            return None;
        }
        // SAFETY: the same.
        Some(unsafe { atomic::fetch_add(used, 1) } as u32)
    }
}

/// Counts something once, and with a text says so in the log.
macro_rules! count {
    ($field:ident) => {
        $crate::maps::counters(|counters| {
            // SAFETY: the counters are an element of a map.
            unsafe { $crate::atomic::add(&raw mut (*counters).$field, 1) }
        })
    };
    ($field:ident, $($text:tt)+) => {{
        $crate::maps::count!($field);
        $crate::say::say!(warn, $($text)+);
    }};
}
pub(crate) use count;

/// Does something to this processor's counters.
#[inline(always)]
pub fn counters(change: impl FnOnce(*mut Counters)) {
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        change(counters);
    }
}
