//! Findings: what leaks, with everything that is known of it.

use std::borrow::Cow;

use super::allocated::allocated_at;
use super::frame::{frame, stack};
use super::group::wait;
use super::held_waits::waits_held;
use super::locks::{holder, waiters};
use super::{history, resources, seconds};
use crate::model::{
    Finding, Forecast, Group, Growth, HeldWait, LockWait, MemoryGrowth, Part, ProvenBy, Score,
    Snippet, StackTable, Subject, Turnover, WaitHolder,
};
use crate::report::phrases;
use crate::report::schema::{
    CausedAtDoc, FindingDoc, ForecastDoc, GrowthDoc, HoldersDoc, LockWaitDoc, MemoryDoc,
    MemoryGrowthDoc, PartDoc, ProvenByDoc, ScoreDoc, SourceDoc, SubjectKind, TurnoverDoc, WaitDoc,
};

/// A finding of an assessment with these groups.
pub(super) fn finding<'a>(
    finding: &'a Finding,
    groups: &'a [Group],
    stacks: &'a StackTable,
) -> FindingDoc<'a> {
    let leak = finding.goroutines();
    let group = finding.group_in(groups);
    let all = finding.groups().iter().filter_map(|&group| groups.get(group));
    let (subject, memory, resource) = match &finding.subject {
        Subject::Goroutines(_) => (SubjectKind::Goroutines, None, None),
        Subject::Memory(growth) => (SubjectKind::Memory, Some(memory_growth(*growth)), None),
        Subject::Resource(held) => {
            (SubjectKind::Resource, None, Some(resources::growth(held, &finding.history, stacks)))
        }
    };
    let evidence = finding.evidence.iter().map(|it| phrases::evidence(it, stacks));
    FindingDoc {
        id: (&finding.id).into(),
        subject,
        signature: group.map(|group| (&group.signature).into()),
        signatures: all.map(|group| (&group.signature).into()).collect(),
        class: finding.class,
        verdict: finding.verdict,
        severity: finding.severity(),
        score: score(finding.score),
        pattern: finding.pattern,
        count: finding.goroutine_count(),
        proven_count: leak.and_then(|leak| leak.proven_count),
        proven_by: leak
            .filter(|leak| leak.proven_count.is_some_and(|proven| proven > 0))
            .map(|leak| proven_by(leak.proven_by)),
        goids_sample: group.map(|group| group.goids_sample.clone()),
        growth: finding.growth.map(growth),
        history: leak.map(|_| history(&finding.history)).unwrap_or_default(),
        turnover: leak.and_then(|leak| leak.turnover).map(turnover),
        wait_class: group.map(|group| group.wait),
        // Of those that leak, which need not be the whole group.
        wait: group
            .map(|group| WaitDoc { oldest_seconds: seconds(finding.oldest()), ..wait(group) }),
        memory_bytes: MemoryDoc {
            stacks: leak.and_then(|leak| leak.stack_bytes),
            reachable: leak.and_then(|leak| leak.kept_bytes),
        },
        memory_growth: memory,
        resource,
        piled_up: (leak.iter().flat_map(|leak| &leak.piled_up))
            .map(|it| resources::growth(&it.held, &it.history, stacks))
            .collect(),
        caused_at: finding
            .caused_at
            .map(|caused| CausedAtDoc { frame: frame(stacks, caused.frame), basis: caused.basis }),
        parts: leak
            .iter()
            .flat_map(|leak| &leak.parts)
            .map(|it| part(it, groups, stacks))
            .collect(),
        blocked_at: group.and_then(|group| group.blocked_at).map(|id| frame(stacks, id)),
        created_by: group.and_then(|group| group.created_by).map(|id| frame(stacks, id)),
        creation_stack: group.and_then(|group| group.creation_stack).map(|id| stack(stacks, id)),
        stack: group.and_then(|group| group.stack).map(|id| stack(stacks, id)),
        lock_wait: leak.map(|leak| lock_wait(&leak.lock_wait, stacks)).unwrap_or_default(),
        held_by: held_by(finding),
        waits_held: leak.and_then(|leak| leak.held.as_ref()).map(|held| waits_held(held, stacks)),
        allocated_at: finding.allocated_at().iter().cloned().map(allocated_at).collect(),
        cause: phrases::cause(finding, stacks).into(),
        source: finding.source.as_ref().map(source),
        suggestions: phrases::suggestions(finding, stacks).into_iter().map(Into::into).collect(),
        evidence: evidence.map(Into::into).collect(),
    }
}

