//! Findings about memory: what grows on and on although collections run.
//!
//! A heap that grows is no leak yet: caches fill, pools warm up. It is told by what collections leave: more and
//! more, undiminished to the end of the window.

use std::time::Duration;

use crate::analyze::code_files::CodeFiles;
use crate::analyze::investigate::{Candidates, Context, Investigate};
use crate::analyze::{forced, large, score, signature};
use crate::model::{
    Around, Cause, CauseClass, CollectionBand, CollectionVerdict, DetectorKind, Evidence, Finding,
    Growth, Judgement, KeptAllocations, Lack, LimitKind, LimitUse, MemoryAccount, MemoryGrowth,
    MemoryKind, MemoryPoint, NotEnough, Score, Subject, Suggestion, Trend, Verdict,
};

/// In a shorter window growth is suspect at most.
const MIN_WINDOW: Duration = Duration::from_secs(20);
/// What has to be added for more than a suspicion: a part of what there was, and bytes.
const MIN_PART: f64 = 0.2;
const MIN_BYTES: u64 = 4 << 20;
/// Collections that growth of the heap is told by.
const MIN_COLLECTIONS: u64 = 5;
/// Or else so many, the one before the window among them, each of which kept most of what was allocated before it.
const MIN_KEPT: u64 = 3;

/// Memory that grows.
pub(in crate::analyze) struct GrowingMemory;

impl Investigate for GrowingMemory {
    fn candidates(&mut self, context: Context<'_>, _: &mut CodeFiles) -> Candidates {
        let window = context.assessment.window.duration;
        // What forced collections left tells of a heap that nothing else tells of.
        let left = || forced::verdict(&context.assessment.coverage);
        let left = || left().and_then(|left| of_forced(left, window));
        let Some(account) = &context.assessment.memory else {
            return Candidates { findings: left().into_iter().collect(), ..Candidates::default() };
        };
        // Of some it may not be known what they left.
        let seen = account.collector.map_or(0, |it| it.collections.min(account.live_values));
        let found = of_account(account, window).into_iter();
        let few = account.kept.filter(|kept| {
            let more = kept.objects.to_bytes.saturating_sub(kept.objects.from_bytes);
            seen < MIN_COLLECTIONS && more > account.noise_bytes
        });
        let found = found.chain(few.map(|kept| of_kept(kept, account, window)));
        let mut findings: Vec<Finding> = found.collect();
        if !findings.iter().any(|it| it.class == CauseClass::HeapGrowth) {
            findings.extend(left());
        }
        let lacks = account.now.heap.is_some()
            && context.assessment.window.observations > 1
            && seen < MIN_COLLECTIONS
            && account.kept.is_none();
        let not_enough = lacks.then_some(NotEnough {
            detector: DetectorKind::MemoryGrowth,
            lack: Lack::Collections { collections: MIN_COLLECTIONS, seen },
        });
        let is_found = findings.iter().any(|it| it.class == CauseClass::HeapGrowth);
        let is_told = !is_found && window >= MIN_WINDOW;
        let small = account.live_rises.filter(|_| is_told).map(|bytes| NotEnough {
            detector: DetectorKind::MemoryGrowth,
            lack: Lack::SmallRise { bytes },
        });
        Candidates { findings, not_enough: not_enough.into_iter().chain(small).collect() }
    }

    fn account(&mut self, _: &mut Judgement) {}
}

/// What is found of the trends of an account.
pub(super) fn of_account(account: &MemoryAccount, window: Duration) -> Vec<Finding> {
    let found = [(MemoryKind::Heap, &account.live), (MemoryKind::OffHeap, &account.outside)];
    let found = found.into_iter().filter_map(|(kind, trend)| {
        // What fills up does so ever more slowly.
        let noise = if kind == MemoryKind::Heap { account.noise_bytes } else { 0 };
        // Whether an estimate grows steadily cannot be told for certain, but that it grows.
        // Nor whether all of it is kept, where it slows or a part was let go.
        let goes_on = account.live_goes_on && kind == MemoryKind::Heap;
        let leads_on = |it: &&Trend| it.is_steady || goes_on || (noise > 0 && it.grows);
        let trend = trend.as_ref().filter(leads_on)?;
        let more = trend.to_bytes.saturating_sub(trend.from_bytes);
        if more <= noise / 3 {
            return None;
        }
        // That an estimate slows a little may be chance: twenty samples in each half of the window are told apart by a third.
        let is_sure = (trend.is_steady || (goes_on && noise > 0)) && more > noise;
        let collections = match kind {
            MemoryKind::Heap => account.collector.map(|it| it.collections),
            // Collections say nothing of what they cannot free.
            MemoryKind::OffHeap => None,
        };
        let grown = Evidence::MemoryGrowth { kind, window, collections, trend: *trend };
        let found = finding(kind, trend, account, window, grown);
        let most = if is_sure { Verdict::Likely } else { Verdict::Suspect };
        Some(Finding { verdict: found.verdict.min(most), ..found })
    });
    found.collect()
}

