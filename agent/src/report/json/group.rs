//! Groups, each with its wait, its lines, its stack, and the finding that it is in.

use super::frame::{frame, stack};
use super::{hex, seconds};
use crate::model::{Ages, Group, Rate, StackTable};
use crate::report::phrases;
use crate::report::schema::{AgeDoc, GroupDoc, Interval, WaitDoc};

/// A group; with the id of its finding, and how often its creation site creates goroutines.
pub(super) fn group<'a>(
    group: &'a Group,
    (finding, births): (Option<&'a str>, Option<Rate>),
    stacks: &'a StackTable,
) -> GroupDoc<'a> {
    let labels = group.labels.iter().map(|(key, value)| (key.into(), value.into()));
    GroupDoc {
        signature: (&group.signature).into(),
        count: group.count,
        previous: group.previous,
        growth_per_second: group.growth_per_second,
        created_per_second: births.map(|births| births.per_second),
        rates_basis: births.map(|births| births.basis),
        created_per_second_interval: births.and_then(|births| interval(births.interval)),
        wait_class: group.wait,
        wait: wait(group),
        age: group.ages.map(age),
        blocked_at: group.blocked_at.map(|id| frame(stacks, id)),
        created_by: group.created_by.map(|id| frame(stacks, id)),
        creation_stack: group.creation_stack.map(|id| stack(stacks, id)),
        stack: group.stack.map(|id| stack(stacks, id)),
        stack_elided: group.stack.map(|stack| stacks.elided(stack)),
        no_stack: group.no_stack.map(|why| phrases::no_stack(why).into()),
        labels: labels.collect(),
        goids_sample: group.goids_sample.clone(),
        stuck: group.stuck,
        locked_to_thread: group.locked_to_thread,
        finding: finding.map(Into::into),
    }
}

/// What a group waits for, and for how long.
pub(super) fn wait(group: &Group) -> WaitDoc<'_> {
    WaitDoc {
        reason: group.reason.as_deref().map(Into::into),
        oldest_seconds: seconds(group.oldest),
        median_seconds: seconds(group.median),
        exact: group.exact,
        object: group.object.map(|(address, _)| hex(address)),
        waiters: group.object.map(|_| group.object_waiters),
        objects: (group.objects > 0).then_some(group.objects),
    }
}

fn age(ages: Ages) -> AgeDoc {
    AgeDoc {
        known: ages.known,
        oldest_seconds: ages.oldest.as_secs_f64(),
        median_seconds: ages.median.as_secs_f64(),
    }
}

pub(super) fn interval(bounds: Option<(f64, f64)>) -> Option<Interval> {
    bounds.map(|(low, high)| Interval(low, high))
}
