//! Contention, as a program's own block and mutex profiles count it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stack::{FrameId, StackId};

/// Where goroutines waited for each other, and whom they waited for: what a program counts of itself where it
/// sets `runtime.SetBlockProfileRate` and `SetMutexProfileFraction`. A profile that is not at hand is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contention {
    /// Stacks that waited, of the block profile.
    pub waits: Option<Counted>,
    /// Stacks that let others go on, of the mutex profile: each at the unlock that ended the others' wait.
    pub releases: Option<Counted>,
}

impl Contention {
    /// Every stack that it names.
    pub fn stacks(&self) -> impl Iterator<Item = StackId> {
        let both = self.waits.iter().chain(&self.releases);
        both.flat_map(|counted| &counted.stacks).map(|contended| contended.stack)
    }
}

/// What profiles of one kind count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// By stack.
    pub stacks: Vec<Contended>,
    /// Over how long, where that is not since the program started: profiles of a part of its time, summed.
    pub over: Option<Duration>,
    /// When the latest of the profiles was made, after the source's first observation.
    pub at: Duration,
}

/// A stack, and how much waiting is on its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contended {
    /// The stack.
    pub stack: StackId,
    /// How often, scaled up by the profile's rate.
    pub count: u64,
    /// How long in all.
    pub delay: Duration,
}

/// Contention by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContendedLines {
    /// Lines that waited; `None` without a block profile.
    pub waits: Option<LinesOf>,
    /// Lines that others waited for; `None` without a mutex profile.
    pub releases: Option<LinesOf>,
}

/// Lines of one kind of profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinesOf {
    /// Those with the most delay, most first.
    pub lines: Vec<ContendedLine>,
    /// As [`Counted::over`].
    pub over: Option<Duration>,
    /// The time between the window's first profile and its last; `None` where there is one, or the last
    /// counts less than the first.
    pub within: Option<Duration>,
}

impl ContendedLines {
    /// Lines that waited; none without a block profile.
    #[must_use]
    pub fn waits(&self) -> &[ContendedLine] {
        self.waits.as_ref().map_or(&[], |it| &it.lines)
    }

    /// Lines that others waited for; none without a mutex profile.
    #[must_use]
    pub fn releases(&self) -> &[ContendedLine] {
        self.releases.as_ref().map_or(&[], |it| &it.lines)
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
    /// How much of that is within the window; `None` where that is not known.
    pub within: Option<(u64, Duration)>,
    /// How many goroutines wait at that line now; 0 for those that others waited for.
    pub waiting: u64,
}
