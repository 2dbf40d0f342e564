//! A process's memory: its Go heap, what the kernel counts, what grows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::allocated::AllocatedAtDoc;
use super::amount::AmountDoc;
use super::forced::WouldFreeDoc;
use super::group::Interval;
use super::heap_holder::HeapHolderDoc;
use crate::model::{GrowthPattern, HeapProfileBasis, Level};

/// A process's memory as of the last observation, and how it went over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryAccountDoc {
    /// How near the tightest limit is.
    pub level: Level,
    /// What the Go runtime counts.
    ///
    /// Null: it could not be read; the coverage's notes say why.
    pub heap: Option<HeapDoc>,
    /// What the kernel counts.
    ///
    /// Null: it could not be read.
    pub process: Option<ProcessMemoryDoc>,
    /// What a heap profile says of the whole heap.
    ///
    /// Null: there is none.
    #[serde(default)]
    pub heap_profile: Option<HeapProfileDoc>,
    /// Who holds most of a heap of which it is not known whether it leaks.
    ///
    /// Null: it was not walked (`analyze` walks a large heap of which too few collections were seen), or a finding
    /// says it (`held_by`).
    #[serde(default)]
    pub held: Option<HeldHeapDoc>,
    /// Who allocated objects of more than 32 KiB that are in use, as far as a probe saw it.
    ///
    /// Null: nobody watches that: without probes, or where the program keeps a memory profile.
    #[serde(default)]
    pub large: Option<LargeLinesDoc>,
    /// What collections would free.
    ///
    /// Null: the heap was not walked, or not to the end.
    #[serde(default)]
    pub would_free: Option<WouldFreeDoc<'static>>,
    /// Where the resident memory is: the parts add up to it, less what is not resident.
    ///
    /// Null: the heap or the process is not known.
    pub resident: Option<ResidentDoc>,
    /// How what collections find reachable went, from collection to collection.
    ///
    /// Null: fewer than three collections were seen to end.
    pub live: Option<TrendDoc>,
    /// How the resident memory went.
    ///
    /// Null: there are too few samples to tell.
    pub rss: Option<TrendDoc>,
    /// How anonymous memory went that the Go runtime does not know of: cgo, mmap.
    ///
    /// Null: there are too few samples to tell.
    pub outside: Option<TrendDoc>,
    /// Memory allocated from the heap.
    ///
    /// Unit: bytes/s. Null: before the second observation.
    pub allocated_bytes_per_second: Option<f64>,
    /// Objects allocated from the heap.
    ///
    /// Unit: objects/s. Null: before the second observation.
    pub allocated_objects_per_second: Option<f64>,
    /// What collections cost.
    ///
    /// Null: the heap is not known.
    pub collector: Option<CollectorDoc>,
    /// The memory limits, tightest first.
    pub limits: Vec<LimitDoc>,
    /// The figures over the window, some of them.
    pub history: Vec<MemoryPointDoc>,
}

/// Objects of more than 32 KiB that are in use and were allocated while a probe watched that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargeLinesDoc {
    /// Since when they have been watched without a gap, after the first sample.
    ///
    /// Unit: s.
    pub since_seconds: f64,
    /// By line, those with most bytes in use first; with whole pages.
    pub lines: Vec<AllocatedAtDoc<'static>>,
    /// Allocations that were seen and found no room: so many may be missing.
    ///
    /// Unit: objects.
    pub lost: u64,
}

/// Who holds most of a heap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldHeapDoc {
    /// Some holders, those with most bytes first.
    pub holders: Vec<HeapHolderDoc<'static>>,
    /// All that is reached.
    pub reached: AmountDoc,
    /// Whether all pointers were followed.
    pub is_whole: bool,
}

/// What a heap profile says of the whole heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapProfileDoc {
    /// How that is known.
    pub basis: HeapProfileBasis,
    /// Bytes of objects in use.
    ///
    /// Unit: bytes.
    pub in_use_bytes: u64,
    /// How many those are.
    ///
    /// Unit: objects.
    pub in_use_objects: u64,
    /// Bytes allocated since the program began.
    ///
    /// Unit: bytes. Null: the profile does not say.
    pub allocated_bytes: Option<u64>,
}

