//! The names of the fields that [`Layout`] knows: one list that DWARF, the table and checks share.

use super::heap::{Controller, Delta, Heap, Mcache, Mheap, Mspan, Mstats, P, Special, Work};
use super::{G, Layout, M, ModuleData, Sudog};

/// One struct of the runtime and one offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The struct's name without its package: `g`.
    pub of: &'static str,
    /// The path as Go spells it, `sched.sp`; [`SIZE`] for the struct's own size.
    pub path: &'static str,
}

/// The path that stands for a struct's size.
pub const SIZE: &str = "size";

/// The structs, in the order in which they are listed.
pub const STRUCTS: [&str; 13] = [
    "g",
    "m",
    "sudog",
    "moduledata",
    "mstats",
    "heapStatsDelta",
    "gcControllerState",
    "workType",
    "p",
    "mcache",
    "mspan",
    "mheap",
    "special",
];

/// How many of them, from the first, it takes to read goroutines; the others are the heap's.
pub(super) const REQUIRED: usize = 4;

/// Spells out, for one struct, which member of [`Layout`] holds the offset of which Go field.
macro_rules! offsets {
    ($type:ident = $of:literal { $($member:ident = $path:literal,)* }) => {
        impl $type {
            fn from_fields<E>(get: &mut impl FnMut(Field) -> Result<u32, E>) -> Result<Self, E> {
                Ok(Self { $($member: Offset::of(get(Field { of: $of, path: $path }))?,)* })
            }

            fn list(&self, to: &mut Vec<(Field, u32)>) {
                to.extend([$((Field { of: $of, path: $path }, self.$member.listed()),)*]);
            }
        }
    };
}

/// Stands in lists for the offset of a field that a version does not have.
pub(super) const ABSENT: u32 = u32::MAX;

/// An offset as a layout keeps it: of a field that every version has, or that only some have.
trait Offset: Sized {
    fn of<E>(found: Result<u32, E>) -> Result<Self, E>;
    fn listed(self) -> u32;
}

impl Offset for u32 {
    fn of<E>(found: Result<u32, E>) -> Result<Self, E> {
        found
    }

    fn listed(self) -> u32 {
        self
    }
}

impl Offset for Option<u32> {
    fn of<E>(found: Result<u32, E>) -> Result<Self, E> {
        Ok(found.ok().filter(|offset| *offset != ABSENT))
    }

    fn listed(self) -> u32 {
        self.unwrap_or(ABSENT)
    }
}

offsets!(G = "g" {
    size = "size",
    stack_lo = "stack.lo",
    stack_hi = "stack.hi",
    m = "m",
    sched_sp = "sched.sp",
    sched_pc = "sched.pc",
    sched_lr = "sched.lr",
    syscall_sp = "syscallsp",
    syscall_pc = "syscallpc",
    status = "atomicstatus",
    goid = "goid",
    wait_since = "waitsince",
    wait_reason = "waitreason",
    labels = "labels",
    locked_m = "lockedm",
    parent_goid = "parentGoid",
    gopc = "gopc",
    startpc = "startpc",
    waiting = "waiting",
    tracking_seq = "trackingSeq",
});

offsets!(M = "m" {
    procid = "procid",
    curg = "curg",
});

offsets!(Sudog = "sudog" {
    size = "size",
    g = "g",
    next = "next",
    elem = "elem",
    c = "c",
    wait_link = "waitlink",
});

offsets!(ModuleData = "moduledata" {
    size = "size",
    pc_header = "pcHeader",
    text = "text",
    etext = "etext",
    gofunc = "gofunc",
    types = "types",
    end_types = "etypes",
    data = "data",
    edata = "edata",
    bss = "bss",
    ebss = "ebss",
    data_mask = "gcdatamask.bytedata",
    bss_mask = "gcbssmask.bytedata",
    next = "next",
});

