//! Detectors: each looks at a case in one way and says what it found, with its numbers.

mod accumulated;
mod busy;
mod counts;
pub(super) mod growth;
mod locks;
mod nature;
mod stuck;

use super::case::Case;
use super::settings::Settings;
use crate::model::{DetectorKind, Evidence, Lack, NoLeak, Verdict};
pub(super) use nature::is_finalizer;

/// What a detector says of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Nothing.
    Clear,
    /// A leak.
    Found(Found),
    /// It lacks something to judge by.
    NotEnough(Lack),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// How sure that makes it.
    pub(super) verdict: Verdict,
    /// How many of the case it is about.
    pub(super) count: u64,
    /// What states it.
    pub(super) evidence: Evidence,
}

/// What a detector may look at beside the case.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) settings: &'a Settings,
    /// How many separate deadlock cycles there are in the process.
    pub(super) cycles: u64,
    /// What [`growth::weigh`] says of the case: the detector shows it, and so does what is said of a rise.
    pub(super) steady_growth: &'a Result<Found, NoLeak>,
    /// Whether the case seems to be idle on purpose.
    pub(super) is_idle: bool,
}

/// Looks at a case in one way.
pub(super) trait Detector: Sync {
    /// Which it is.
    fn kind(&self) -> DetectorKind;

    /// Whether it judges by what happens in time, and so not a target that could not run.
    fn needs_time(&self) -> bool {
        true
    }

    /// Looks. The same case and scene give the same outcome, always.
    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome;
}

/// All detectors, in the order in which their evidence is shown.
pub(super) const ALL: &[&dyn Detector] = &[
    &nature::RuntimeSays,
    &nature::Unreachable,
    &nature::ForEver,
    &nature::Finalizer,
    &locks::Cycle,
    &locks::StuckLock,
    &growth::SteadyGrowth,
    &counts::CountGrowth,
    &accumulated::Accumulated,
    &busy::Busy,
    &stuck::Large,
    &stuck::TooLong,
    &stuck::Confirmed,
    &stuck::Listed,
    &stuck::Stuck,
];

fn found(verdict: Verdict, count: u64, evidence: Evidence) -> Outcome {
    Outcome::Found(Found { verdict, count, evidence })
}
