//! Who waits for whose lock, as far as a finding is concerned.

use super::stack::FrameId;
use super::wait::WaitClass;

/// Goroutines that wait for each other's locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockWait {
    /// A deadlock cycle that some of them are part of, in the order in which each waits for the next; empty
    /// without one. Of several it is an example.
    pub cycle: Vec<Waiter>,
    /// How many deadlock cycles they are part of, as far as stacks were searched.
    pub cycles: u64,
    /// How many goroutines the shortest and the longest of those cycles have; `None` without any.
    pub lengths: Option<(usize, usize)>,
    /// How many of the finding's goroutines are part of a deadlock cycle.
    pub in_cycles: u64,
    /// How many locks they wait for.
    pub locks: u64,
    /// Who probably holds the lock, where all of them wait for one.
    pub likely_holder: Option<Holder>,
    /// Who probably hold the locks, where they wait for several.
    pub holders: Option<Holders>,
}

/// Goroutines that probably hold one lock each, and do the same at the same line: the commonest kind of holders
/// of several locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holders {
    /// What each is doing; without the address of what it waits for, which they do not share.
    pub doing: Doing,
    /// The line where each is; `None` where it is not known.
    pub at: Option<FrameId>,
    /// How many goroutines wait for locks that such goroutines hold.
    pub waiters: u64,
}

/// A goroutine and the lock that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its id.
    pub goid: u64,
    /// The lock's address.
    pub object: u64,
    /// The line where it waits; `None` where it is not known.
    pub at: Option<FrameId>,
}

/// A goroutine that probably holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub goid: u64,
    /// What it is doing itself.
    pub doing: Doing,
    /// Whether it has stood there for as long as anybody looked, so that it will not let go.
    pub is_stuck: bool,
    /// The line where it is; `None` where it is not known.
    pub at: Option<FrameId>,
}

/// What a goroutine does that probably holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// It waits, runs, or is ready to.
    Wait {
        /// In which way.
        class: WaitClass,
        /// What it waits for, where that is one object.
        object: Option<u64>,
        /// Whether it is part of a deadlock cycle.
        in_cycle: bool,
    },
    /// It kept changing while it was read.
    Moves,
}

impl Doing {
    /// The same without the address of what it waits for.
    #[must_use]
    pub const fn without_object(self) -> Self {
        match self {
            Self::Wait { class, in_cycle, .. } => Self::Wait { class, object: None, in_cycle },
            Self::Moves => Self::Moves,
        }
    }
}
