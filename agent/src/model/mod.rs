//! The values that flow between the rooms: what was seen (`Observation`) and what is made of it (`Assessment`).
//!
//! This room knows nothing but `std`, serde, and strum and schemars for the names of enum values:
//! no clock, no I/O, no source and no output.

pub mod assessment;
pub mod channel;
pub mod finding;
pub mod function;
pub mod goroutine;
pub mod observation;
pub mod overhead;
pub mod pattern;
pub mod rates;
pub mod running;
pub mod stack;
pub mod target;
pub mod text;
pub mod time;
pub mod update;
pub mod wait;

pub use assessment::{
    Ages, Assessment, Group, HotPath, Judgement, Level, Lineage, LockGraph, LockNode, Rise,
    RiseVerdict, Rising, Totals, WindowSpan,
};
pub use channel::{Channel, Mention};
pub use finding::{
    CauseBasis, CauseClass, CausedAt, Evidence, Finding, Forecast, GoroutineLeak, Growth,
    GrowthPattern, Holder, Holders, LockWait, NotEnough, Part, Score, Severity, Snippet, Subject,
    Turnover, Verdict, Waiter,
};
pub use goroutine::{
    BlockedBasis, BlockedFor, Goroutine, LabelsId, ObjectRange, StackView, Status,
};
pub use observation::{
    Coverage, Lifetimes, Observation, ProbeCoverage, ProbeSpell, ProbeState, Site,
};
pub use overhead::{HitCost, Overhead};
pub use pattern::Pattern;
pub use rates::{Rate, RateBasis, Rates};
pub use running::{Halt, Held, Running};
pub use stack::{Frame, FrameId, NameId, Resolved, StackId, StackTable};
pub use target::{Build, Instance, Target, TargetId};
pub use time::Timestamp;
pub use update::{EarlierFinding, EarlierProgram, EarlierPrograms, EarlyEnd, SourceLine, Update};
pub use wait::WaitClass;
