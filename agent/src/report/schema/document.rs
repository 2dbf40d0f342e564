//! The document of one target: whom, when, how much was seen, and the lists.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contention::ContentionDoc;
use super::coverage::{CoverageDoc, HeldDoc, TargetDoc};
use super::finding::FindingDoc;
use super::forced::ForcedCollectionDoc;
use super::frame::FrameDoc;
use super::group::{GroupDoc, Interval};
use super::locks::LockGraphDoc;
use super::memory::MemoryAccountDoc;
use super::name::{Report, SchemaName};
use super::resources::ResourceAccountDoc;
use super::sample::SampleDoc;
use super::site::SiteDoc;
use super::trend::{QuantityTrendDoc, RelationDoc, UsualDoc};
use crate::model::{Level, RateBasis, Subjects, WaitClass};

/// A report of one target.
// Groups and sites are lists when a report is read. When it is written they are `super::Streamed`, since
// there can be hundreds of thousands of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Document")]
pub struct Document<'a, Groups = Vec<GroupDoc<'a>>, Sites = Vec<SiteDoc<'a>>> {
    /// The name of the schema.
    pub schema: SchemaName<Report>,
    /// When the report was made, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub generated_at: Option<Cow<'a, str>>,
    /// The agent that made it.
    pub agent: AgentDoc<'a>,
    /// Whom it is of.
    pub target: TargetDoc<'a>,
    /// What was looked at, as far as the source tells of it. What is not in the list was neither read nor judged, and
    /// `health` says nothing of it.
    #[serde(default = "SubjectDoc::all")]
    pub subjects: Vec<SubjectDoc>,
    /// Over which span of time.
    pub window: WindowDoc<'a>,
    /// For how much of the window the process could not run.
    ///
    /// Null: it could all the time, or the source does not know.
    pub held: Option<HeldDoc<'a>>,
    /// How much was asked for, read and lost.
    pub coverage: CoverageDoc<'a>,
    /// Sums over all goroutines.
    ///
    /// Null: goroutines were not looked at.
    pub totals: Option<TotalsDoc>,
    /// What the agent cost.
    pub overhead: OverheadDoc<'a>,
    /// How well the process is by what was looked at (`subjects`), 0 (worst) to 100.
    ///
    /// Unit: points. Null: nobody judged, or there was too little to judge by: the process could not run, or hardly, no
    /// stack could be read, or nothing was found when somebody ended it before its time was over.
    pub health: Option<u8>,
    /// How many goroutines there are, by the thresholds that were set.
    ///
    /// Null: nobody judged, or goroutines were not looked at.
    pub level: Option<Level>,
    /// From how many goroutines on their number is moderate, high, critical, where what has been usual of the program for
    /// long has raised that (`monitor --state`).
    ///
    /// Unit: goroutines. Null: the thresholds that were set hold.
    #[serde(default)]
    pub raised_thresholds: Option<[u64; 3]>,
    /// Detectors that lacked something to judge by.
    ///
    /// Null: nobody judged.
    pub not_enough: Option<Vec<NotEnoughDoc<'a>>>,
    /// Goroutines that are ignored as idle, by the reason.
    ///
    /// Unit: goroutines. Null: nobody judged, or goroutines were not looked at.
    pub idle: Option<BTreeMap<Cow<'a, str>, u64>>,
    /// Goroutines that are in no finding and not idle, by the reason. These, the idle ones and the
    /// counts of all findings add up to `totals.goroutines`.
    ///
    /// Unit: goroutines. Null: nobody judged, or goroutines were not looked at.
    pub not_analysed: Option<BTreeMap<Cow<'a, str>, u64>>,
    /// How the number of goroutines went over the window.
    ///
    /// Null: nobody judged, or goroutines were not looked at.
    pub history: Option<Vec<SampleDoc>>,
    /// What makes that number rise.
    ///
    /// Null: it does not rise, nobody judged, or goroutines were not looked at.
    pub rise: Option<RiseDoc<'a>>,
    /// How quantities go that there were enough samples of: since when, where that leads.
    ///
    /// Null: nobody judged.
    #[serde(default)]
    pub trends: Option<Vec<QuantityTrendDoc>>,
    /// What is usual of quantities, by what `monitor --state` remembers, and what there is.
    ///
    /// Null: nobody judged.
    #[serde(default)]
    pub usual: Option<Vec<UsualDoc>>,
    /// Which of those go together for sure, the most alike first.
    ///
    /// Null: nobody judged.
    #[serde(default)]
    pub relations: Option<Vec<RelationDoc>>,
    /// Functions that most goroutines have on their stacks, most first.
    ///
    /// Null: nobody judged, or goroutines were not looked at.
    pub hot_paths: Option<Vec<HotPathDoc<'a>>>,
    /// Who created whom: the largest groups.
    ///
    /// Null: nobody judged, or goroutines were not looked at.
    pub lineage: Option<Vec<LineageDoc<'a>>>,
    /// Who waits for whose lock, over the whole process.
    ///
    /// Null: nobody judged, or goroutines were not looked at.
    pub lock_graph: Option<LockGraphDoc<'a>>,
    /// The process's memory, its Go heap included.
    ///
    /// Null: the source knows nothing of it.
    #[serde(default)]
    pub memory: Option<MemoryAccountDoc>,
    /// What the process holds of the kernel's: descriptors, threads, mappings, child processes.
    ///
    /// Null: the source knows nothing of it.
    #[serde(default)]
    pub resources: Option<ResourceAccountDoc<'a>>,
    /// Lines at which goroutines waited for each other, by the program's own block and mutex profiles.
    ///
    /// Null: the source has none.
    #[serde(default)]
    pub contention: Option<ContentionDoc<'a>>,
    /// Collections of garbage that the agent made the program do, and what they ended.
    ///
    /// Null: none were asked for.
    #[serde(default)]
    pub forced_collections: Option<ForcedCollectionDoc<'a>>,
    /// What leaks, surest first, then by score: the worst thousand. Empty also where nobody judged
    /// (`health` and `not_enough` are null then).
    pub findings: Vec<FindingDoc<'a>>,
    /// How many findings there are beyond those listed.
    ///
    /// Unit: findings. Null: nobody judged.
    pub findings_unlisted: Option<u64>,
    /// Every goroutine of the last observation in exactly one group, largest group first. Their counts
    /// add up to `totals.goroutines`.
    pub groups: Groups,
    /// Where goroutines were created while probes watched, most first; empty without probes.
    pub sites: Sites,
}

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "LookedAt")]
pub enum SubjectDoc {
    /// Goroutines.
    Goroutines,
    /// Memory.
    Memory,
    /// Descriptors, threads, mappings, child processes.
    Resources,
}

