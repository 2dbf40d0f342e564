//! What a target ran before, and why its sampling ended early.

use std::sync::Arc;
use std::time::Duration;

use super::class::CauseClass;
use super::finding::Verdict;
use super::source_line::SourceLine;
use super::time::Timestamp;

/// A program that a target ran before it executed another one, or itself anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierProgram {
    /// When the next program was first seen.
    pub replaced_at: Timestamp,
    /// For how long this one was watched.
    pub watched: Duration,
    /// How many findings it had.
    pub found: u64,
    /// The worst of them.
    pub worst: Vec<EarlierFinding>,
}

/// A finding of a program that runs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierFinding {
    /// How sure it was.
    pub verdict: Verdict,
    /// What kind of leak.
    pub class: CauseClass,
    /// How many goroutines.
    pub count: u64,
    /// Where they blocked, if that was known.
    pub blocked_at: Option<SourceLine>,
}

/// The programs that a target ran before the one that an assessment is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierPrograms {
    /// The latest of them, the latest last.
    pub known: Vec<Arc<EarlierProgram>>,
    /// How many there were before those.
    pub more: u64,
}

/// Why nothing was sampled any more after the last sample of an assessment, where that was neither its
/// planned end nor, where none was planned, a request to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarlyEnd {
    /// The target has exited.
    Exited,
    /// A finding that is at least likely had stood for this many samples, which is what was waited for.
    Found {
        /// How many samples it had stood for.
        samples: u32,
    },
    /// It was asked to stop before its planned end.
    Stopped {
        /// For how long it was to be watched.
        planned: Duration,
    },
    /// Its time was up, and for most of it no sample could be taken: the host was too busy, or the target could not be read.
    Starved {
        /// For how long it was to be watched.
        planned: Duration,
    },
    /// It was asked to stop while the next sample was taken or judged, which was not waited for.
    Interrupted {
        /// For how long it was to be watched; `None` where that was until a request to stop.
        planned: Option<Duration>,
    },
    /// The target could not be sampled any more, for the reason given.
    Failed(String),
}