/// What the Go heap holds and did, as `runtime.MemStats` has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeapDoc {
    /// Whether these are the figures that the program serves of itself (`heap?debug=1`), and not read from its memory.
    #[serde(default)]
    pub served: bool,
    /// Objects that the last collection found reachable.
    ///
    /// Unit: bytes. Null: there was no collection, or it is not known (`served`; `heap_profile` has an estimate).
    pub live_bytes: Option<u64>,
    /// All objects: those that are not reachable and not freed yet too.
    ///
    /// Unit: bytes.
    pub objects_bytes: u64,
    /// How many they are.
    ///
    /// Unit: objects.
    pub objects: u64,
    /// Spans that hold objects.
    ///
    /// Unit: bytes.
    pub in_use_bytes: u64,
    /// Memory of the heap in no span, which was not given back to the kernel.
    ///
    /// Unit: bytes.
    pub idle_bytes: u64,
    /// Memory of the heap that was given back.
    ///
    /// Unit: bytes.
    pub released_bytes: u64,
    /// Goroutines' stacks.
    ///
    /// Unit: bytes.
    pub stacks_bytes: u64,
    /// What the runtime keeps for itself.
    ///
    /// Unit: bytes.
    pub runtime_bytes: u64,
    /// How large the objects may become until the next collection ends.
    ///
    /// Unit: bytes. Null: no collection will come.
    pub goal_bytes: Option<u64>,
    /// GOGC.
    ///
    /// Unit: %. Null: it is off, or not known (`served`).
    pub gc_percent: Option<u32>,
    /// GOMEMLIMIT.
    ///
    /// Unit: bytes. Null: there is none, or it is not known (`served`).
    pub limit_bytes: Option<u64>,
    /// Memory allocated since the program began.
    ///
    /// Unit: bytes.
    pub allocated_bytes: u64,
    /// That of it which was freed.
    ///
    /// Unit: bytes.
    pub freed_bytes: u64,
    /// Objects allocated since the program began.
    ///
    /// Unit: objects.
    pub allocated_objects: u64,
    /// Those of them that were freed.
    ///
    /// Unit: objects.
    pub freed_objects: u64,
    /// Collections that ended since the program began.
    ///
    /// Unit: collections.
    pub collections: u32,
    /// Those of them that the program asked for.
    ///
    /// Unit: collections.
    pub forced_collections: u32,
    /// For how long all of them stopped the program.
    ///
    /// Unit: s. Null: it is not known (`served`).
    pub pause_total_seconds: Option<f64>,
    /// For how long the last did.
    ///
    /// Unit: s. Null: there was none.
    pub last_pause_seconds: Option<f64>,
    /// By size class, smallest first, large objects last.
    pub classes: Vec<SizeClassDoc>,
}

/// Objects of one size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeClassDoc {
    /// The size of one.
    ///
    /// Unit: bytes. Null: each has its own, of more than 32 KiB.
    pub object_bytes: Option<u64>,
    /// Objects allocated since the program began.
    ///
    /// Unit: objects.
    pub allocated: u64,
    /// Those of them that were freed.
    ///
    /// Unit: objects.
    pub freed: u64,
    /// Those that were not.
    ///
    /// Unit: bytes.
    pub in_use_bytes: u64,
}

/// A process's memory as the kernel counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessMemoryDoc {
    /// Resident memory: the sum of the next three.
    ///
    /// Unit: bytes.
    pub rss_bytes: u64,
    /// That of no file.
    ///
    /// Unit: bytes.
    pub anonymous_bytes: u64,
    /// That of files.
    ///
    /// Unit: bytes.
    pub file_bytes: u64,
    /// That which is shared with other processes.
    ///
    /// Unit: bytes.
    pub shared_bytes: u64,
    /// What was swapped out.
    ///
    /// Unit: bytes.
    pub swap_bytes: u64,
    /// Page tables, which are no part of the resident memory.
    ///
    /// Unit: bytes.
    pub page_tables_bytes: u64,
    /// The most that was ever resident.
    ///
    /// Unit: bytes.
    pub peak_rss_bytes: u64,
    /// Threads.
    ///
    /// Unit: threads.
    pub threads: u64,
}

