//! The runtime's counters of the heap, read at once and checked: it counts everything in two ways.

use thiserror::Error;

use super::classes::{self, ByClass, CLASSES};
use crate::golang::layout::heap::{Controller as ControllerAt, Delta, Heap as Layout, Mstats};
use crate::golang::memory::{Memory, ReadError, Span};

/// No process has more bytes in any of them: the address space of user code.
const MAX_BYTES: u64 = 1 << 56;
/// `consistentHeapStats` has so many deltas.
const DELTAS: u32 = 3;
/// Pauses that are kept (`len(memstats.pause_ns)`).
const PAUSES: u32 = 256;
/// The counts of `cpuStats`, of a word each.
const CPU_COUNTS: u32 = 11;
/// What the two ways of counting may differ by while the program goes on, beside a part of the whole.
const SLACK: u64 = 256 << 10;

/// What stands in the runtime's memory.
#[derive(Clone, Debug)]
pub(super) struct Counters {
    /// Which delta is written to.
    pub generation: u32,
    pub in_heap: u64,
    pub in_stacks: u64,
    /// What the runtime uses itself.
    pub own_bytes: u64,
    pub tiny_allocs: u64,
    pub large_alloc_bytes: u64,
    pub large_allocs: u64,
    pub small_allocs: ByClass,
    pub large_free_bytes: u64,
    pub large_frees: u64,
    pub small_frees: ByClass,
    /// When the last collection ended, in nanoseconds of the wall clock; 0 before the first.
    pub last_gc_ns: u64,
    pub pause_total_ns: u64,
    /// The pause of the last collection.
    pub last_pause_ns: u64,
    pub collections: u32,
    pub forced: u32,
    pub controller: Controller,
    pub cpu: [u64; CPU_COUNTS as usize],
}

/// Of `gcControllerState`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Controller {
    pub gc_percent: i32,
    pub memory_limit: u64,
    pub percent_goal: u64,
    pub sweep_trigger: u64,
    pub triggered: u64,
    pub heap_live: u64,
    pub heap_marked: u64,
    pub heap_in_use: u64,
    pub heap_released: u64,
    pub heap_free: u64,
    pub total_alloc: u64,
    pub total_free: u64,
    pub mapped_ready: u64,
}

/// Why counters cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oddity {
    /// The memory or the layout is too short for them.
    #[error("they cannot be read whole")]
    Unreadable,
    /// A size that no process has.
    #[error("a size is impossible")]
    Size,
    /// More was freed than allocated.
    #[error("more was freed than was allocated")]
    Freed,
    /// The two counts of bytes in spans.
    #[error("two counts of the bytes in spans differ")]
    Spans,
    /// The counts of bytes allocated, or freed.
    #[error("two counts of the bytes allocated differ")]
    Allocated,
    /// A counter that only rises fell.
    #[error("a counter went back")]
    Back,
    /// The program summed its counters up meanwhile.
    #[error("the program summed them up meanwhile")]
    Summed,
}

impl Counters {
    /// Reads them in one call. The outer error: nothing can be read.
    pub(super) fn read(
        memory: &dyn Memory,
        (memstats, controller, work): (u64, u64, u64),
        layout: &Layout,
    ) -> Result<Result<Self, Oddity>, ReadError> {
        let lens = [mstats_len(layout), layout.controller.size, CPU_COUNTS * 8];
        let cpu = work.wrapping_add(layout.work.cpu_stats.into());
        let spans: Vec<Span> = [memstats, controller, cpu]
            .into_iter()
            .zip(lens)
            .map(|(addr, len)| Span { addr, len })
            .collect();
        let mut bytes = vec![0; lens.iter().map(|len| *len as usize).sum()];
        let mut failed = false;
        memory.read_spans(&spans, &mut bytes, &mut |_| failed = true)?;
        if failed {
            return Ok(Err(Oddity::Unreadable));
        }
        let (mstats, rest) = bytes.split_at(lens[0] as usize);
        let (controller, cpu) = rest.split_at(lens[1] as usize);
        let parsed = Self::parse((mstats, controller, cpu), layout);
        Ok(parsed.ok_or(Oddity::Unreadable).and_then(Self::checked))
    }

    fn parse((mstats, controller, cpu): (&[u8], &[u8], &[u8]), layout: &Layout) -> Option<Self> {
        let Delta { size, .. } = layout.delta;
        let at = layout.mstats;
        let mut sum = vec![0; size as usize / 8];
        for delta in 0..DELTAS {
            let start = (at.deltas + delta * size) as usize;
            let delta = mstats.get(start..start + size as usize)?.as_chunks::<8>().0;
            for (sum, word) in sum.iter_mut().zip(delta) {
                // Each of them may be less than nothing; the sum is not.
                *sum = u64::wrapping_add(*sum, u64::from_le_bytes(*word));
            }
        }
        let of_sum = |offset: u32| sum.get(offset as usize / 8).copied();
        let by_class = |offset: u32| -> Option<ByClass> {
            let start = offset as usize / 8;
            sum.get(start..start + CLASSES)?.try_into().ok()
        };
        let of_mstats = |offset: u32| word(mstats, offset);
        let collections = half(mstats, at.collections)?;
        // The last is at (n + 255) % 256.
        let last = collections.wrapping_add(PAUSES - 1) % PAUSES;
        let mut times = [0; CPU_COUNTS as usize];
        for (time, word) in times.iter_mut().zip(cpu.as_chunks::<8>().0) {
            *time = u64::from_le_bytes(*word);
        }
        Some(Self {
            generation: half(mstats, at.generation)?,
            in_heap: of_sum(layout.delta.in_heap)?,
            in_stacks: of_sum(layout.delta.in_stacks)?,
            own_bytes: own_bytes(mstats, &sum, layout)?,
            tiny_allocs: of_sum(layout.delta.tiny_allocs)?,
            large_alloc_bytes: of_sum(layout.delta.large_alloc_bytes)?,
            large_allocs: of_sum(layout.delta.large_allocs)?,
            small_allocs: by_class(layout.delta.small_allocs)?,
            large_free_bytes: of_sum(layout.delta.large_free_bytes)?,
            large_frees: of_sum(layout.delta.large_frees)?,
            small_frees: by_class(layout.delta.small_frees)?,
            last_gc_ns: of_mstats(at.last_gc)?,
            pause_total_ns: of_mstats(at.pause_total)?,
            last_pause_ns: if collections == 0 { 0 } else { of_mstats(at.pauses + 8 * last)? },
            collections,
            forced: half(mstats, at.forced)?,
            controller: Controller::parse(controller, layout.controller)?,
            cpu: times,
        })
    }

