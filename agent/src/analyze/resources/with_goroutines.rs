//! Resources that pile up with goroutines that are at work on them: that is one leak, and the finding is the
//! goroutines'.
//!
//! It is shown by numbers and by code: both became more by as many at every reading of the window, and the
//! goroutines stand in functions that work on such things. Where two findings of goroutines fit, or the numbers
//! differ, nothing is joined.

use std::collections::BTreeMap;

use crate::analyze::window::Window;
use crate::model::{
    Assessment, Finding, FrameId, Group, PiledUp, ResourceKey, ResourceKind, ResourceName, Subject,
    WaitClass,
};

/// Readings that numbers are compared by, at least.
const MIN_POINTS: usize = 5;
/// By how many both must have become more.
const MIN_MORE: f64 = 5.0;
/// By how many the numbers may differ at any reading: goroutines and descriptors are not read at one instant.
const MAX_APART: f64 = 2.0;
/// Or by this part of all that came.
const MAX_PART: f64 = 0.1;

/// Seconds since the first sample, and how many.
type History = Vec<(f64, f64)>;

/// Joins what can be shown to be one.
pub(in crate::analyze) fn join(
    findings: Vec<Finding>,
    window: &Window,
    assessment: &Assessment,
) -> Vec<Finding> {
    let of_resources = |finding: &Finding| matches!(finding.subject, Subject::Resource(_));
    if !findings.iter().any(|finding| of_resources(finding) && rises(finding)) {
        return findings;
    }
    let (resources, mut others): (Vec<_>, Vec<_>) = findings.into_iter().partition(of_resources);
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for (leak, finding) in others.iter().enumerate().filter(|(_, finding)| rises(finding)) {
        kinds.extend(kinds_of(leak, finding, window, assessment));
    }
    for finding in resources {
        match leak_of(&finding, &kinds) {
            Some(leak) => merge(&mut others[leak], finding),
            None => others.push(finding),
        }
    }
    others
}

/// Goroutines of one finding and one `go` statement.
struct Kind<'a> {
    /// The finding's place.
    leak: usize,
    groups: Vec<&'a Group>,
    history: History,
    /// Whether they serve what others have connected to.
    accepts: bool,
    functions: Vec<&'a str>,
}

fn kinds_of<'a>(
    leak: usize,
    finding: &Finding,
    window: &Window,
    assessment: &'a Assessment,
) -> Vec<Kind<'a>> {
    let mut by_creator: BTreeMap<Option<FrameId>, Vec<usize>> = BTreeMap::new();
    for &group in finding.groups() {
        let creator = assessment.groups.get(group).and_then(|group| group.created_by);
        by_creator.entry(creator).or_default().push(group);
    }
    let stacks = &assessment.stacks;
    let name = |frame: FrameId| stacks.function(frame).map(|function| stacks.text(function));
    let kind = |(creator, places): (Option<FrameId>, Vec<usize>)| {
        let groups: Vec<&Group> =
            places.iter().filter_map(|&place| assessment.groups.get(place)).collect();
        let frames =
            groups.iter().filter_map(|group| group.stack).flat_map(|id| stacks.frames_of(id));
        let functions: Vec<&str> = frames.filter_map(|&frame| name(frame)).collect();
        let hashes: Vec<u64> =
            places.iter().filter_map(|&place| window.hashes().get(place).copied()).collect();
        let created_in = creator.and_then(name).unwrap_or_default();
        let accepts = [".Serve", ".Accept"].iter().any(|end| created_in.ends_with(end))
            || functions.contains(&"net/http.(*conn).serve");
        Kind { leak, groups, history: window.history(&hashes), accepts, functions }
    };
    by_creator.into_iter().map(kind).collect()
}

/// The one finding whose goroutines pile up with a finding's resources.
fn leak_of(finding: &Finding, kinds: &[Kind<'_>]) -> Option<usize> {
    let Subject::Resource(held) = &finding.subject else { return None };
    if !rises(finding) {
        return None;
    }
    let fit: Vec<&Kind<'_>> = kinds
        .iter()
        .filter(|kind| kind.works_on(held.key.kind) && agree(&finding.history, &kind.history))
        .collect();
    // Of both ends of connections in one process each has goroutines of its own.
    let is_accepted = |key: &ResourceKey| matches!(key.name, Some(ResourceName::AcceptedOn(_)));
    let own_end = fit.iter().filter(|kind| kind.accepts == is_accepted(&held.key));
    only(own_end.map(|kind| kind.leak)).or_else(|| only(fit.iter().map(|kind| kind.leak)))
}

/// What all of them are.
fn only(mut leaks: impl Iterator<Item = usize>) -> Option<usize> {
    let first = leaks.next()?;
    leaks.all(|leak| leak == first).then_some(first)
}

impl Kind<'_> {
    /// Whether they stand in functions that work on things of a kind.
    fn works_on(&self, kind: ResourceKind) -> bool {
        let on_any = |packages: &[&str]| {
            let is_in = |function: &&str| packages.iter().any(|start| function.starts_with(start));
            self.functions.iter().any(is_in)
        };
        let waits = |wait: fn(WaitClass) -> bool| self.groups.iter().any(|group| wait(group.wait));
        let is_polled = || waits(|wait| wait == WaitClass::IoWait);
        match kind {
            ResourceKind::TcpSocket
            | ResourceKind::UdpSocket
            | ResourceKind::UnixSocket
            | ResourceKind::OtherSocket => {
                on_any(&["net.", "net/", "crypto/tls.", "internal/poll."]) || is_polled()
            }
            ResourceKind::Child => on_any(&["os.(*Process)", "os/exec."]),
            ResourceKind::Thread => {
                waits(|wait| matches!(wait, WaitClass::Syscall | WaitClass::Cgo))
                    || self.groups.iter().any(|group| group.locked_to_thread == group.count)
            }
            kind if kind.is_descriptor() => {
                on_any(&["os.", "os/", "net.", "net/", "syscall.", "internal/poll."]) || is_polled()
            }
            _ => false,
        }
    }
}

