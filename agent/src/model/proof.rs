//! What was done to prove that goroutines leak, and what it showed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// How far proofs are: goroutines that are blocked for good, because nothing that can still run can reach what they
/// wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofCoverage {
    /// What became of the latest attempt.
    pub latest: ProofAttempt,
    /// How often the target was held still for one.
    pub held: u64,
    /// Goroutines that were proven to leak, by this attempt or one before, and are still there.
    pub proven: u64,
    /// Goroutines that were proven to leak and ran again: a fault of the proof.
    pub contradicted: u64,
    /// What the proven keep, as of the latest proof; `None` before one could tell.
    #[serde(default)]
    pub kept: Option<KeptHeap>,
    /// How long after the first sample it was last told which goroutines can be reached; `None` before.
    #[serde(default)]
    pub decided: Option<Duration>,
}

/// Heap that only goroutines lead to that are proven to leak: the collector keeps it for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHeap {
    /// What goroutines of one kind lead to, and no others do.
    pub alone: Vec<KeptAlone>,
    /// Bytes that goroutines of several kinds lead to.
    pub shared_bytes: u64,
}

/// What goroutines of one kind keep: those that stand alike, and come from one `go` statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAlone {
    /// The id of one of them.
    pub goid: u64,
    /// Bytes.
    pub bytes: u64,
}

impl KeptHeap {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.alone.iter().fold(self.shared_bytes, |sum, it| sum.saturating_add(it.bytes))
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProofAttempt {
    /// No goroutine has been blocked for long enough, or all that have are proven.
    NoCandidate,
    /// All that are blocked and not proven can still be reached, as far as can be seen without holding the target still.
    AllReachable {
        /// How many they are.
        candidates: u64,
        /// How long it took to see that.
        took: Duration,
    },
    /// The target was held still, and it was decided which goroutines can be reached.
    Done(ProofRun),
    /// It was not held still.
    Refused {
        /// Why, as part of a sentence.
        why: String,
    },
    /// It was begun and came to no result.
    Failed {
        /// Why, as part of a sentence.
        why: String,
    },
}

impl ProofAttempt {
    /// Whether it told which goroutines can be reached.
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        match self {
            Self::NoCandidate | Self::AllReachable { .. } | Self::Done(_) => true,
            Self::Refused { .. } | Self::Failed { .. } => false,
        }
    }
}

/// Whose verdict it is that goroutines are proven to leak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvenBy {
    /// Those that leak-agent proved from outside.
    pub agent: u64,
    /// Those that the runtime reports itself, as of when the program last made its `goroutineleak` profile.
    pub runtime: u64,
    /// Those of whom both say so.
    pub both: u64,
}

/// Goroutines that the runtime reports and leak-agent does not prove, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuntimeAlone {
    /// The main goroutine, of which nothing is ever proven.
    pub main: u64,
    /// They wait for something that is never proven to be out of reach.
    pub other_waits: u64,
    /// No proof has come to a result.
    pub untold: u64,
    /// They have not waited since before the latest proof.
    pub since: u64,
    /// As far as can be seen from outside, something can still reach what they wait for.
    pub in_reach: u64,
}

impl RuntimeAlone {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.main + self.other_waits + self.untold + self.since + self.in_reach
    }

    /// Those of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            main: self.main + other.main,
            other_waits: self.other_waits + other.other_waits,
            untold: self.untold + other.untold,
            since: self.since + other.since,
            in_reach: self.in_reach + other.in_reach,
        }
    }
}

/// A proof that came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofRun {
    /// How the target was held still.
    pub method: ProofMethod,
    /// For how long it stood.
    pub pause: Duration,
    /// How long all of it took.
    pub took: Duration,
    /// Goroutines that were blocked on what can be proven to be out of reach.
    pub candidates: u64,
    /// Those among them that something can still reach.
    pub reachable: u64,
    /// Bytes of the heap that were found to be in use.
    pub marked_bytes: u64,
    /// What could not be told precisely, so that a leak may have been missed, or nothing was proven.
    pub gaps: Vec<String>,
}

/// How a target is held still.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProofMethod {
    /// A copy of its memory was made, and the target ran on while that was read.
    Clone,
    /// It stood until all was read.
    Freeze,
}

impl ProofMethod {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
