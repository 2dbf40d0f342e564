//! What the heap holds, did and cost, at one moment.

use super::caches::Cached;
use super::classes::{self, BYTES};
use super::counters::Counters;
use super::goal::heap_goal;

/// A limit or goal beyond this is none.
const NO_LIMIT: u64 = 1 << 56;

/// The heap's figures: what `runtime.MemStats` has, without stopping the program for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// What the last collection found reachable, in bytes; 0 before the first.
    pub marked_bytes: u64,
    /// Objects: those that are reachable, and those that are not and were not swept yet.
    pub objects_bytes: u64,
    /// How many they are.
    pub objects: u64,
    /// Spans that hold objects.
    pub in_use_bytes: u64,
    /// Memory of the heap in no span, which was not given back to the kernel.
    pub idle_bytes: u64,
    /// Memory of the heap that was given back.
    pub released_bytes: u64,
    /// Goroutines' stacks.
    pub stacks_bytes: u64,
    /// What the runtime keeps for itself: structures of spans, the collector's bitmaps and queues,
    /// profiles, stacks of threads.
    pub runtime_bytes: u64,
    /// All that the runtime mapped, what was given back too: the sum of the five above.
    pub mapped_bytes: u64,
    /// How large the objects may become until the next collection ends; `None` where none will come.
    pub goal_bytes: Option<u64>,
    /// GOGC; `None` where it is off.
    pub gc_percent: Option<u32>,
    /// GOMEMLIMIT; `None` without.
    pub memory_limit_bytes: Option<u64>,
    /// Bytes allocated since the program began.
    pub allocated_bytes: u64,
    /// Those of them that were freed.
    pub freed_bytes: u64,
    /// Objects allocated since the program began.
    pub allocated_objects: u64,
    /// Those of them that were freed.
    pub freed_objects: u64,
    /// Collections that have ended.
    pub collections: u32,
    /// Those of them that the program asked for.
    pub forced_collections: u32,
    /// When the last ended, in nanoseconds since 1970; `None` before the first.
    pub last_collection_ns: Option<u64>,
    /// For how long all of them stopped the program, in nanoseconds.
    pub pause_total_ns: u64,
    /// For how long the last did; `None` before the first.
    pub last_pause_ns: Option<u64>,
    /// What they cost.
    pub cpu: Cpu,
    /// By size class, smallest first: those that anything was allocated of.
    pub classes: Vec<Class>,
    /// How often they had to be read again.
    pub retried: u32,
}

/// Processor time up to the end of the last collection, in nanoseconds, as the runtime counts it: by
/// the wall clock, so that what the kernel took away is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Of the garbage collector, its pauses and the help that it demands of goroutines included.
    pub gc_ns: u64,
    /// That part of it that nobody else wanted.
    pub gc_idle_ns: u64,
    /// All that there was: GOMAXPROCS times the time.
    pub total_ns: u64,
    /// What nobody used.
    pub idle_ns: u64,
}

/// Objects of one size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The size of one; `None` for large objects, each of which has its own.
    pub object_bytes: Option<u64>,
    /// Objects allocated since the program began.
    pub allocated: u64,
    /// Those of them that were freed.
    pub freed: u64,
    /// Bytes of those that were not.
    pub in_use_bytes: u64,
}

impl Figures {
    pub(super) fn of(counters: &Counters, cached: &Cached, retried: u32) -> Self {
        let controller = &counters.controller;
        let cached_bytes = classes::bytes(&cached.small);
        let sum = |counts: &[u64]| counts.iter().fold(0, |sum, it| u64::wrapping_add(sum, *it));
        let tiny = counters.tiny_allocs.wrapping_add(cached.tiny);
        // Tiny objects count as freed at once, as in `MemStats`: nobody follows their lives.
        let freed_objects = sum(&counters.small_frees).wrapping_add(counters.large_frees);
        let allocated_objects = sum(&counters.small_allocs)
            .wrapping_add(sum(&cached.small))
            .wrapping_add(counters.large_allocs);
        let allocated_bytes = controller.total_alloc.saturating_add(cached_bytes);
        let limit = |bytes: u64| Some(bytes).filter(|bytes| *bytes < NO_LIMIT);
        let has_collected = |figure: u64| (counters.collections > 0).then_some(figure);
        let [_, _, gc_idle_ns, _, gc_ns, _, _, _, idle_ns, _, total_ns] = counters.cpu;
        Self {
            marked_bytes: if counters.collections > 0 { controller.heap_marked } else { 0 },
            objects_bytes: allocated_bytes.saturating_sub(controller.total_free),
            objects: allocated_objects.saturating_sub(freed_objects),
            in_use_bytes: controller.heap_in_use,
            idle_bytes: controller.heap_free,
            released_bytes: controller.heap_released,
            stacks_bytes: counters.in_stacks,
            runtime_bytes: counters.own_bytes,
            mapped_bytes: controller.heap_in_use
                + controller.heap_free
                + controller.heap_released
                + counters.in_stacks
                + counters.own_bytes,
            goal_bytes: limit(heap_goal(controller)),
            gc_percent: u32::try_from(controller.gc_percent).ok(),
            memory_limit_bytes: limit(controller.memory_limit),
            allocated_bytes,
            freed_bytes: controller.total_free,
            allocated_objects: allocated_objects.wrapping_add(tiny),
            freed_objects: freed_objects.wrapping_add(tiny),
            collections: counters.collections,
            forced_collections: counters.forced,
            last_collection_ns: has_collected(counters.last_gc_ns),
            pause_total_ns: counters.pause_total_ns,
            last_pause_ns: has_collected(counters.last_pause_ns),
            cpu: Cpu { gc_ns, gc_idle_ns, total_ns, idle_ns },
            classes: by_class(counters, cached),
            retried,
        }
    }
}

fn by_class(counters: &Counters, cached: &Cached) -> Vec<Class> {
    let small = (1..classes::CLASSES).map(|class| {
        let allocated = counters.small_allocs[class].wrapping_add(cached.small[class]);
        let freed = counters.small_frees[class];
        let in_use_bytes = allocated.saturating_sub(freed).saturating_mul(BYTES[class]);
        Class { object_bytes: Some(BYTES[class]), allocated, freed, in_use_bytes }
    });
    let large = Class {
        object_bytes: None,
        allocated: counters.large_allocs,
        freed: counters.large_frees,
        in_use_bytes: counters.large_alloc_bytes.saturating_sub(counters.large_free_bytes),
    };
    small.chain([large]).filter(|class| class.allocated > 0).collect()
}