const fn proven_by(ProvenBy { agent, runtime, both }: ProvenBy) -> ProvenByDoc {
    ProvenByDoc { agent, runtime, both }
}

/// Who holds the heap, the descriptors that pile up, or what goroutines wait on.
fn held_by(finding: &Finding) -> Option<Vec<Cow<'_, str>>> {
    let heap = finding.heap_held().map(phrases::heap_held_path);
    let descriptors = finding.resources().flat_map(|it| it.held_by.iter().flatten());
    let waits = finding.goroutines().and_then(|leak| leak.held.as_ref());
    let is_path = |held: &&HeldWait| matches!(held.way, WaitHolder::Path(..));
    let waits = waits.iter().flat_map(|held| &held.by).filter(is_path).map(phrases::held_wait);
    let paths = heap.into_iter().chain(descriptors.map(phrases::held_descriptors)).chain(waits);
    let paths: Vec<Cow<'_, str>> = paths.map(Into::into).collect();
    (!paths.is_empty()).then_some(paths)
}

fn part<'a>(part: &Part, groups: &'a [Group], stacks: &'a StackTable) -> PartDoc<'a> {
    let group = groups.get(part.group);
    PartDoc {
        signature: group.map(|group| (&group.signature).into()),
        count: part.count,
        entry: part.entry.map(|id| frame(stacks, id)),
        blocked_at: group.and_then(|group| group.blocked_at).map(|id| frame(stacks, id)),
    }
}

const fn memory_growth(growth: MemoryGrowth) -> MemoryGrowthDoc {
    let MemoryGrowth { kind, from_bytes, to_bytes } = growth;
    MemoryGrowthDoc { kind, from_bytes, to_bytes }
}

const fn score(score: Score) -> ScoreDoc {
    let Score { memory, count, growth, blocking, scheduler } = score;
    ScoreDoc { total: score.total(), memory, count, growth, blocking, scheduler }
}

fn growth(growth: Growth) -> GrowthDoc {
    let forecast =
        |Forecast { in_1h, low, high }| ForecastDoc { goroutines_in_1h: in_1h, low, high };
    GrowthDoc {
        per_second: growth.per_second,
        low: growth.low,
        high: growth.high,
        pattern: growth.pattern,
        r2: growth.r2,
        forecast: growth.forecast.map(forecast),
    }
}

const fn turnover(Turnover { arrived, left, survivors, stuck }: Turnover) -> TurnoverDoc {
    TurnoverDoc { arrived, left, survivors, stuck }
}

fn lock_wait(lock_wait: &LockWait, stacks: &StackTable) -> LockWaitDoc<'static> {
    LockWaitDoc {
        cycle: waiters(&lock_wait.cycle, stacks),
        cycles: lock_wait.cycles,
        in_cycles: lock_wait.in_cycles,
        locks: lock_wait.locks,
        likely_holder: lock_wait.likely_holder.map(|it| holder(it, stacks)),
        likely_holders: lock_wait.holders.as_ref().map(|it| HoldersDoc {
            doing: phrases::does(it.doing).into(),
            at: it.at.and_then(|at| phrases::place(stacks, at)).unwrap_or_default().into(),
            waiters: it.waiters,
        }),
    }
}

fn source(snippet: &Snippet) -> SourceDoc<'_> {
    SourceDoc {
        file: (&snippet.file).into(),
        line: snippet.line,
        first: snippet.first,
        snippet: snippet.lines.iter().map(Into::into).collect(),
        stale: snippet.stale,
    }
}
