//! Findings: what leaks, with everything that is known of it.

use serde::Serialize;
use serde::ser::Serializer;

use super::frame::{FrameDoc, StackDoc};
use super::group::WaitDoc;
use super::judgement::{History, HolderDoc, WaiterDoc, waiters};
use crate::model::{Finding, Group, Growth, LockWait, Score, Snippet, StackTable, Turnover};
use crate::report::telling;

/// All findings of an assessment.
pub(super) struct Findings<'a> {
    pub(super) findings: &'a [Finding],
    pub(super) groups: &'a [Group],
    pub(super) stacks: &'a StackTable,
}

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.findings.iter().map(|finding| FindingDoc::new(finding, self.groups, self.stacks)),
        )
    }
}

#[derive(Serialize)]
struct FindingDoc<'a> {
    id: &'a str,
    /// What it is about: `goroutines`.
    subject: &'static str,
    signature: Option<&'a str>,
    /// Of all its groups, the one above among them.
    signatures: Vec<&'a str>,
    class: &'static str,
    verdict: &'static str,
    severity: &'static str,
    score: ScoreDoc,
    /// The known mistake that it looks like.
    pattern: Option<&'static str>,
    count: u64,
    proven_count: Option<u64>,
    goids_sample: Option<&'a [u64]>,
    growth: Option<GrowthDoc>,
    history: History<'a>,
    turnover: Option<&'a Turnover>,
    wait_class: Option<&'static str>,
    wait: Option<WaitDoc<'a>>,
    memory_bytes: MemoryDoc,
    /// The line of the program's own code that leads to it, and how it is known.
    caused_at: Option<CausedAtDoc<'a>>,
    /// The kinds of goroutines that the one cause piles up; empty where there is one kind.
    parts: Vec<PartDoc<'a>>,
    blocked_at: Option<FrameDoc<'a>>,
    created_by: Option<FrameDoc<'a>>,
    creation_stack: Option<StackDoc<'a>>,
    stack: Option<StackDoc<'a>>,
    lock_wait: LockWaitDoc<'a>,
    /// Null: nothing looks for what still refers to a wait object.
    held_by: Option<Vec<String>>,
    cause: &'a str,
    source: Option<SourceDoc<'a>>,
    suggestions: &'a [String],
    evidence: Vec<String>,
}

impl<'a> FindingDoc<'a> {
    fn new(finding: &'a Finding, groups: &'a [Group], stacks: &'a StackTable) -> Self {
        let group = groups.get(finding.goroutines().group);
        let all = finding.goroutines().groups.iter().filter_map(|&group| groups.get(group));
        let frame = |frame| FrameDoc::new(stacks, frame);
        let stack = |stack| StackDoc(stack, stacks);
        Self {
            id: &finding.id,
            subject: finding.subject.name(),
            signature: group.map(|group| &*group.signature),
            signatures: all.map(|group| &*group.signature).collect(),
            class: finding.class.name(),
            verdict: finding.verdict.name(),
            severity: finding.severity().name(),
            score: ScoreDoc { total: finding.score.total(), parts: finding.score },
            pattern: finding.pattern.map(|pattern| pattern.name()),
            count: finding.goroutines().count,
            proven_count: finding.goroutines().proven_count,
            goids_sample: group.map(|group| &*group.goids_sample),
            growth: finding.growth.map(GrowthDoc::new),
            history: History(&finding.history),
            turnover: finding.goroutines().turnover.as_ref(),
            wait_class: group.map(|group| group.wait.name()),
            // Of those that leak, which need not be the whole group.
            wait: group.map(|group| WaitDoc::new(group).with_oldest(finding.goroutines().oldest)),
            memory_bytes: MemoryDoc { stacks: finding.goroutines().stack_bytes, reachable: None },
            caused_at: finding
                .caused_at
                .map(|caused| CausedAtDoc { at: frame(caused.frame), basis: caused.basis.name() }),
            parts: finding
                .goroutines()
                .parts
                .iter()
                .map(|part| PartDoc {
                    signature: groups.get(part.group).map(|group| &*group.signature),
                    count: part.count,
                    entry: part.entry.map(frame),
                    blocked_at: groups
                        .get(part.group)
                        .and_then(|group| group.blocked_at)
                        .map(frame),
                })
                .collect(),
            blocked_at: group.and_then(|group| group.blocked_at).map(frame),
            created_by: group.and_then(|group| group.created_by).map(frame),
            creation_stack: group.and_then(|group| group.creation_stack).map(stack),
            stack: group.and_then(|group| group.stack).map(stack),
            lock_wait: LockWaitDoc::new(&finding.goroutines().lock_wait),
            held_by: None,
            cause: &finding.cause,
            source: finding.source.as_ref().map(SourceDoc::new),
            suggestions: &finding.suggestions,
            evidence: finding.evidence.iter().map(telling::evidence).collect(),
        }
    }
}

