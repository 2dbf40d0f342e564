//! A process's memory at one observation: its Go heap, what the kernel counts, its control group.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::amount::Amount;
use super::stack::StackId;

/// A process's memory. What the source cannot know is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The Go runtime's own figures.
    pub heap: Option<Heap>,
    /// The kernel's.
    pub process: Option<ProcessMemory>,
    /// Those of the control group that leaves the process the least; `None` where none limits it.
    pub group: Option<GroupMemory>,
    /// What a heap profile says; `None` without one.
    #[serde(default)]
    pub profile: Option<HeapProfile>,
    /// Who allocated large objects; `None` where nobody watches that.
    #[serde(default)]
    pub large: Option<LargeAllocations>,
    /// Who allocated what is in use, as that profile says; `None` without one.
    #[serde(default)]
    pub profiled: Option<ProfiledSites>,
}

/// The sites of a heap profile that belongs to a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfiledSites {
    /// Of so many bytes that are allocated one is sampled, on average; `None` where the profile does not say.
    pub rate_bytes: Option<u64>,
    /// One for each stack and size of object.
    pub sites: Vec<ProfiledSite>,
}

/// Objects of about one size that one stack allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfiledSite {
    /// The stack.
    pub stack: StackId,
    /// In use, as of the last collection that was complete: estimated.
    pub in_use: Amount,
    /// Since the program began, as of then.
    pub allocated: Amount,
}

/// Objects of more than 32 KiB that are in use and were allocated while a probe watched that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeAllocations {
    /// Since when they have been watched without a gap, after the first observation.
    pub since: Duration,
    /// By the stack that allocated them.
    pub sites: Vec<LargeSite>,
    /// Those of which no stack is known.
    pub unnamed: Amount,
    /// Allocations that were seen and found no room: so many may be missing above.
    pub lost: u64,
}

/// Large objects that one stack allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeSite {
    /// The stack.
    pub stack: StackId,
    /// In use, with whole pages.
    pub in_use: Amount,
    /// All that were seen.
    pub allocated: Amount,
}

/// What a heap profile says of the whole heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapProfile {
    /// How that is known.
    pub basis: HeapProfileBasis,
    /// Bytes of objects in use.
    pub in_use_bytes: u64,
    /// How many those are.
    pub in_use_objects: u64,
    /// Bytes allocated since the program began; `None` where the profile does not say.
    pub allocated_bytes: Option<u64>,
}

/// How a heap profile knows what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum HeapProfileBasis {
    /// Estimated of the objects that were sampled: those in use as of the last collection that was complete.
    Sampled,
    /// Counted by the runtime: what was allocated since the last collection, and what it has not yet freed, is
    /// in use too.
    Counted,
}

/// What the Go heap and its garbage collector hold, did and cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// What the last collection found reachable; `None` before the first.
    pub marked_bytes: Option<u64>,
    /// Objects: reachable ones, and those that are not and were not freed yet.
    pub objects_bytes: u64,
    /// How many they are. Objects that share a block count as one.
    pub objects: u64,
    /// Spans that hold objects.
    pub in_use_bytes: u64,
    /// Memory of the heap in no span, which was not given back to the kernel.
    pub idle_bytes: u64,
    /// Memory of the heap that was given back.
    pub released_bytes: u64,
    /// Goroutines' stacks.
    pub stacks_bytes: u64,
    /// What the runtime keeps for itself.
    pub runtime_bytes: u64,
    /// How large the objects may become until the next collection ends; `None` where none will come.
    pub goal_bytes: Option<u64>,
    /// GOGC, in percent; `None` where it is off, or not known (`is_served`).
    pub gc_percent: Option<u32>,
    /// GOMEMLIMIT; `None` without, or where it is not known (`is_served`).
    pub limit_bytes: Option<u64>,
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
    /// For how long all of them stopped the program; `None` where it is not known.
    pub pause_total_ns: Option<u64>,
    /// For how long the last did; `None` before the first.
    pub last_pause_ns: Option<u64>,
    /// Processor time of collections, without what nobody else wanted, up to the end of the last.
    pub gc_cpu_ns: u64,
    /// Processor time that was used by anybody, up to then.
    pub busy_cpu_ns: u64,
    /// By size class, smallest first, large objects last: those that anything was allocated of.
    pub classes: Vec<SizeClass>,
    /// Whether the program itself said so (`runtime.MemStats`), which says nothing of what is reachable, of what GOGC and
    /// GOMEMLIMIT are, of the processor time, and of the classes.
    #[serde(default)]
    pub is_served: bool,
}

/// Objects of one size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeClass {
    /// The size of one; `None` for large objects, each of which has its own.
    pub object_bytes: Option<u64>,
    /// Objects allocated since the program began.
    pub allocated: u64,
    /// Those of them that were freed.
    pub freed: u64,
    /// Bytes of those that were not.
    pub in_use_bytes: u64,
}

impl Memory {
    /// What collections find reachable: the runtime's own figure, or else what a heap profile estimates.
    #[must_use]
    pub fn live_bytes(&self) -> Option<u64> {
        let estimated = || {
            self.profile
                .filter(|it| it.basis == HeapProfileBasis::Sampled)
                .map(|it| it.in_use_bytes)
        };
        self.heap.as_ref().and_then(|heap| heap.marked_bytes).or_else(estimated)
    }
}

impl Heap {
    /// What the runtime has mapped and not given back.
    #[must_use]
    pub const fn ready_bytes(&self) -> u64 {
        self.in_use_bytes
            .saturating_add(self.idle_bytes)
            .saturating_add(self.stacks_bytes)
            .saturating_add(self.runtime_bytes)
    }

    /// All that the runtime has mapped.
    #[must_use]
    pub const fn mapped_bytes(&self) -> u64 {
        self.ready_bytes().saturating_add(self.released_bytes)
    }
}

/// A process's memory as the kernel counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMemory {
    /// Resident memory: the sum of the next three.
    pub rss_bytes: u64,
    /// That of no file: heaps, stacks, what was written of private files.
    pub anonymous_bytes: u64,
    /// That of files.
    pub file_bytes: u64,
    /// That which is shared with other processes.
    pub shared_bytes: u64,
    /// What was swapped out.
    pub swap_bytes: u64,
    /// Page tables, which are no part of the resident memory.
    pub page_tables_bytes: u64,
    /// The most that was ever resident.
    pub peak_rss_bytes: u64,
    /// Threads.
    pub threads: u64,
}

/// A control group with a memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMemory {
    /// Its limit.
    pub limit_bytes: u64,
    /// What its processes use of that and the kernel cannot take back: without file caches.
    pub used_bytes: u64,
}
