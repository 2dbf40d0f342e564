//! Groups: goroutines with the same signature.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{FrameDoc, StackFrameDoc};
use crate::model::{RateBasis, WaitClass};

/// Goroutines with the same signature: the same normalised frames of the blocked stack, wait class and
/// creation site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupDoc<'a> {
    /// Wait class, frames and creation site as one line of text: the same for the same group in every
    /// observation, process and build path.
    pub signature: Cow<'a, str>,
    /// How many goroutines.
    ///
    /// Unit: goroutines.
    pub count: u64,
    /// How many there were in the observation before.
    ///
    /// Unit: goroutines. Null: in the first observation.
    pub previous: Option<u64>,
    /// How its count changes over the window (least squares).
    ///
    /// Unit: goroutines/s. Null: before the second observation.
    pub growth_per_second: Option<f64>,
    /// Goroutines created at the group's creation site, those that do not stay included.
    ///
    /// Unit: goroutines/s. Null: no probe saw it.
    pub created_per_second: Option<f64>,
    /// How that rate is known.
    ///
    /// Null: there is no rate.
    pub rates_basis: Option<RateBasis>,
    /// The 95 % interval of an estimated rate.
    ///
    /// Unit: goroutines/s. Null: the rate is no estimate.
    pub created_per_second_interval: Option<Interval>,
    /// What the goroutines wait for.
    pub wait_class: WaitClass,
    /// The wait: reason, times and object.
    pub wait: WaitDoc<'a>,
    /// For how long the goroutines have existed, as far as probes saw them created.
    ///
    /// Null: nobody's creation was seen.
    pub age: Option<AgeDoc>,
    /// The innermost frame of the program's own code (outside the runtime and the standard library), or
    /// else the innermost outside the runtime.
    ///
    /// Null: there is no such frame, or no stack.
    pub blocked_at: Option<FrameDoc<'a>>,
    /// The `go` statement that created them.
    ///
    /// Null: it is not known.
    pub created_by: Option<FrameDoc<'a>>,
    /// The whole stack of one of their creators, innermost frame first.
    ///
    /// Null: no probe saw one.
    pub creation_stack: Option<Vec<StackFrameDoc<'a>>>,
    /// The stack of one of them, innermost frame first.
    ///
    /// Null: it could not be read; `no_stack` says why.
    pub stack: Option<Vec<StackFrameDoc<'a>>>,
    /// How many frames of a stack that is too deep are missing in the middle; 0 for a whole one.
    ///
    /// Unit: frames. Null: there is no stack.
    pub stack_elided: Option<u32>,
    /// Why there is no stack.
    ///
    /// Null: there is one.
    pub no_stack: Option<Cow<'a, str>>,
    /// The profiler labels (`pprof.Do`) that all of them share.
    pub labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// The ids of some, smallest first.
    ///
    /// Unit: goroutine ids.
    pub goids_sample: Vec<u64>,
    /// How many have not moved through the last two thirds of the window.
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub stuck: u64,
    /// How many are locked to their thread (`runtime.LockOSThread`).
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub locked_to_thread: u64,
    /// The id of the finding that the group is in.
    ///
    /// Null: it is in none.
    pub finding: Option<Cow<'a, str>>,
}

/// What a group waits for, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitDoc<'a> {
    /// The runtime's own wait reason, as in a goroutine dump.
    ///
    /// Null: they do not wait, or the source does not say.
    pub reason: Option<Cow<'a, str>>,
    /// The longest time blocked.
    ///
    /// Unit: s. Null: nobody's is known.
    pub oldest_seconds: Option<f64>,
    /// The median of the times blocked.
    ///
    /// Unit: s. Null: nobody's is known.
    pub median_seconds: Option<f64>,
    /// Whether probes saw all of them block, so that these times are exact; else they are lower bounds.
    #[serde(default)]
    pub exact: bool,
    /// The address of what most of the group wait on, in hexadecimal.
    ///
    /// Null: none was found.
    pub object: Option<Cow<'a, str>>,
    /// How many goroutines of the whole process wait on that object.
    ///
    /// Unit: goroutines. Null: no object was found.
    pub waiters: Option<u64>,
    /// How many distinct objects the group waits on.
    ///
    /// Unit: objects. Null: no object was found.
    pub objects: Option<u64>,
}

/// For how long those of a group have existed whose creation a probe saw; these times are exact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgeDoc {
    /// Of how many it is known.
    ///
    /// Unit: goroutines.
    pub known: u64,
    /// The longest.
    ///
    /// Unit: s.
    pub oldest_seconds: f64,
    /// The median.
    ///
    /// Unit: s.
    pub median_seconds: f64,
}

/// An interval: its lower and its upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval(pub f64, pub f64);
