//! The values that flow between the rooms: what was seen (`Observation`) and what is made of it (`Assessment`).
//!
//! This room knows nothing but `std`, serde, and strum and schemars for the names of enum values:
//! no clock, no I/O, no source and no output.

pub mod account;
pub mod allocated;
mod amount;
pub mod assessment;
pub mod cause;
pub mod caused_at;
pub mod channel;
pub mod class;
pub mod contention;
pub mod earlier;
pub mod evidence;
pub mod files;
pub mod finding;
pub mod fleet;
pub mod forced;
pub mod function;
pub mod goroutine;
mod growth;
mod habits;
pub mod held_waits;
pub mod level;
pub mod lock_wait;
mod members;
pub mod memory;
pub mod memory_account;
pub mod note;
pub mod observation;
pub mod overhead;
pub mod pattern;
pub mod probe;
mod profile;
pub mod proof;
pub mod rates;
pub mod resource_account;
pub mod resources;
pub mod retained;
pub mod running;
mod source_line;
pub mod source_rule;
pub mod stack;
mod subjects;
pub mod suggestion;
pub mod target;
pub mod time;
mod trend;
pub mod update;
pub mod wait;

pub use account::{Background, IdleReason, Ignored, NoLeak, NotAnalysed};
pub use allocated::{
    Allocated, AllocatedAt, AllocatedCoverage, AllocatedSample, AllocationBasis, AllocationSite,
    NotAllocated, NotSampled, Restored,
};
pub use amount::Amount;
pub use assessment::{
    Ages, Assessment, Group, HotPath, Judgement, Lineage, LockGraph, LockNode, NoStack, Rise,
    RiseVerdict, Rising, Totals, WindowSpan,
};
pub use cause::{Buffer, Cause, ChannelNumber, Channels, NamedWait};
pub use caused_at::{CauseBasis, CausedAt};
pub use channel::{Channel, Mention};
pub use class::CauseClass;
pub use contention::{Contended, ContendedLine, ContendedLines, Contention, Counted, LinesOf};
pub use earlier::{EarlierFinding, EarlierProgram, EarlierPrograms, EarlyEnd};
pub use evidence::{
    Accumulation, DetectorKind, Evidence, HeapHeld, HeldBy, Lack, NotEnough, Stillness,
};
pub use files::{FilesCoverage, NotJudged, TimeBasis, UnreadFile};
pub use finding::{
    Finding, GoroutineLeak, MemoryGrowth, Part, PiledUp, Score, Severity, Snippet, Subject,
    Turnover, Verdict,
};
pub use fleet::{FailedInstance, Fleet, FleetGroup, FleetInstance, FleetLine, OnlyWhere};
pub use forced::{
    Around, CollectionBand, CollectionVerdict, ForcedCollection, Freed, MIN_PILED_UP,
    MIN_PILED_UP_BYTES, MIN_PILED_UP_PERCENT, Measured, WouldFree,
};
pub use goroutine::{
    BlockedBasis, BlockedFor, Goroutine, LabelsId, ObjectRange, StackView, Status,
};
pub use growth::{Forecast, Growth, GrowthPattern};
pub use habits::{Habits, Sizes, Usual};
pub use held_waits::{HeldWait, HeldWaits, HoldingGoroutines, SuspectWait, Suspects, WaitHolder};
pub use level::Level;
pub use lock_wait::{Doing, Holder, Holders, LockWait, Waiter};
pub use members::{Member, Members};
pub use memory::{
    GroupMemory, Heap, HeapProfile, HeapProfileBasis, LargeAllocations, LargeSite, Memory,
    ProcessMemory, ProfiledSite, ProfiledSites, SizeClass,
};
pub use memory_account::{
    Allocation, Cliff, Collector, KeptAllocations, LargeLines, LimitKind, LimitUse, MemoryAccount,
    MemoryKind, MemoryPoint, RssParts, Trend,
};
pub use note::CoverageNote;
pub use observation::{Coverage, Lifetimes, Observation, Site};
pub use overhead::{HitCost, HitNote, Overhead};
pub use pattern::Pattern;
pub use probe::{ProbeCoverage, ProbeEvent, ProbeReason, ProbeSpell, ProbeState};
pub use profile::{ProfileCoverage, ProfileFault, ProfileForm};
pub use proof::{
    KeptAlone, KeptHeap, ProofAttempt, ProofCoverage, ProofMethod, ProofRun, ProvenBy, RuntimeAlone,
};
pub use rates::{Rate, RateBasis, Rates};
pub use resource_account::{
    OpenedAt, ResourceAccount, ResourceGrowth, ResourceLimit, ResourcePoint, ResourceTrend,
};
pub use resources::{
    Bound, Opened, ResourceDetails, ResourceGroup, ResourceKey, ResourceKind, ResourceName,
    ResourcePart, Resources, TcpState, Usage,
};
pub use retained::{
    Collectable, HeapCycle, HeapHolder, HeapPath, HeapStep, HeapType, HeldChange, HeldDescriptors,
    HeldHeap, HeldPath, HeldSince, HolderKind, Retained, RetainedClass, WalkCoverage,
};
pub use running::{Halt, Held, Running};
pub use source_line::SourceLine;
pub use source_rule::{Mistake, SourceNote};
pub use stack::{Frame, FrameId, NameId, Resolved, StackId, StackTable};
pub use subjects::Subjects;
pub use suggestion::{Advice, Made, Suggestion};
pub use target::{Build, InStore, Instance, Store, Target, TargetId};
pub use time::Timestamp;
pub use trend::{
    Estimate, Hindsight, NoOutlook, Outlier, Outlook, Quantity, QuantityTrend, Reached, Relation,
    Season, Threshold, Turn,
};
pub use update::Update;
pub use wait::{StackHints, WaitClass};
