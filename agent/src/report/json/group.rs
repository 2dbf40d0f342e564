//! Groups, each with its wait, its lines, its stack, and the finding that it is.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;

use super::frame::{FrameDoc, StackDoc};
use super::hex;
use crate::model::{Ages, Assessment, Group, Rate, StackTable};

/// All groups of an assessment.
pub(super) struct Groups<'a> {
    pub(super) assessment: &'a Assessment,
    /// The finding of a group, by the group's index.
    pub(super) of_group: &'a HashMap<usize, &'a str>,
}

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Assessment { groups, stacks, .. } = self.assessment;
        serializer.collect_seq(groups.iter().enumerate().map(|(index, group)| {
            let births = self.assessment.births(group);
            GroupDoc::new(group, (self.of_group.get(&index).copied(), births), stacks)
        }))
    }
}

#[derive(Serialize)]
struct GroupDoc<'a> {
    signature: &'a str,
    count: u64,
    previous: Option<u64>,
    growth_per_second: Option<f64>,
    /// Goroutines created by the second at the group's creation site, those that do not stay
    /// included; null where no probe saw it.
    created_per_second: Option<f64>,
    rates_basis: Option<&'static str>,
    /// An estimate's 95 % interval.
    created_per_second_interval: Option<(f64, f64)>,
    wait_class: &'static str,
    wait: WaitDoc<'a>,
    /// Null if nobody's creation was seen.
    age: Option<AgeDoc>,
    blocked_at: Option<FrameDoc<'a>>,
    created_by: Option<FrameDoc<'a>>,
    creation_stack: Option<StackDoc<'a>>,
    stack: Option<StackDoc<'a>>,
    /// Frames that a too deep stack leaves out.
    stack_elided: Option<u32>,
    no_stack: Option<&'static str>,
    labels: Labels<'a>,
    goids_sample: &'a [u64],
    /// How many have not moved through the last two thirds of the window.
    stuck: u64,
    locked_to_thread: u64,
    finding: Option<&'a str>,
}

impl<'a> GroupDoc<'a> {
    fn new(
        group: &'a Group,
        (finding, births): (Option<&'a str>, Option<Rate>),
        stacks: &'a StackTable,
    ) -> Self {
        Self {
            signature: &group.signature,
            count: group.count,
            previous: group.previous,
            growth_per_second: group.growth_per_second,
            created_per_second: births.map(|births| births.per_second),
            rates_basis: births.map(|births| births.basis.name()),
            created_per_second_interval: births.and_then(|births| births.interval),
            wait_class: group.wait.name(),
            wait: WaitDoc::new(group),
            age: group.ages.map(AgeDoc::new),
            blocked_at: group.blocked_at.map(|frame| FrameDoc::new(stacks, frame)),
            created_by: group.created_by.map(|frame| FrameDoc::new(stacks, frame)),
            creation_stack: group.creation_stack.map(|stack| StackDoc(stack, stacks)),
            stack: group.stack.map(|stack| StackDoc(stack, stacks)),
            stack_elided: group.stack.map(|stack| stacks.elided(stack)),
            no_stack: group.no_stack,
            labels: Labels(&group.labels),
            goids_sample: &group.goids_sample,
            stuck: group.stuck,
            locked_to_thread: group.locked_to_thread,
            finding,
        }
    }
}

/// For how long those of a group have existed whose creation a probe saw; these times are exact.
#[derive(Serialize)]
struct AgeDoc {
    known: u64,
    oldest_seconds: f64,
    median_seconds: f64,
}

impl AgeDoc {
    fn new(ages: Ages) -> Self {
        Self {
            known: ages.known,
            oldest_seconds: ages.oldest.as_secs_f64(),
            median_seconds: ages.median.as_secs_f64(),
        }
    }
}

/// What a group waits for, and for how long.
#[derive(Serialize)]
pub(super) struct WaitDoc<'a> {
    reason: Option<&'a str>,
    oldest_seconds: Option<f64>,
    median_seconds: Option<f64>,
    /// Whether these are exact; else they are lower bounds.
    exact: bool,
    /// What most of the group wait on.
    object: Option<String>,
    /// How many goroutines of the whole process wait on that.
    waiters: Option<u64>,
    /// How many distinct objects the group waits on.
    objects: Option<u64>,
}

impl<'a> WaitDoc<'a> {
    pub(super) fn new(group: &'a Group) -> Self {
        Self {
            reason: group.reason.as_deref(),
            oldest_seconds: group.oldest.as_ref().map(Duration::as_secs_f64),
            median_seconds: group.median.as_ref().map(Duration::as_secs_f64),
            exact: group.exact,
            object: group.object.map(|(address, _)| hex(address)),
            waiters: group.object.map(|_| group.object_waiters),
            objects: (group.objects > 0).then_some(group.objects),
        }
    }

    /// The same with another longest wait: that of some of the group.
    pub(super) fn with_oldest(self, oldest: Option<Duration>) -> Self {
        Self { oldest_seconds: oldest.as_ref().map(Duration::as_secs_f64), ..self }
    }
}

struct Labels<'a>(&'a [(String, String)]);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