#[derive(Serialize)]
struct CausedAtDoc<'a> {
    #[serde(flatten)]
    at: FrameDoc<'a>,
    basis: &'static str,
}

#[derive(Serialize)]
struct PartDoc<'a> {
    /// Of the largest group of the kind.
    signature: Option<&'a str>,
    count: u64,
    /// The function that they run.
    entry: Option<FrameDoc<'a>>,
    /// The line where they block.
    blocked_at: Option<FrameDoc<'a>>,
}

#[derive(Serialize)]
struct ScoreDoc {
    total: u8,
    #[serde(flatten)]
    parts: Score,
}

#[derive(Serialize)]
struct GrowthDoc {
    per_second: f64,
    /// With 95 % confidence it lies between these.
    low: f64,
    high: f64,
    pattern: &'static str,
    r2: f64,
    forecast: Option<ForecastDoc>,
}

#[derive(Serialize)]
struct ForecastDoc {
    goroutines_in_1h: u64,
    low: u64,
    high: u64,
}

impl GrowthDoc {
    fn new(growth: Growth) -> Self {
        Self {
            per_second: growth.per_second,
            low: growth.low,
            high: growth.high,
            pattern: growth.pattern.name(),
            r2: growth.r2,
            forecast: growth.forecast.map(|forecast| ForecastDoc {
                goroutines_in_1h: forecast.in_1h,
                low: forecast.low,
                high: forecast.high,
            }),
        }
    }
}

#[derive(Serialize)]
struct MemoryDoc {
    stacks: Option<u64>,
    reachable: Option<u64>,
}

#[derive(Serialize)]
struct LockWaitDoc<'a> {
    /// One of `cycles`.
    cycle: Vec<WaiterDoc<'a>>,
    cycles: u64,
    /// Goroutines of the finding that are part of one.
    in_cycles: u64,
    /// Locks that they wait for.
    locks: u64,
    likely_holder: Option<HolderDoc<'a>>,
    likely_holders: Option<HoldersDoc<'a>>,
}

/// The commonest kind of holders, where they wait for several locks.
#[derive(Serialize)]
struct HoldersDoc<'a> {
    doing: &'a str,
    at: &'a str,
    /// Goroutines that wait for locks that such goroutines hold.
    waiters: u64,
}

impl<'a> LockWaitDoc<'a> {
    fn new(lock_wait: &'a LockWait) -> Self {
        Self {
            cycle: waiters(&lock_wait.cycle),
            cycles: lock_wait.cycles,
            in_cycles: lock_wait.in_cycles,
            locks: lock_wait.locks,
            likely_holder: lock_wait.likely_holder.as_ref().map(HolderDoc::new),
            likely_holders: lock_wait.holders.as_ref().map(|it| HoldersDoc {
                doing: &it.doing,
                at: &it.at,
                waiters: it.waiters,
            }),
        }
    }
}

#[derive(Serialize)]
struct SourceDoc<'a> {
    file: &'a str,
    line: u32,
    /// The number of the snippet's first line.
    first: u32,
    snippet: &'a [String],
    /// Whether the file is newer than the program.
    stale: bool,
}

impl<'a> SourceDoc<'a> {
    fn new(snippet: &'a Snippet) -> Self {
        Self {
            file: &snippet.file,
            line: snippet.line,
            first: snippet.first,
            snippet: &snippet.lines,
            stale: snippet.stale,
        }
    }
}