offsets!(Mstats = "mstats" {
    deltas = "heapStats.stats",
    generation = "heapStats.gen",
    thread_stacks = "stacks_sys",
    span_structs = "mspan_sys",
    cache_structs = "mcache_sys",
    profiles = "buckhash_sys",
    collector = "gcMiscSys",
    other = "other_sys",
    last_gc = "last_gc_unix",
    pause_total = "pause_total_ns",
    pauses = "pause_ns",
    collections = "numgc",
    forced = "numforcedgc",
});

offsets!(Delta = "heapStatsDelta" {
    size = "size",
    in_heap = "inHeap",
    in_stacks = "inStacks",
    in_work_bufs = "inWorkBufs",
    tiny_allocs = "tinyAllocCount",
    large_alloc_bytes = "largeAlloc",
    large_allocs = "largeAllocCount",
    small_allocs = "smallAllocCount",
    large_free_bytes = "largeFree",
    large_frees = "largeFreeCount",
    small_frees = "smallFreeCount",
});

offsets!(Controller = "gcControllerState" {
    size = "size",
    gc_percent = "gcPercent",
    memory_limit = "memoryLimit",
    percent_goal = "gcPercentHeapGoal",
    sweep_trigger = "sweepDistMinTrigger",
    triggered = "triggered",
    heap_live = "heapLive",
    heap_marked = "heapMarked",
    heap_in_use = "heapInUse",
    heap_released = "heapReleased",
    heap_free = "heapFree",
    total_alloc = "totalAlloc",
    total_free = "totalFree",
    mapped_ready = "mappedReady",
});

offsets!(Work = "workType" {
    cpu_stats = "cpuStats",
});

offsets!(P = "p" {
    mcache = "mcache",
});

offsets!(Mcache = "mcache" {
    tiny_allocs = "tinyAllocs",
    spans = "alloc",
});

offsets!(Mspan = "mspan" {
    allocated = "allocCount",
    counted = "allocCountBeforeCache",
    class = "spanclass",
    object_bytes = "elemsize",
    size = "size",
    start = "startAddr",
    pages = "npages",
    free_index = "freeindex",
    objects = "nelems",
    state = "state",
    sweep_generation = "sweepgen",
    alloc_bits = "allocBits",
    specials = "specials",
    large_type = "largeType",
});

offsets!(Mheap = "mheap" {
    sweep_generation = "sweepgen",
    all_spans = "allspans",
    arenas = "arenas",
});

offsets!(Special = "special" {
    size = "size",
    next = "next",
    offset = "offset",
    kind = "kind",
});

impl Heap {
    fn from_fields<E>(get: &mut impl FnMut(Field) -> Result<u32, E>) -> Result<Self, E> {
        Ok(Self {
            mstats: Mstats::from_fields(get)?,
            delta: Delta::from_fields(get)?,
            controller: Controller::from_fields(get)?,
            work: Work::from_fields(get)?,
            p: P::from_fields(get)?,
            mcache: Mcache::from_fields(get)?,
            mspan: Mspan::from_fields(get)?,
            mheap: Mheap::from_fields(get)?,
            special: Special::from_fields(get)?,
        })
    }

    fn list(&self, to: &mut Vec<(Field, u32)>) {
        self.mstats.list(to);
        self.delta.list(to);
        self.controller.list(to);
        self.work.list(to);
        self.p.list(to);
        self.mcache.list(to);
        self.mspan.list(to);
        self.mheap.list(to);
        self.special.list(to);
    }

    fn is_plausible(&self) -> bool {
        let mut fields = Vec::with_capacity(64);
        self.list(&mut fields);
        is_plausible(&fields, &STRUCTS[REQUIRED..])
    }
}

impl Layout {
    /// A layout from a source that is asked for each field once, struct by struct in the order
    /// of [`STRUCTS`]. Without the heap's where `get` does not know them all, or they cannot be.
    ///
    /// # Errors
    /// The first that `get` returns for what it takes to read goroutines.
    pub fn from_fields<E>(mut get: impl FnMut(Field) -> Result<u32, E>) -> Result<Self, E> {
        Ok(Self {
            g: G::from_fields(&mut get)?,
            m: M::from_fields(&mut get)?,
            sudog: Sudog::from_fields(&mut get)?,
            moduledata: ModuleData::from_fields(&mut get)?,
            heap: Heap::from_fields(&mut get).ok().filter(Heap::is_plausible),
        })
    }

