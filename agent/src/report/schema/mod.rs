//! The one definition of `leak-agent/report/v1` and of the agent's other JSON: types that are written and
//! read back by the same derive.
//!
//! `report::json` makes them of an assessment; whoever reads a report (a baseline, `compare`, the tests)
//! gets them from [`read()`]. What a field means, its unit, and when it is null is its documentation here,
//! of which `cargo xtask docs` makes a page and a JSON Schema each in `docs`. The form of that
//! documentation: sentences, then an empty line, then `Unit: s.`, `Null: when.` and `Since: version.` as
//! far as they apply. Keys are only ever added within v1: a field that is added later has
//! `#[serde(default)]` or is an `Option`, so that older reports can still be read, and unknown keys are
//! ignored, so that newer ones can. What is not known is null, never 0.

mod alert;
mod allocated;
mod amount;
mod compare;
mod contention;
mod coverage;
mod daemon;
pub mod described;
pub mod doctor;
mod document;
mod finding;
mod fleet;
mod forced;
mod frame;
mod group;
mod heap_holder;
mod held_waits;
mod list;
mod locks;
mod memory;
mod monitor;
pub mod name;
mod place;
mod profile;
mod read;
mod resources;
mod retained;
mod sample;
mod site;
mod trend;

pub use alert::{AlertDoc, AlertEventDoc, AlertEventKind, AlertTargetDoc};
pub use allocated::{AllocatedAtDoc, AllocatedDoc};
pub use amount::AmountDoc;
pub use compare::{
    ChangeKind, ChangedDoc, ComparisonDoc, MomentDoc, MomentMemoryDoc, ResourceChangeDoc,
};
pub use contention::{ContendedLineDoc, ContentionDoc};
pub use coverage::{
    BuildDoc, CoverageDoc, HeldDoc, ProbeDoc, ProcessDoc, ProofDoc, ProofStateDoc, SpellDoc,
    TargetDoc, TargetKind,
};
pub use daemon::{DaemonDoc, DaemonTargetDoc, TargetState};
pub use doctor::DoctorDoc;
pub use document::{
    AgentDoc, Document, HitCostDoc, HotPathDoc, LineageDoc, NotEnoughDoc, OverheadDoc, RiseDoc,
    RisingDoc, SubjectDoc, TotalsDoc, WindowDoc,
};
pub use finding::{
    CausedAtDoc, FindingDoc, ForecastDoc, GrowthDoc, HoldersDoc, LockWaitDoc, MemoryDoc,
    MemoryGrowthDoc, PartDoc, ProvenByDoc, ScoreDoc, SourceDoc, SubjectKind, TurnoverDoc,
};
pub use fleet::{
    FailedInstanceDoc, FleetCountDoc, FleetDoc, FleetGroupDoc, FleetIgnoredDoc, FleetInstanceDoc,
    OnlyWhereDoc,
};
pub use forced::{ForcedCollectionDoc, FreedDoc, WouldFreeDoc};
pub use frame::{FrameDoc, StackFrameDoc};
pub use group::{AgeDoc, GroupDoc, Interval, WaitDoc};
pub use heap_holder::HeapHolderDoc;
pub use held_waits::{WaitHeldDoc, WaitHolderKind, WaitsHeldDoc};
pub use list::{GoProcessDoc, ListDoc};
pub use locks::{HolderDoc, LockDoc, LockGraphDoc, WaiterDoc};
pub use memory::{
    CliffDoc, CollectorDoc, HeapDoc, HeapProfileDoc, HeldHeapDoc, LargeLinesDoc, LimitDoc,
    LimitKindDoc, MemoryAccountDoc, MemoryPointDoc, ProcessMemoryDoc, ResidentDoc, SizeClassDoc,
    TrendDoc,
};
pub use monitor::{EventDoc, EventKind, MonitorLine, NewsDoc, WasDoc};
pub use name::SchemaName;
pub use place::PlaceDoc;
pub use profile::{FilesDoc, NotJudgedDoc, ProfileDoc, ProfileFaultDoc, UnreadFileDoc};
pub use read::{ReadError, Streamed, read};
pub use resources::{
    HeldDescriptorsDoc, LeadsTo, OpenedAtDoc, ResourceAccountDoc, ResourceGroupDoc,
    ResourceGrowthDoc, ResourceLimitDoc, ResourcePointDoc, ResourceSampleDoc, UsageDoc,
};
pub use retained::{
    HeapCycleDoc, HeapPathDoc, HeapStepDoc, HeapTypeDoc, HeldSinceDoc, HolderChangeDoc,
    MemoryReportDoc, RetainedClassDoc, RetainedDoc, TypeChangeDoc, WalkDoc,
};
pub use sample::SampleDoc;
pub use site::{LifetimesDoc, SiteDoc};
pub use trend::{
    EstimateDoc, HindsightDoc, OutlierDoc, OutlookDoc, QuantityTrendDoc, RelationDoc, SeasonDoc,
    ThresholdDoc, UsualDoc,
};

#[cfg(test)]
mod tests;
