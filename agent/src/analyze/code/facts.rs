//! What is asked of the code at a line, and the answer.

use crate::model::{Mistake, Pattern, SourceNote, WaitClass};

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Place {
    /// The file, as an index into those that were given.
    pub(in super::super) file: usize,
    /// The line, from 1.
    pub(in super::super) line: u32,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Question {
    /// Where the goroutine blocks.
    pub(in super::super) blocked: Place,
    /// What it waits for.
    pub(in super::super) wait: WaitClass,
    /// The `go` statement that created it, where its file is at hand.
    pub(in super::super) created: Option<Place>,
}

/// What the code says about a blocked goroutine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Facts {
    /// Whether a statement on that line fits what the goroutine waits for.
    pub(in super::super) is_found: bool,
    /// The mistake it looks like.
    pub(in super::super) mistake: Option<Found>,
    /// What it waits for, where that is one of a kind.
    pub(in super::super) awaits: Awaits,
    /// One of the cases of a select is a timer's: it continues by itself.
    pub(in super::super) wakes: bool,
    /// It waits on a channel that signals of the operating system are sent to.
    pub(in super::super) awaits_signal: bool,
    /// It receives or selects in an endless loop, as an idle worker does. `None` where that cannot be
    /// told: it neither receives nor selects here.
    pub(in super::super) is_worker_loop: Option<bool>,
    /// What is worth saying of the line, apart from the mistake.
    pub(in super::super) remarks: Vec<SourceNote>,
}

/// A mistake that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Found {
    /// The known kind of mistake.
    pub(in super::super) pattern: Pattern,
    /// How sure that is.
    pub(in super::super) confidence: Confidence,
    /// The mistake itself, with names and lines.
    pub(in super::super) mistake: Mistake,
}

/// What a receive, range or select waits for, if for nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum Awaits {
    /// Something else, or it cannot be told.
    #[default]
    Other,
    /// Contexts to be done, possibly beside timers.
    Context,
    /// Timers or tickers.
    Timer,
}

/// How sure a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Confidence {
    /// The code allows it; much that matters is not in the files at hand.
    Low,
    /// The code looks like it.
    Medium,
    /// The code shows it: everything that matters is in the files at hand.
    High,
}