    /// Every field with its offset, in the order of [`Layout::from_fields`].
    #[must_use]
    pub fn fields(&self) -> Vec<(Field, u32)> {
        let mut fields = Vec::with_capacity(110);
        self.g.list(&mut fields);
        self.m.list(&mut fields);
        self.sudog.list(&mut fields);
        self.moduledata.list(&mut fields);
        if let Some(heap) = &self.heap {
            heap.list(&mut fields);
        }
        fields
    }

    /// Whether this can be a layout at all: each field lies inside its struct, aligned to its
    /// width, on bytes of its own. It says nothing of whether it is the target's.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        is_plausible(&self.fields(), &STRUCTS)
    }
}

fn is_plausible(fields: &[(Field, u32)], structs: &[&str]) -> bool {
    structs.iter().all(|of| {
        let mine = || fields.iter().filter(move |(field, _)| field.of == *of);
        let size = mine().find(|(field, _)| field.path == SIZE).map_or(MAX_SIZE, |(_, it)| *it);
        let mut taken: Vec<_> = mine()
            .filter(|(field, at)| field.path != SIZE && *at != ABSENT)
            .map(|(field, at)| (*at, field.width()))
            .collect();
        taken.sort_unstable();
        size <= MAX_SIZE
            && size.is_multiple_of(8)
            && taken.iter().all(|(at, width)| at.is_multiple_of(*width))
            && taken.windows(2).all(|pair| pair[0].0.saturating_add(pair[0].1) <= pair[1].0)
            && taken.last().is_none_or(|(at, width)| *at <= size.saturating_sub(*width))
    })
}

/// No struct that is read here is larger. (The largest, `mheap`, has some 93,000 bytes.)
const MAX_SIZE: u32 = 256 << 10;

impl Field {
    /// How many bytes are read there.
    const fn width(&self) -> u32 {
        match self.path.as_bytes() {
            b"atomicstatus" | b"heapStats.gen" | b"numgc" | b"numforcedgc" | b"gcPercent"
            | b"sweepgen" => 4,
            b"allocCount" | b"allocCountBeforeCache" | b"freeindex" | b"nelems" | b"offset" => 2,
            b"waitreason" | b"trackingSeq" | b"spanclass" | b"state" | b"kind" => 1,
            _ => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Every field in its own word, in the order of the list.
    fn sample() -> Layout {
        let mut at = 0;
        Layout::from_fields(|field| {
            if field.path == SIZE {
                at = 0;
                return Ok::<_, ()>(1024);
            }
            at += 8;
            Ok(at - 8)
        })
        .unwrap()
    }

    #[test]
    fn what_is_listed_builds_the_same_layout() {
        let layout = sample();
        let fields = layout.fields();
        let mut rest = fields.iter();
        let again = Layout::from_fields(|field| {
            let (expected, value) = rest.next().ok_or(())?;
            if field == *expected { Ok(*value) } else { Err(()) }
        });
        assert_eq!(again, Ok(layout));
        assert!(rest.next().is_none());
    }

    #[test]
    fn implausible_layouts_are_refused() {
        assert!(sample().is_plausible());
        let broken: [fn(&mut Layout); 6] = [
            |it| it.g.goid = it.g.startpc,
            |it| it.g.goid += 4,
            |it| it.g.startpc = it.g.size,
            |it| it.sudog.size = u32::MAX,
            |it| it.m.curg = 0x10_0000,
            |it| it.moduledata.size = 0,
        ];
        for (index, spoil) in broken.iter().enumerate() {
            let mut layout = sample();
            spoil(&mut layout);
            assert!(!layout.is_plausible(), "spoiled in way {index}");
        }
    }
}
