//! Offsets in the structs that the Go runtime keeps the heap's figures in. All in bytes.

/// Offsets of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// `runtime.mstats`.
    pub mstats: Mstats,
    /// `runtime.heapStatsDelta`.
    pub delta: Delta,
    /// `runtime.gcControllerState`.
    pub controller: Controller,
    /// `runtime.workType`.
    pub work: Work,
    /// `runtime.p`.
    pub p: P,
    /// `runtime.mcache`.
    pub mcache: Mcache,
    /// `runtime.mspan`.
    pub mspan: Mspan,
    /// `runtime.mheap`.
    pub mheap: Mheap,
    /// `runtime.special`.
    pub special: Special,
}

/// Offsets in `runtime.mstats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mstats {
    /// `heapStats.stats`: three deltas, one behind the other, that add up to what the heap did.
    pub deltas: u32,
    /// `heapStats.gen`: which of them is written to; 32 bits.
    pub generation: u32,
    /// `stacks_sys`: bytes of threads' stacks that the runtime mapped itself.
    pub thread_stacks: u32,
    /// `mspan_sys`: bytes of the structures of spans.
    pub span_structs: u32,
    /// `mcache_sys`: bytes of those of processors' caches.
    pub cache_structs: u32,
    /// `buckhash_sys`: bytes of profiles.
    pub profiles: u32,
    /// `gcMiscSys`: bytes of what the collector keeps of the heap.
    pub collector: u32,
    /// `other_sys`: bytes.
    pub other: u32,
    /// `last_gc_unix`: when the last collection ended, in nanoseconds of the wall clock.
    pub last_gc: u32,
    /// `pause_total_ns`.
    pub pause_total: u32,
    /// `pause_ns`: the last 256 pauses, by the number of their collection.
    pub pauses: u32,
    /// `numgc`: collections that ended; 32 bits.
    pub collections: u32,
    /// `numforcedgc`: those of them that the program asked for; 32 bits.
    pub forced: u32,
}

/// Offsets in `runtime.heapStatsDelta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The struct's size.
    pub size: u32,
    /// `inHeap`: bytes of spans that hold objects.
    pub in_heap: u32,
    /// `inStacks`: bytes of goroutines' stacks.
    pub in_stacks: u32,
    /// `inWorkBufs`: bytes of the collector's queues. Up to Go 1.24 those of its bitmaps follow; all words
    /// from here to [`Delta::tiny_allocs`] are bytes that the runtime uses itself.
    pub in_work_bufs: u32,
    /// `tinyAllocCount`: objects that share a block with others.
    pub tiny_allocs: u32,
    /// `largeAlloc`: bytes of objects with a span of their own.
    pub large_alloc_bytes: u32,
    /// `largeAllocCount`.
    pub large_allocs: u32,
    /// `smallAllocCount`: an array, by size class.
    pub small_allocs: u32,
    /// `largeFree`: bytes.
    pub large_free_bytes: u32,
    /// `largeFreeCount`.
    pub large_frees: u32,
    /// `smallFreeCount`: an array, by size class.
    pub small_frees: u32,
}

/// Offsets in `runtime.gcControllerState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller {
    /// The struct's size.
    pub size: u32,
    /// `gcPercent`: GOGC; 32 bits, negative for off.
    pub gc_percent: u32,
    /// `memoryLimit`: GOMEMLIMIT.
    pub memory_limit: u32,
    /// `gcPercentHeapGoal`: the goal by GOGC.
    pub percent_goal: u32,
    /// `sweepDistMinTrigger`.
    pub sweep_trigger: u32,
    /// `triggered`: how large the heap was when the collection that goes on began.
    pub triggered: u32,
    /// `heapLive`.
    pub heap_live: u32,
    /// `heapMarked`: what the last collection found reachable.
    pub heap_marked: u32,
    /// `heapInUse`: bytes of spans that hold objects.
    pub heap_in_use: u32,
    /// `heapReleased`: bytes given back to the kernel.
    pub heap_released: u32,
    /// `heapFree`: bytes in no span that were not given back.
    pub heap_free: u32,
    /// `totalAlloc`.
    pub total_alloc: u32,
    /// `totalFree`.
    pub total_free: u32,
    /// `mappedReady`: all that the runtime mapped and did not give back.
    pub mapped_ready: u32,
}

/// Offsets in `runtime.workType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// `cpuStats`: eleven counts of nanoseconds.
    pub cpu_stats: u32,
}

/// Offsets in `runtime.p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct P {
    /// `mcache`: the spans that it allocates from; a pointer.
    pub mcache: u32,
}

/// Offsets in `runtime.mcache`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mcache {
    /// `tinyAllocs`: tiny objects that are in no delta yet.
    pub tiny_allocs: u32,
    /// `alloc`: an array of pointers to spans, by span class.
    pub spans: u32,
}

/// Offsets in `runtime.mspan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mspan {
    /// `allocCount`: how many objects it holds; 16 bits.
    pub allocated: u32,
    /// `allocCountBeforeCache`: how many of them are in a delta already; 16 bits.
    pub counted: u32,
    /// `spanclass`: twice the size class, and one more without pointers; 8 bits.
    pub class: u32,
    /// `elemsize`: the size of an object.
    pub object_bytes: u32,
    /// The struct's size.
    pub size: u32,
    /// `startAddr`: its first byte.
    pub start: u32,
    /// `npages`: how many pages it has, of 8 KiB.
    pub pages: u32,
    /// `freeindex`: all objects before this one are allocated. As wide as [`Mspan::objects`].
    pub free_index: u32,
    /// `nelems`: how many objects it has room for; 16 bits, up to Go 1.21 a word.
    pub objects: u32,
    /// `state`: what it is used for; 8 bits.
    pub state: u32,
    /// `sweepgen`: the collection that it was last swept in; 32 bits.
    pub sweep_generation: u32,
    /// `allocBits`: a bit for each object, set where it is allocated; a pointer.
    pub alloc_bits: u32,
    /// `specials`: finalizers, cleanups and the like of its objects; a list.
    pub specials: u32,
    /// `largeType`: the type of its one object; `None` up to Go 1.21, which has no such field.
    pub large_type: Option<u32>,
}

/// Offsets in `runtime.mheap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mheap {
    /// `sweepgen`: 32 bits; two more with each collection.
    pub sweep_generation: u32,
    /// `allspans`: all spans that there ever were; a slice of pointers.
    pub all_spans: u32,
    /// `arenas`: what is kept of each 64 MiB of addresses; on Linux one pointer to an array of pointers.
    pub arenas: u32,
}

/// Offsets in `runtime.special`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// The struct's size: what a kind of them has of its own follows.
    pub size: u32,
    /// `next`: the next of the span.
    pub next: u32,
    /// `offset`: of which byte of the span; a word, up to Go 1.23 16 bits.
    pub offset: u32,
    /// `kind`: 8 bits.
    pub kind: u32,
}