impl SubjectDoc {
    /// As a report says it.
    #[must_use]
    pub fn of(subjects: Subjects) -> Vec<Self> {
        let all = [
            (subjects.goroutines, Self::Goroutines),
            (subjects.memory, Self::Memory),
            (subjects.memory, Self::Resources),
        ];
        all.into_iter()
            .filter_map(|(is_looked_at, subject)| is_looked_at.then_some(subject))
            .collect()
    }

    /// What reports are of that do not say so.
    fn all() -> Vec<Self> {
        Self::of(Subjects::ALL)
    }
}

/// The agent that made a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentDoc<'a> {
    /// Its version.
    pub version: Cow<'a, str>,
}

/// The span of time that a report is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowDoc<'a> {
    /// How many observations it held.
    ///
    /// Unit: observations.
    pub observations: u64,
    /// When the first was made, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub first: Option<Cow<'a, str>>,
    /// When the last was made, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub last: Option<Cow<'a, str>>,
    /// The time between them, by a clock that is never set.
    ///
    /// Unit: s.
    pub seconds: f64,
}

/// Sums over all goroutines of the last observation, and rates over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TotalsDoc {
    /// How many there are.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
    /// How many of each wait class.
    ///
    /// Unit: goroutines.
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/WaitClass"}))]
    pub by_wait: BTreeMap<WaitClass, u64>,
    /// Goroutines created.
    ///
    /// Unit: goroutines/s. Null: before the second observation.
    pub created_per_second: Option<f64>,
    /// Goroutines that ended.
    ///
    /// Unit: goroutines/s. Null: before the second observation.
    pub exited_per_second: Option<f64>,
    /// Whether probes saw every creation and exit: whether `rates_basis` is `exact`.
    ///
    /// Null: there are no rates.
    pub rates_exact: Option<bool>,
    /// How the rates are known.
    ///
    /// Null: there are no rates.
    pub rates_basis: Option<RateBasis>,
    /// The 95 % interval of an estimated rate.
    ///
    /// Unit: goroutines/s. Null: the rate is no estimate.
    pub created_per_second_interval: Option<Interval>,
    /// The 95 % interval of an estimated rate.
    ///
    /// Unit: goroutines/s. Null: the rate is no estimate.
    pub exited_per_second_interval: Option<Interval>,
}

