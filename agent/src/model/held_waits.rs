//! What keeps that within reach which goroutines wait on: why their leak is not proven.

use super::retained::HeldPath;
use super::stack::FrameId;
use super::wait::WaitClass;

/// Goroutines that are suspected to leak for one cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    /// The ids of all of them.
    pub goids: Vec<u64>,
    /// Some of them, with what they wait on; empty where that is not asked for.
    pub waits: Vec<SuspectWait>,
}

/// What one of them waits on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspectWait {
    /// Its id.
    pub goid: u64,
    /// Addresses of channels, or of a lock.
    pub objects: Vec<u64>,
    /// Whether they are channels.
    pub is_channel: bool,
}

/// Who holds what goroutines wait on, by a walk of the heap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldWaits {
    /// In which ways it is held, the commonest first: some.
    pub by: Vec<HeldWait>,
    /// Of how many goroutines that was looked at. Those that wait on several things count for the one that is held best.
    pub looked_at: u64,
    /// Of how many of them what they wait on is held in ways that are not listed.
    pub others: u64,
    /// Of how many of them it is not known, since the walk was not completed, or not all could be read.
    pub unknown: u64,
}

/// What some goroutines wait on that is held in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldWait {
    /// In which.
    pub way: WaitHolder,
    /// How many goroutines.
    pub goroutines: u64,
}

/// Who holds what goroutines wait on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitHolder {
    /// A variable, or other goroutines, by a path.
    Path(HeldPath, Option<HoldingGoroutines>),
    /// Nothing but the stacks of those that wait on it.
    Themselves,
    /// Besides these only words on stacks of other goroutines, which may have no use for them any more.
    LeftOnStacks(HeldPath),
    /// Nothing that the walk saw.
    Nothing,
}

/// Goroutines whose stacks hold something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldingGoroutines {
    /// The ids of some; empty where they are too many to tell which.
    pub goids: Vec<u64>,
    /// Where they are themselves suspects, which, by place among those that were asked about.
    pub suspects: Option<usize>,
    /// The finding that is about them.
    pub finding: Option<String>,
    /// How the first of them waits; `None` where that is not known.
    pub wait: Option<WaitClass>,
    /// Where it is; `None` where that is not known.
    pub at: Option<FrameId>,
}