/// What is found of a heap of which few collections were seen, which kept most of what was allocated.
fn of_kept(kept: KeptAllocations, account: &MemoryAccount, window: Duration) -> Finding {
    let grown = Evidence::Kept { window, kept };
    let found = finding(MemoryKind::Heap, &kept.objects, account, window, grown);
    // One collection may have come in a phase that ends.
    let is_sure = kept.collections >= MIN_KEPT && found.verdict == Verdict::Likely;
    Finding { verdict: if is_sure { Verdict::Likely } else { Verdict::Suspect }, ..found }
}

/// What is found of a heap of which forced collections left most of what had piled up. Two moments do not tell a leak
/// from what fills up: it is no more than suspect.
fn of_forced(left: CollectionVerdict, window: Duration) -> Option<Finding> {
    let freed = left.heap_bytes.filter(|freed| freed.band >= CollectionBand::LikelyLeak)?;
    let Around { floor, after, .. } = freed.amounts;
    let grown = MemoryGrowth { kind: MemoryKind::Heap, from_bytes: floor, to_bytes: after };
    let per_second = after.saturating_sub(floor) as f64 / window.as_secs_f64().max(1.0);
    let score = score::of_memory(after, per_second, None);
    Some(Finding { score, ..plain(grown, Verdict::Suspect, vec![Evidence::HeapCollected(freed)]) })
}

/// What is found of memory that grows steadily; `grown` is how that is known.
fn finding(
    kind: MemoryKind,
    trend: &Trend,
    account: &MemoryAccount,
    window: Duration,
    grown: Evidence,
) -> Finding {
    let more = trend.to_bytes.saturating_sub(trend.from_bytes);
    let is_much = more >= MIN_BYTES && more as f64 >= trend.from_bytes as f64 * MIN_PART;
    let verdict = if is_much && window >= MIN_WINDOW { Verdict::Likely } else { Verdict::Suspect };
    let limit = limit(kind, account);
    let used = limit.as_ref().map(LimitUse::part);
    let large = account.large.as_ref().filter(|_| kind == MemoryKind::Heap);
    let lines = match kind {
        MemoryKind::Heap if !account.grown.is_empty() => account.grown.clone(),
        _ => large.map(|large| large::of_growth(large, more)).unwrap_or_default(),
    };
    let mut evidence = vec![grown];
    evidence.extend((!lines.is_empty()).then_some(Evidence::AllocatedAt(lines)));
    evidence.extend(limit.filter(|limit| limit.reached_in.is_some()).map(Evidence::LimitNears));
    let (from_bytes, to_bytes) = (trend.from_bytes, trend.to_bytes);
    Finding {
        score: score::of_memory(to_bytes, trend.growth.per_second, used),
        growth: Some(Growth { forecast: None, ..trend.growth }),
        history: history(kind, account),
        ..plain(MemoryGrowth { kind, from_bytes, to_bytes }, verdict, evidence)
    }
}

/// A finding that says no more than this.
fn plain(grown: MemoryGrowth, verdict: Verdict, evidence: Vec<Evidence>) -> Finding {
    let class = match grown.kind {
        MemoryKind::Heap => CauseClass::HeapGrowth,
        MemoryKind::OffHeap => CauseClass::OffHeapGrowth,
    };
    Finding {
        id: format!("f-{:016x}", signature::hash(class.name())),
        subject: Subject::Memory(grown),
        class,
        verdict,
        score: Score::default(),
        caused_at: None,
        growth: None,
        history: Vec::new(),
        pattern: None,
        cause: Cause::Unknown,
        source: None,
        suggestions: vec![Suggestion::Class(class)],
        evidence,
    }
}

/// The limit that the growth leads to first.
fn limit(kind: MemoryKind, account: &MemoryAccount) -> Option<LimitUse> {
    let counts = |limit: &&LimitUse| match limit.kind {
        LimitKind::GoMemory => kind == MemoryKind::Heap,
        LimitKind::ControlGroup => true,
    };
    account.limits.iter().find(counts).copied()
}

/// Seconds since the first sample, and bytes.
fn history(kind: MemoryKind, account: &MemoryAccount) -> Vec<(f64, u64)> {
    let figure = |point: &MemoryPoint| match kind {
        MemoryKind::Heap => point.live_bytes,
        MemoryKind::OffHeap => point.rss_bytes,
    };
    let points = account.history.iter();
    points.filter_map(|point| Some((point.elapsed.as_secs_f64(), figure(point)?))).collect()
}