/// Whether a finding is about what becomes more.
fn rises(finding: &Finding) -> bool {
    finding.growth.is_some_and(|growth| growth.pattern.rises() && growth.low > 0.0)
}

/// Whether both became more by as many from each reading to the next.
fn agree(things: &[(f64, u64)], goroutines: &[(f64, f64)]) -> bool {
    let both: Vec<(f64, f64)> = things
        .iter()
        .filter_map(|&(at, count)| Some((count as f64, at_time(goroutines, at)?)))
        .collect();
    let (Some(first), Some(last)) = (both.first(), both.last()) else { return false };
    let more = (last.0 - first.0).min(last.1 - first.1);
    let apart = (more * MAX_PART).max(MAX_APART);
    both.len() >= MIN_POINTS
        && more >= MIN_MORE
        && both.iter().all(|it| ((it.0 - first.0) - (it.1 - first.1)).abs() <= apart)
}

/// How many there were at a time, between two samples as if they became more evenly.
fn at_time(history: &[(f64, f64)], at: f64) -> Option<f64> {
    let after = history.partition_point(|point| point.0 < at);
    let later = history.get(after)?;
    let Some(before) = after.checked_sub(1).and_then(|before| history.get(before)) else {
        // Of the time before the first sample nothing is known.
        return (later.0 <= at).then_some(later.1);
    };
    let part = (at - before.0) / (later.0 - before.0);
    Some(before.1 + (later.1 - before.1) * part)
}

/// What piles up with goroutines that leak is no leak of its own.
fn merge(leaking: &mut Finding, piled_up: Finding) {
    let Finding { subject, history, verdict, score, evidence, suggestions, .. } = piled_up;
    let (Subject::Resource(held), Some(leak)) = (subject, leaking.goroutines_mut()) else { return };
    leak.piled_up.push(PiledUp { held: *held, history });
    leaking.verdict = leaking.verdict.max(verdict);
    leaking.score.count = leaking.score.count.max(score.count);
    leaking.score.growth = leaking.score.growth.max(score.growth);
    leaking.score.blocking = leaking.score.blocking.max(score.blocking);
    leaking.evidence.extend(evidence);
    for suggestion in suggestions {
        if !leaking.suggestions.contains(&suggestion) {
            leaking.suggestions.push(suggestion);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rising(from: u64, step: u64) -> Vec<(f64, u64)> {
        (0..20).map(|at| (at as f64, from + at * step)).collect()
    }

    fn counted(from: u64, step: u64) -> History {
        let points = rising(from, step).into_iter();
        points.map(|(at, count)| (at, count as f64)).collect()
    }

    #[test]
    fn numbers_agree_that_rise_by_as_many_at_all_times() {
        assert!(agree(&rising(3, 10), &counted(40, 10)));
        assert!(!agree(&rising(3, 10), &counted(40, 5)), "half as many");
        assert!(!agree(&rising(3, 10), &counted(40, 20)), "twice as many");
        assert!(!agree(&rising(3, 0), &counted(40, 0)), "nothing rises");
        // As many in all, at other times.
        let late: History =
            (0..20).map(|at| (f64::from(at), f64::from((at - 10).max(0) * 20))).collect();
        assert!(!agree(&rising(0, 10), &late));
        // Readings between samples, and some that are missing.
        let seldom: Vec<_> = rising(3, 10).into_iter().step_by(3).collect();
        assert!(agree(&seldom, &counted(40, 10)));
        let coarse: History = counted(40, 10).into_iter().step_by(2).collect();
        assert!(agree(&rising(3, 10), &coarse));
        assert!(!agree(&rising(3, 10)[..4], &counted(40, 10)), "too few readings");
    }

    #[test]
    fn a_leak_is_named_only_where_no_other_could_be_meant() {
        assert_eq!(only([4, 4].into_iter()), Some(4));
        assert_eq!(only([4, 5].into_iter()), None);
        assert_eq!(only(std::iter::empty()), None);
    }
}
