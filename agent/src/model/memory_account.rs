//! What is made of a window of memory figures: where the resident memory is, what grows, what it leads to.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::allocated::AllocatedAt;
use super::forced::WouldFree;
use super::growth::Growth;
use super::level::Level;
use super::memory::{Memory, ProfiledSites};
use super::retained::HeldHeap;
use super::trend::Reached;

/// What analysis says of a process's memory over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryAccount {
    /// The figures of the last observation.
    pub now: Memory,
    /// Who holds most of the heap; `None` where it was not walked, or a finding says it.
    pub held: Option<HeldHeap>,
    /// The lines at which what is in use grew over the window, as heap profiles that go with samples say, most first: some.
    pub grown: Vec<AllocatedAt>,
    /// The sites of the last heap profile that went with a sample.
    pub profiled: Option<Arc<ProfiledSites>>,
    /// By so much an estimate of what is reachable may have changed over the window by chance; 0 where it is counted.
    pub noise_bytes: u64,
    /// Of how many collections it is known what they left.
    pub live_values: u64,
    /// Who allocated large objects that are in use; `None` where nobody watches that.
    pub large: Option<LargeLines>,
    /// What collections would free; `None` where the heap was not walked to the end.
    pub would_free: Option<WouldFree>,
    /// Where the resident memory is; `None` where the heap's or the kernel's figures are not known.
    pub parts: Option<RssParts>,
    /// How what collections find reachable goes; `None` before the third collection within the window.
    /// What was allocated since is no part of it, so that a heap that fills up until it is collected,
    /// again and again, does not grow.
    pub live: Option<Trend>,
    /// Whether that goes on to grow though not steadily: more slowly, or again after a drop that has left more than there was at
    /// first, for a part of it was let go.
    pub live_goes_on: bool,
    /// By how much it rises, in bytes, where that is too little to say that it grows.
    pub live_rises: Option<u64>,
    /// How all that is on the heap goes, reachable or not; `None` before the third observation.
    pub objects: Option<Trend>,
    /// That collections keep most of what is allocated; `None` where they do not, or none was seen.
    pub kept: Option<KeptAllocations>,
    /// How the resident memory goes; `None` before the third observation.
    pub rss: Option<Trend>,
    /// How anonymous memory goes that is not the Go runtime's; `None` before the third observation.
    pub outside: Option<Trend>,
    /// What is allocated by the second; `None` before the second observation.
    pub allocation: Option<Allocation>,
    /// What collections cost.
    pub collector: Option<Collector>,
    /// The limits, tightest first.
    pub limits: Vec<LimitUse>,
    /// How near the tightest limit is.
    pub level: Level,
    /// The figures over the window, some of them.
    pub history: Vec<MemoryPoint>,
}

/// Objects of more than 32 KiB that are in use and were allocated while that was watched, by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LargeLines {
    /// Since when they have been watched without a gap, after the first observation.
    pub since: Duration,
    /// Those with most bytes first.
    pub lines: Vec<AllocatedAt>,
    /// Allocations that were seen and found no room: so many may be missing.
    pub lost: u64,
}

/// Where the resident memory is, in bytes. The parts of Go's own memory and the last three add up to it,
/// with what is not resident taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RssParts {
    /// The resident memory.
    pub rss_bytes: u64,
    /// Objects that the last collection found reachable.
    pub live_bytes: u64,
    /// Objects allocated since, reachable or not, and those that are not yet freed.
    pub uncollected_bytes: u64,
    /// Room in spans between and behind objects.
    pub fragmented_bytes: u64,
    /// Memory of the heap in no span.
    pub idle_bytes: u64,
    /// Goroutines' stacks.
    pub stacks_bytes: u64,
    /// What the runtime keeps for itself.
    pub runtime_bytes: u64,
    /// Anonymous memory that the runtime does not know of: of C, of `mmap`, the program's variables,
    /// stacks of C's threads.
    pub outside_bytes: u64,
    /// Pages of files: the program itself, what it maps.
    pub file_bytes: u64,
    /// Memory shared with other processes.
    pub shared_bytes: u64,
    /// What the runtime has mapped and the kernel does not hold in memory: never touched, or swapped out.
    pub not_resident_bytes: u64,
}

/// How a number of bytes goes over the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// At first.
    pub from_bytes: u64,
    /// At last.
    pub to_bytes: u64,
    /// Change by the second, with its shape.
    pub growth: Growth,
    /// Whether it grows for sure: by more than a twentieth, with all of the interval above zero, in a
    /// shape that goes on.
    pub grows: bool,
    /// Whether it also goes on undiminished: what fills up to a bound grows ever more slowly.
    pub is_steady: bool,
    /// The last sudden drop: a flush, a collection after long, a restart.
    pub cliff: Option<Cliff>,
}

/// What collections kept of what was allocated between them: most of it, each time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeptAllocations {
    /// The collections, the last one before the window among them.
    pub collections: u64,
    /// The least part that one of them kept, 0 to 1.
    pub least_share: f64,
    /// How all that is on the heap went.
    pub objects: Trend,
}

/// A sudden drop, from one point to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cliff {
    /// When, in seconds since the first observation.
    pub at_seconds: f64,
    /// From so many bytes.
    pub from_bytes: u64,
    /// To so many.
    pub to_bytes: u64,
}

/// What is allocated by the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    /// Bytes.
    pub bytes_per_second: f64,
    /// Objects.
    pub objects_per_second: f64,
}

/// What collections cost over the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collector {
    /// Collections that ended within the window.
    pub collections: u64,
    /// Their share of the processor time that the program used, 0 to 1: of the window if a collection
    /// ended in it, else since the program began; `None` where none ever ended.
    pub cpu_share: Option<f64>,
    /// That of the first half of the window and of the second, where collections ended in both.
    pub halves: Option<(f64, f64)>,
    /// Whether the memory limit makes the program collect garbage most of the time, and more and more: the
    /// heap that is reachable comes near to what the limit leaves.
    pub is_pressed: bool,
}

/// A limit, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitUse {
    /// Which.
    pub kind: LimitKind,
    /// The limit.
    pub limit_bytes: u64,
    /// What is used of it. Of Go's memory limit: what no collection can free.
    pub used_bytes: u64,
    /// How near that is.
    pub level: Level,
    /// When it is reached if the growth goes on; `None` where what counts towards it does not grow for sure, or
    /// that is far away.
    pub reached_in: Option<Reached>,
}

impl LimitUse {
    /// Which part of the limit is used: 0 of nothing, 1 of all of it.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.used_bytes as f64 / self.limit_bytes.max(1) as f64
    }
}

/// A kind of memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// GOMEMLIMIT.
    GoMemory,
    /// That of a control group: beyond it the kernel kills.
    ControlGroup,
}

/// Figures of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPoint {
    /// When, since the first observation.
    pub elapsed: Duration,
    /// What the last collection found reachable.
    pub live_bytes: Option<u64>,
    /// All objects.
    pub objects_bytes: Option<u64>,
    /// The resident memory.
    pub rss_bytes: Option<u64>,
}

/// Whose memory it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum MemoryKind {
    /// Go's heap: what collections find reachable.
    Heap,
    /// Anonymous memory that Go's runtime does not know of: of C, or of `mmap`.
    OffHeap,
}

impl MemoryKind {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
