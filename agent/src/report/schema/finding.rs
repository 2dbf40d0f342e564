//! Findings: what leaks, with everything that is known of it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::allocated::AllocatedAtDoc;
use super::frame::{FrameDoc, StackFrameDoc};
use super::group::WaitDoc;
use super::held_waits::WaitsHeldDoc;
use super::locks::{HolderDoc, WaiterDoc};
use super::resources::ResourceGrowthDoc;
use super::sample::SampleDoc;
use crate::model::{
    CauseBasis, CauseClass, GrowthPattern, MemoryKind, Pattern, Severity, Verdict, WaitClass,
};

/// What leaks. What only goroutines have is null or empty in findings about something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingDoc<'a> {
    /// `f-` and a hash of the signature: the same in every window, process and build path.
    pub id: Cow<'a, str>,
    /// What the finding is about. More kinds may come within v1.
    #[serde(default)]
    pub subject: SubjectKind,
    /// The signature of the largest of its groups.
    ///
    /// Null: its group is not in the report.
    pub signature: Option<Cow<'a, str>>,
    /// The signatures of all of its groups.
    #[serde(default)]
    pub signatures: Vec<Cow<'a, str>>,
    /// The kind of leak. More kinds may come within v1.
    pub class: CauseClass,
    /// How sure it is.
    pub verdict: Verdict,
    /// How much it matters, from its score.
    pub severity: Severity,
    /// The impact score and its parts.
    pub score: ScoreDoc,
    /// The known mistake that it looks like. More may come within v1.
    ///
    /// Null: it looks like none.
    #[serde(default, deserialize_with = "known_or_none")]
    pub pattern: Option<Pattern>,
    /// How many goroutines leak; their groups may hold others that do not. 0 in findings about memory
    /// and resources.
    ///
    /// Unit: goroutines.
    pub count: u64,
    /// How many of them are proven to leak.
    ///
    /// Unit: goroutines. Null: nothing tried to prove it.
    pub proven_count: Option<u64>,
    /// Whose verdict that is.
    ///
    /// Null: none is proven.
    #[serde(default)]
    pub proven_by: Option<ProvenByDoc>,
    /// The ids of some, smallest first.
    ///
    /// Unit: goroutine ids. Null: its group is not in the report.
    pub goids_sample: Option<Vec<u64>>,
    /// How the count grows.
    ///
    /// Null: there are too few samples to tell.
    pub growth: Option<GrowthDoc>,
    /// How the count went over the window; empty where nobody kept it, and in findings about memory, whose
    /// course the report's own memory has, and resources, whose course `resource` has.
    #[serde(default)]
    pub history: Vec<SampleDoc>,
    /// Births, deaths and ages over the window.
    ///
    /// Null: the source does not know goroutines apart.
    pub turnover: Option<TurnoverDoc>,
    /// What they wait for.
    ///
    /// Null: its group is not in the report.
    pub wait_class: Option<WaitClass>,
    /// The wait of those that leak.
    ///
    /// Null: its group is not in the report.
    pub wait: Option<WaitDoc<'a>>,
    /// The memory that they hold.
    pub memory_bytes: MemoryDoc,
    /// How memory grew.
    ///
    /// Null: the finding is not about memory.
    #[serde(default)]
    pub memory_growth: Option<MemoryGrowthDoc>,
    /// What piles up: descriptors, threads, mappings or child processes.
    ///
    /// Null: the finding is not about resources.
    #[serde(default)]
    pub resource: Option<ResourceGrowthDoc<'a>>,
    /// What piles up with goroutines that leak: as many things, at the same times, that they are at work on. The
    /// leak is one, and so is the finding. Empty where nothing does, and in findings about something else.
    #[serde(default)]
    pub piled_up: Vec<ResourceGrowthDoc<'a>>,
    /// The line of the program's own code that leads to it.
    ///
    /// Null: it is not known.
    pub caused_at: Option<CausedAtDoc<'a>>,
    /// The kinds of goroutines that the one cause piles up, most first; empty where there is one kind.
    #[serde(default)]
    pub parts: Vec<PartDoc<'a>>,
    /// The innermost frame of the program's own code, or else the innermost outside the runtime.
    ///
    /// Null: there is no such frame, or no stack.
    pub blocked_at: Option<FrameDoc<'a>>,
    /// The `go` statement that created them.
    ///
    /// Null: it is not known.
    pub created_by: Option<FrameDoc<'a>>,
    /// The whole stack of one of their creators, innermost frame first.
    ///
    /// Null: no probe saw one.
    pub creation_stack: Option<Vec<StackFrameDoc<'a>>>,
    /// The stack of one of them, innermost frame first.
    ///
    /// Null: it could not be read.
    pub stack: Option<Vec<StackFrameDoc<'a>>>,
    /// Who waits for whose lock.
    pub lock_wait: LockWaitDoc<'a>,
    /// Who holds it, as paths. Of a heap that grew that by which the holder that grew most, or holds most, has most of it;
    /// of descriptors those that they are held by; of goroutines whose leak is not proven those by which what they wait on
    /// can still be reached (`waits_held`).
    ///
    /// Null: nobody is known to, or the heap was not walked; the coverage's notes say why.
    pub held_by: Option<Vec<Cow<'a, str>>>,
    /// Who holds what its goroutines wait on.
    ///
    /// Null: the finding is not about goroutines, is proven, or the heap was not walked.
    #[serde(default)]
    pub waits_held: Option<WaitsHeldDoc<'a>>,
    /// The lines at which what is in use of the heap grew from the first sample to the last, by the program's own
    /// memory profile, those that grew most first; empty where the finding is not about Go's heap, or that is not known.
    #[serde(default)]
    pub allocated_at: Vec<AllocatedAtDoc<'a>>,
    /// The cause as a sentence, with the numbers.
    pub cause: Cow<'a, str>,
    /// The source around the line that matters.
    ///
    /// Null: no source was found, or none was asked for.
    pub source: Option<SourceDoc<'a>>,
    /// What to do, most helpful first.
    pub suggestions: Vec<Cow<'a, str>>,
    /// Everything that led to the verdict: the detector, a colon, and what it saw.
    pub evidence: Vec<Cow<'a, str>>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// Goroutines that leak.
    #[default]
    Goroutines,
    /// Memory that grows.
    Memory,
    /// Descriptors, threads, mappings or child processes that pile up.
    Resource,
    /// Something that this version of the agent does not know.
    #[serde(other)]
    Unknown,
}

