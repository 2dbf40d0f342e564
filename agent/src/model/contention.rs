//! Contention, as a program's own block and mutex profiles count it since it started.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stack::{FrameId, StackId};

/// Where goroutines waited for each other, and whom they waited for: what a program counts of itself where it
/// sets `runtime.SetBlockProfileRate` and `SetMutexProfileFraction`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contention {
    /// Stacks that waited, of the block profile.
    pub waits: Vec<Contended>,
    /// Stacks that let others go on, of the mutex profile: each at the unlock that ended the others' wait.
    pub releases: Vec<Contended>,
}

impl Contention {
    /// Every stack that it names.
    pub fn stacks(&self) -> impl Iterator<Item = StackId> {
        self.waits.iter().chain(&self.releases).map(|contended| contended.stack)
    }
}

/// A stack, and how much waiting is on its account since the program started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contended {
    /// The stack.
    pub stack: StackId,
    /// How often, scaled up by the profile's rate.
    pub count: u64,
    /// How long in all.
    pub delay: Duration,
}

/// Contention by line, most delay first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContendedLines {
    /// Lines that waited.
    pub waits: Vec<ContendedLine>,
    /// Lines that others waited for.
    pub releases: Vec<ContendedLine>,
}

impl ContendedLines {
    /// Whether there is nothing to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.waits.is_empty() && self.releases.is_empty()
    }
}

/// A line, and how much waiting is on its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContendedLine {
    /// The line: the innermost of the user's own code, or else outside the runtime.
    pub at: FrameId,
    /// How often.
    pub count: u64,
    /// How long in all.
    pub delay: Duration,
    /// How many goroutines wait at that line now; 0 for those that others waited for.
    pub waiting: u64,
}
