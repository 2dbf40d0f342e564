//! What is made of a window of resources: what there is, what grows, which limit that leads to.

use std::time::Duration;

use super::caused_at::CauseBasis;
use super::growth::Growth;
use super::level::Level;
use super::resources::{Bound, ResourceKey, ResourceKind, Resources};
use super::retained::HeldDescriptors;
use super::stack::{FrameId, StackId};
use super::trend::Reached;

/// What analysis says of what a process holds over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceAccount {
    /// The counts of the last observation, and the last details that there were.
    pub now: Resources,
    /// When those details were read, since the first observation; `None` where none were.
    pub details_at: Option<Duration>,
    /// How often details were read.
    pub readings: u64,
    /// What grows for sure and undiminished, by most first: some.
    pub growing: Vec<ResourceTrend>,
    /// The limits, tightest first.
    pub limits: Vec<ResourceLimit>,
    /// How near the tightest limit is.
    pub level: Level,
    /// The counts over the window, some of them.
    pub history: Vec<ResourcePoint>,
    /// Where open descriptors were opened, as of the last details, by name, and most first within each; of
    /// those alone that were seen to be opened.
    pub opened: Vec<(ResourceKey, OpenedAt)>,
}

/// A line that opened descriptors which are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedAt {
    /// The program's own line that leads to it; the outermost on the stack outside the runtime where none is
    /// known.
    pub frame: FrameId,
    /// How the line is known; `None` where it is not the program's own.
    pub basis: Option<CauseBasis>,
    /// The stack that opened them: of several the one that opened most.
    pub stack: StackId,
    /// How many.
    pub count: u64,
}

/// How a number of things goes over the window.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceTrend {
    /// Which things; those of all names where the name is `None` and it is a kind of several.
    pub key: ResourceKey,
    /// How many there were at first.
    pub from: u64,
    /// How many at last.
    pub to: u64,
    /// Change by the second, with its shape.
    pub growth: Growth,
    /// How many came and how many went; `None` where they are not known apart.
    pub churn: Option<(u64, u64)>,
    /// Whether hardly any were lost again, and hardly any went of those that came.
    pub stays: bool,
    /// Whether they are connections that the other end has closed (`CLOSE_WAIT`).
    pub is_closed_by_peer: bool,
    /// Over how long.
    pub window: Duration,
}

/// A limit, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResourceLimit {
    /// Of what: descriptors, threads or mappings.
    pub kind: ResourceKind,
    /// What is used of it.
    pub bound: Bound,
    /// How near that is.
    pub level: Level,
    /// When it is reached if the growth goes on; `None` where what counts towards it does not grow for sure, or
    /// that is far away.
    pub reached_in: Option<Reached>,
}

/// Counts of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourcePoint {
    /// When, since the first observation.
    pub elapsed: Duration,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Mappings; not counted at every observation.
    pub mappings: Option<u64>,
    /// Children; not counted at every observation.
    pub children: Option<u64>,
}

/// Things that pile up, or are near their limit.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceGrowth {
    /// Which things.
    pub key: ResourceKey,
    /// How many there were at the window's beginning; as many as at its end in a finding of one sample.
    pub from: u64,
    /// How many there are.
    pub to: u64,
    /// How many of those are connections that the other end has closed (`CLOSE_WAIT`).
    pub closed_by_peer: u64,
    /// The limit that they count towards; `None` where none is known.
    pub limit: Option<ResourceLimit>,
    /// The lines that opened them, most first, as far as that was seen.
    pub opened_at: Vec<OpenedAt>,
    /// Who holds the objects of Go's library that stand for them, those of which one holds most first; `None` for what is
    /// no descriptor, and where the heap was not walked.
    pub held_by: Option<Vec<HeldDescriptors>>,
}

impl ResourceGrowth {
    /// How many nobody is known to hold: no object of Go's library was found that stands for them, or the walk has not
    /// reached it.
    #[must_use]
    pub fn held_by_unknown(&self) -> u64 {
        let known = self.held_by.iter().flatten().map(|held| held.count).sum();
        self.held_by.as_ref().map_or(0, |_| self.to.saturating_sub(known))
    }
}