/// The line of the program's own code that leads to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CausedAtDoc<'a> {
    /// The line.
    #[serde(flatten)]
    pub frame: FrameDoc<'a>,
    /// How the line is known.
    pub basis: CauseBasis,
}

/// How memory grew over the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryGrowthDoc {
    /// Whose memory it is.
    pub kind: MemoryKind,
    /// At the window's beginning.
    ///
    /// Unit: bytes.
    pub from_bytes: u64,
    /// At its end.
    ///
    /// Unit: bytes.
    pub to_bytes: u64,
}

/// Goroutines of one kind among those that one cause piles up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartDoc<'a> {
    /// The signature of the largest group of the kind.
    ///
    /// Null: its group is not in the report.
    pub signature: Option<Cow<'a, str>>,
    /// How many goroutines.
    ///
    /// Unit: goroutines.
    pub count: u64,
    /// The function that they run, the outermost on their stacks.
    ///
    /// Null: no stack was read.
    pub entry: Option<FrameDoc<'a>>,
    /// The line where they block.
    ///
    /// Null: it is not known.
    pub blocked_at: Option<FrameDoc<'a>>,
}

/// The impact score: how much a finding matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreDoc {
    /// The sum of the parts, 0 to 100.
    ///
    /// Unit: points.
    pub total: u8,
    /// Memory that the goroutines hold, 0 to 25.
    ///
    /// Unit: points.
    pub memory: u8,
    /// How many there are, 0 to 20.
    ///
    /// Unit: points.
    pub count: u8,
    /// How fast they become more, 0 to 25.
    ///
    /// Unit: points.
    pub growth: u8,
    /// How much they hold others up, 0 to 20.
    ///
    /// Unit: points.
    pub blocking: u8,
    /// What they cost the scheduler, 0 to 10.
    ///
    /// Unit: points.
    pub scheduler: u8,
}

/// How a count grows. In findings about memory it is a number of bytes: their unit is bytes/s;
/// in findings about resources it is a number of those.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthDoc {
    /// The median of the slopes between all pairs of samples (Theil-Sen).
    ///
    /// Unit: goroutines/s.
    pub per_second: f64,
    /// With 95 % confidence it is at least this.
    ///
    /// Unit: goroutines/s.
    pub low: f64,
    /// With 95 % confidence it is at most this.
    ///
    /// Unit: goroutines/s.
    pub high: f64,
    /// The shape of the count over time.
    pub pattern: GrowthPattern,
    /// How much of the variance the shape's curve explains, 0 to 1.
    ///
    /// Unit: ratio.
    pub r2: f64,
    /// Where it leads if nothing changes.
    ///
    /// Null: there is no telling.
    pub forecast: Option<ForecastDoc>,
}