    /// Bytes allocated, by the first way of counting.
    pub(super) fn allocated(&self) -> u64 {
        classes::bytes(&self.small_allocs).wrapping_add(self.large_alloc_bytes)
    }

    fn freed(&self) -> u64 {
        classes::bytes(&self.small_frees).wrapping_add(self.large_free_bytes)
    }

    /// Whether they can be true at all. `ReadMemStats` demands that the two ways of counting agree while
    /// the program is stopped (`doubleCheckReadMemStats`); while it runs they may differ by little.
    fn checked(self) -> Result<Self, Oddity> {
        let it = &self.controller;
        let sizes = [
            self.in_heap,
            self.in_stacks,
            self.own_bytes,
            it.heap_live,
            it.heap_marked,
            it.heap_in_use,
            it.heap_released,
            it.heap_free,
            it.mapped_ready,
        ];
        if sizes.iter().any(|size| *size > MAX_BYTES) {
            return Err(Oddity::Size);
        }
        let pairs = self.small_allocs.iter().zip(&self.small_frees);
        if pairs.into_iter().any(|(allocs, frees)| allocs < frees)
            || it.total_alloc < it.total_free
            || self.large_allocs < self.large_frees
        {
            return Err(Oddity::Freed);
        }
        let fits = |one: u64, other: u64| one.abs_diff(other) <= SLACK + one.max(other) / 64;
        if !fits(self.in_heap, it.heap_in_use) {
            return Err(Oddity::Spans);
        }
        if !fits(self.allocated(), it.total_alloc) || !fits(self.freed(), it.total_free) {
            return Err(Oddity::Allocated);
        }
        Ok(self)
    }

    /// These, if they can have been read after `before`.
    pub(super) fn follows(self, before: &Self) -> Result<Self, Oddity> {
        if self.generation != before.generation {
            return Err(Oddity::Summed);
        }
        let rose = |of: fn(&Self) -> u64| of(&self) >= of(before);
        let all = rose(|it| it.controller.total_alloc)
            && rose(|it| it.controller.total_free)
            && rose(|it| it.large_allocs)
            && rose(|it| it.collections.into())
            && self.small_allocs.iter().zip(&before.small_allocs).all(|(now, then)| now >= then)
            && self.small_frees.iter().zip(&before.small_frees).all(|(now, then)| now >= then);
        if all { Ok(self) } else { Err(Oddity::Back) }
    }
}

impl Controller {
    fn parse(bytes: &[u8], at: ControllerAt) -> Option<Self> {
        let of = |offset: u32| word(bytes, offset);
        Some(Self {
            gc_percent: half(bytes, at.gc_percent)?.cast_signed(),
            memory_limit: of(at.memory_limit)?,
            percent_goal: of(at.percent_goal)?,
            sweep_trigger: of(at.sweep_trigger)?,
            triggered: of(at.triggered)?,
            heap_live: of(at.heap_live)?,
            heap_marked: of(at.heap_marked)?,
            heap_in_use: of(at.heap_in_use)?,
            heap_released: of(at.heap_released)?,
            heap_free: of(at.heap_free)?,
            total_alloc: of(at.total_alloc)?,
            total_free: of(at.total_free)?,
            mapped_ready: of(at.mapped_ready)?,
        })
    }
}

/// What `ReadMemStats` adds to heap and goroutines' stacks for all that is mapped.
fn own_bytes(mstats: &[u8], sum: &[u64], layout: &Layout) -> Option<u64> {
    let at = layout.mstats;
    let mapped =
        [at.thread_stacks, at.span_structs, at.cache_structs, at.profiles, at.collector, at.other];
    let queues = layout.delta.in_work_bufs as usize / 8..layout.delta.tiny_allocs as usize / 8;
    let add = |total: u64, bytes: &u64| total.wrapping_add(*bytes);
    let total = sum.get(queues)?.iter().fold(0, add);
    mapped.into_iter().try_fold(total, |total, offset| Some(add(total, &word(mstats, offset)?)))
}

/// How much of `memstats` is read. A plausible layout has no offset beyond 64 KiB.
fn mstats_len(layout: &Layout) -> u32 {
    let Mstats {
        deltas, generation, other, last_gc, pause_total, pauses, collections, forced, ..
    } = layout.mstats;
    // The sizes before `other` stand in front of it in every version.
    let ends = [
        deltas + DELTAS * layout.delta.size,
        generation + 4,
        other + 8,
        last_gc + 8,
        pause_total + 8,
        pauses + 8 * PAUSES,
        collections + 4,
        forced + 4,
    ];
    ends.into_iter().max().unwrap_or(0)
}

fn word(bytes: &[u8], at: u32) -> Option<u64> {
    bytes.get(at as usize..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

fn half(bytes: &[u8], at: u32) -> Option<u32> {
    bytes.get(at as usize..)?.first_chunk().map(|half| u32::from_le_bytes(*half))
}
