//! The values that flow between the rooms: what was seen (`Observation`) and what is made of it (`Assessment`).
//!
//! This room knows nothing but `std` and serde: no clock, no I/O, no source and no output.

pub mod assessment;
pub mod function;
pub mod goroutine;
pub mod observation;
pub mod stack;
pub mod time;
pub mod wait;

pub use assessment::{Ages, Assessment, Group, HitCost, Overhead, Rates, Totals, WindowSpan};
pub use goroutine::{
    BlockedBasis, BlockedFor, Goroutine, LabelsId, ObjectRange, StackView, Status,
};
pub use observation::{
    Build, Coverage, Lifetimes, Observation, ProbeCoverage, ProbeSpell, ProbeState, Site, Target,
    TargetKind,
};
pub use stack::{Frame, FrameId, NameId, Resolved, StackId, StackTable};
pub use time::Timestamp;
pub use wait::WaitClass;