/// How many goroutines there will be if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForecastDoc {
    /// In an hour.
    ///
    /// Unit: goroutines.
    pub goroutines_in_1h: u64,
    /// With 95 % confidence at least this.
    ///
    /// Unit: goroutines.
    pub low: u64,
    /// With 95 % confidence at most this.
    ///
    /// Unit: goroutines.
    pub high: u64,
}

/// Whose verdict it is that goroutines leak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenByDoc {
    /// Those that leak-agent proved: nothing that can still run reaches what they wait for.
    ///
    /// Unit: goroutines.
    pub agent: u64,
    /// Those that the Go runtime itself reports, as of when the program last made its `goroutineleak` profile.
    ///
    /// Unit: goroutines.
    pub runtime: u64,
    /// Those of whom both say so.
    ///
    /// Unit: goroutines.
    pub both: u64,
}

/// Births, deaths and ages of a finding's goroutines over the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnoverDoc {
    /// Goroutines that came into the group from one sample to the next.
    ///
    /// Unit: goroutines.
    pub arrived: u64,
    /// Goroutines that left it.
    ///
    /// Unit: goroutines.
    pub left: u64,
    /// Goroutines that were born within the window and are still there.
    ///
    /// Unit: goroutines.
    pub survivors: u64,
    /// Those that stood at the same place through the whole window.
    ///
    /// Unit: goroutines.
    pub stuck: u64,
}

/// Memory that goroutines hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryDoc {
    /// Their stacks.
    ///
    /// Unit: bytes. Null: the source does not know.
    pub stacks: Option<u64>,
    /// What of the heap those that are proven to leak lead to, and nothing else does, as of the latest proof: the
    /// collector keeps it for them. What goroutines of several kinds share is not in here, but in
    /// `coverage.proof.shared_bytes`.
    ///
    /// Unit: bytes. Null: none is proven, or no clone of the process was read.
    pub reachable: Option<u64>,
}

/// Who waits for whose lock, of a finding's goroutines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockWaitDoc<'a> {
    /// A deadlock cycle that some of them are part of, in the order in which each waits for the next;
    /// empty without one. Of several it is an example.
    pub cycle: Vec<WaiterDoc<'a>>,
    /// How many deadlock cycles they are part of.
    ///
    /// Unit: cycles.
    #[serde(default)]
    pub cycles: u64,
    /// How many of them are part of one.
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub in_cycles: u64,
    /// How many locks they wait for.
    ///
    /// Unit: locks.
    #[serde(default)]
    pub locks: u64,
    /// Who probably holds the lock, where all of them wait for one.
    ///
    /// Null: no stack tells, or they wait for several.
    pub likely_holder: Option<HolderDoc<'a>>,
    /// The most frequent kind of holders, where they wait for several locks.
    ///
    /// Null: no stack tells, or they wait for one.
    pub likely_holders: Option<HoldersDoc<'a>>,
}

/// Goroutines that probably hold one lock each, and do the same at the same line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldersDoc<'a> {
    /// What each is doing.
    pub doing: Cow<'a, str>,
    /// Where each is, as `function (file:line)`; empty where it is not known.
    pub at: Cow<'a, str>,
    /// How many goroutines wait for locks that such goroutines hold.
    ///
    /// Unit: goroutines.
    pub waiters: u64,
}

/// Lines of source around the one that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceDoc<'a> {
    /// The file that was read.
    pub file: Cow<'a, str>,
    /// The line that matters, from 1.
    ///
    /// Unit: line.
    pub line: u32,
    /// The number of the first line shown.
    ///
    /// Unit: line.
    pub first: u32,
    /// The lines shown.
    pub snippet: Vec<Cow<'a, str>>,
    /// Whether the file is newer than the program, so that lines may not fit.
    #[serde(default)]
    pub stale: bool,
}

/// A value that this version knows; `None` for null and for one that a later version has added.
fn known_or_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let name = Option::<Cow<'_, str>>::deserialize(deserializer)?;
    let name = name.map(|name| serde::de::value::StringDeserializer::<D::Error>::new(name.into()));
    Ok(name.and_then(|name| T::deserialize(name).ok()))
}