/// What the agent cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverheadDoc<'a> {
    /// The agent's own CPU time over the window, of one core.
    ///
    /// Unit: %. Null: before the second observation.
    pub agent_cpu_percent: Option<f64>,
    /// The CPU time that the target paid, of one core, as estimated; 0 with snapshots alone, which run
    /// none of the target's threads.
    ///
    /// Unit: %. Null: it is not known.
    pub target_cpu_percent_estimate: Option<f64>,
    /// The agent's resident memory.
    ///
    /// Unit: bytes. Null: it is not known.
    pub agent_rss_bytes: Option<u64>,
    /// Each pause of the target. Empty: nothing was ever paused.
    ///
    /// Unit: ms.
    pub pauses_ms: Vec<f64>,
    /// How long the last snapshot took.
    ///
    /// Unit: s. Null: it was not measured.
    pub snapshot_seconds: Option<f64>,
    /// What one hit of a probe is taken to cost the target.
    ///
    /// Null: there are no probes.
    pub hit_cost: Option<HitCostDoc<'a>>,
}

/// What one hit of a probe is taken to cost the target, and where that comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitCostDoc<'a> {
    /// What the budget is kept with.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// What a hit costs in an empty loop on this host.
    ///
    /// Unit: s. Null: it was not measured.
    pub loop_seconds: Option<f64>,
    /// How many times that it costs in a real server, whose caches are cold.
    ///
    /// Unit: ratio.
    pub factor: f64,
    /// Why `seconds` is not the product of the two.
    ///
    /// Null: it is.
    pub note: Option<Cow<'a, str>>,
}

/// A detector that could not judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotEnoughDoc<'a> {
    /// The detector.
    pub detector: Cow<'a, str>,
    /// What it lacked.
    pub reason: Cow<'a, str>,
}

/// A number of goroutines that rises over the window, and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiseDoc<'a> {
    /// How many there were at first.
    ///
    /// Unit: goroutines.
    pub from: u64,
    /// How many there are.
    ///
    /// Unit: goroutines.
    pub to: u64,
    /// The change over the window.
    ///
    /// Unit: goroutines/s.
    pub per_second: f64,
    /// By how many goroutines groups rise that are in findings.
    ///
    /// Unit: goroutines.
    pub explained: u64,
    /// By how many goroutines all other groups rise.
    ///
    /// Unit: goroutines.
    pub unexplained: u64,
    /// The groups that rise, most first: some.
    pub groups: Vec<RisingDoc<'a>>,
}

/// Groups of one line and creation site that rise, and what was made of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RisingDoc<'a> {
    /// The signature of the largest of them.
    ///
    /// Null: its group is not in the report.
    pub signature: Option<Cow<'a, str>>,
    /// How many more there are than at first.
    ///
    /// Unit: goroutines.
    pub more: u64,
    /// The id of the finding.
    ///
    /// Null: it is none.
    pub finding: Option<Cow<'a, str>>,
    /// Why it is no finding.
    ///
    /// Null: it is one.
    pub reason: Option<Cow<'a, str>>,
}

/// A function that many goroutines have on their stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HotPathDoc<'a> {
    /// One of the function's frames.
    #[serde(flatten)]
    pub frame: FrameDoc<'a>,
    /// How many goroutines have the function on their stacks.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
}

/// A group, and the group that created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineageDoc<'a> {
    /// The signature of the group.
    pub signature: Cow<'a, str>,
    /// The signature of the group that one of its creators is in now.
    ///
    /// Null: all creators that are known have ended.
    pub created_by: Option<Cow<'a, str>>,
}