/// Where the resident memory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResidentDoc {
    /// Objects that the last collection found reachable.
    ///
    /// Unit: bytes.
    pub live_bytes: u64,
    /// Objects allocated since, reachable or not, and those that are not yet freed.
    ///
    /// Unit: bytes.
    pub uncollected_bytes: u64,
    /// Room in spans between and behind objects.
    ///
    /// Unit: bytes.
    pub fragmented_bytes: u64,
    /// Memory of the heap in no span.
    ///
    /// Unit: bytes.
    pub idle_bytes: u64,
    /// Goroutines' stacks.
    ///
    /// Unit: bytes.
    pub stacks_bytes: u64,
    /// What the runtime keeps for itself.
    ///
    /// Unit: bytes.
    pub runtime_bytes: u64,
    /// Anonymous memory that the runtime does not know of, at least: of C, of mmap, variables.
    ///
    /// Unit: bytes.
    pub outside_bytes: u64,
    /// Pages of files.
    ///
    /// Unit: bytes.
    pub file_bytes: u64,
    /// Memory shared with other processes.
    ///
    /// Unit: bytes.
    pub shared_bytes: u64,
    /// What the runtime has mapped and the kernel does not hold in memory, to be taken away from the sum.
    ///
    /// Unit: bytes.
    pub not_resident_bytes: u64,
}

/// How a number of bytes went over the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendDoc {
    /// At first.
    ///
    /// Unit: bytes.
    pub from_bytes: u64,
    /// At last.
    ///
    /// Unit: bytes.
    pub to_bytes: u64,
    /// The change: the median of the slopes between all pairs of samples.
    ///
    /// Unit: bytes/s.
    pub per_second: f64,
    /// Its 95 % interval.
    ///
    /// Unit: bytes/s.
    pub interval: Interval,
    /// Its shape.
    pub pattern: GrowthPattern,
    /// Whether it grows for sure, in a shape that goes on.
    pub grows: bool,
    /// The last sudden drop.
    ///
    /// Null: there was none.
    pub cliff: Option<CliffDoc>,
}

/// A sudden drop, from one sample to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CliffDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub at_seconds: f64,
    /// From how much.
    ///
    /// Unit: bytes.
    pub from_bytes: u64,
    /// To how much.
    ///
    /// Unit: bytes.
    pub to_bytes: u64,
}

/// What collections cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectorDoc {
    /// Collections that ended within the window.
    ///
    /// Unit: collections.
    pub collections: u64,
    /// Their share of the processor time that the program used, without what nobody else wanted: of the
    /// window if one ended in it, else since the program began.
    ///
    /// Unit: ratio. Null: there was none.
    pub cpu_share: Option<f64>,
    /// That of the first half of the window.
    ///
    /// Unit: ratio. Null: none ended in one of the halves.
    pub first_half_share: Option<f64>,
    /// That of the second half.
    ///
    /// Unit: ratio. Null: none ended in one of the halves.
    pub second_half_share: Option<f64>,
    /// Whether a memory limit leaves the live heap so little room that collections take more and more of
    /// the time.
    pub is_pressed: bool,
}

/// A memory limit, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitDoc {
    /// Which.
    pub kind: LimitKindDoc,
    /// The limit.
    ///
    /// Unit: bytes.
    pub limit_bytes: u64,
    /// What is used of it and cannot be taken back: by a collection (GOMEMLIMIT), by the kernel (a control
    /// group).
    ///
    /// Unit: bytes.
    pub used_bytes: u64,
    /// How near that is.
    pub level: Level,
    /// When it is reached at the earliest if growth goes on, by the growth's 95 % interval.
    ///
    /// Unit: s. Null: nothing grows towards it for sure, or that is more than a month away.
    pub reached_in_seconds: Option<f64>,
    /// When most likely.
    ///
    /// Unit: s. Null: as above, or that is more than a month away.
    #[serde(default)]
    pub reached_in_seconds_likely: Option<f64>,
    /// When at the latest.
    ///
    /// Unit: s. Null: as above, or it may never be.
    pub reached_in_seconds_at_most: Option<f64>,
}

/// A kind of memory limit. More kinds may come within v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKindDoc {
    /// GOMEMLIMIT: beyond it the program collects garbage all the time.
    GoMemory,
    /// That of a control group: beyond it the kernel kills.
    ControlGroup,
    /// A kind that this version of the agent does not know.
    #[serde(other)]
    Unknown,
}

/// Figures of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryPointDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// Objects that the collection before found reachable.
    ///
    /// Unit: bytes. Null: it is not known, or there was none.
    pub live_bytes: Option<u64>,
    /// All objects.
    ///
    /// Unit: bytes. Null: it is not known.
    pub objects_bytes: Option<u64>,
    /// Resident memory.
    ///
    /// Unit: bytes. Null: it is not known.
    pub rss_bytes: Option<u64>,
}
