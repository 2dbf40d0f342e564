//! The values that come out of a look at the source.

use std::ops::RangeInclusive;

use crate::model::Pattern;

/// What the source says about a blocked goroutine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The function around the blocked line.
    pub function: Enclosing,
    /// What blocks there; `None` where nothing on that line fits what the goroutine waits for.
    pub statement: Option<Statement>,
    /// The innermost loop around it, within its function.
    pub in_loop: Option<LoopKind>,
    /// The mistake it looks like.
    pub pattern: Option<Pattern>,
    /// How sure the pattern is; of no meaning without one.
    pub confidence: Confidence,
    /// What it waits for, where that is one of a kind.
    pub awaits: Awaits,
    /// One of the cases of a select is a timer's: it goes on by itself.
    pub wakes: bool,
    /// It waits on a channel that signals of the operating system are sent to.
    pub awaits_signal: bool,
    /// It receives or selects in a loop that goes on for ever, as an idle worker does. `None` where
    /// that cannot be told: it neither receives nor selects here.
    pub is_worker_loop: Option<bool>,
    /// The code has a way to end the wait: a case for a context, a `done` channel, a time-out or a
    /// default; or a close of the channel that it reads. `None` where that cannot be told.
    pub has_exit_case: Option<bool>,
    /// Plain sentences, each with a line number.
    pub notes: Vec<String>,
    /// What to change, naming variables and lines.
    pub fix: Option<String>,
    /// The lines worth showing.
    pub snippet: RangeInclusive<u32>,
}

/// What a receive, range or select waits for, if for nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Awaits {
    /// Something else, or it cannot be told.
    #[default]
    Other,
    /// Contexts to be done, beside timers perhaps.
    Context,
    /// Timers or tickers.
    Timer,
}

/// A function and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosing {
    /// Its name, as people write it: `Worker.run`.
    pub name: String,
    /// Its first line.
    pub first: u32,
    /// Its last line.
    pub last: u32,
}

/// A statement that blocks. Channels and locks are as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `channel <- v`.
    Send {
        /// The channel.
        channel: String,
    },
    /// `<-channel`.
    Receive {
        /// The channel.
        channel: String,
    },
    /// `for range channel`.
    Range {
        /// The channel.
        channel: String,
    },
    /// `select`.
    Select {
        /// Cases without the default.
        cases: usize,
        /// Whether there is a default.
        default: bool,
    },
    /// A `Lock` or `RLock`.
    Lock {
        /// The lock.
        lock: String,
        /// For reading.
        read: bool,
    },
    /// A `Wait`, of a `WaitGroup`, a `Cond` or a process.
    Wait {
        /// What is waited for.
        on: String,
    },
    /// `time.Sleep`.
    Sleep,
    /// A call of another function.
    Call {
        /// The function.
        function: String,
    },
}

/// A kind of loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// Without a condition: only a break, return or panic ends it.
    Endless,
    /// With a condition, a count, or a range.
    Bounded,
}

/// How sure a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The code allows it; much that matters is not in the files at hand.
    Low,
    /// The code looks like it.
    Medium,
    /// The code shows it: everything that matters is in the files at hand.
    High,
}
