//! Who holds a heap that grows: what walks of it found becomes part of the finding.
//!
//! Where goroutines that leak hold it, there is one leak and one finding: theirs.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::since::key;
use crate::analyze::forced::would_free;
use crate::model::{
    Assessment, CauseClass, Evidence, Finding, HeapHeld, HeapHolder, HeapPath, HeapStep, HeldHeap,
    HolderKind, Judgement, Retained, Subject, Suggestion, Verdict,
};

/// A smaller heap is not walked unless it grows.
const MIN_OPEN: u64 = 64 << 20;
/// Holders that are named of a heap without a finding.
const NAMED: usize = 5;

/// Of what was added since the walk before, a holder has at least this part, or it is not said to have grown.
const MIN_PART: f64 = 0.2;
/// Holders that are named of a heap that grew.
const GREW: usize = 3;

/// The finding that Go's heap grows, if there is one.
#[must_use]
pub fn heap_growth(assessment: &Assessment) -> Option<&Finding> {
    let findings = &assessment.judgement.as_ref()?.findings;
    findings.iter().find(|finding| finding.class == CauseClass::HeapGrowth)
}

/// Whether nobody can say if a heap leaks that is large: too few collections were seen, what is on it is at least
/// 64 MiB, and half of the resident memory. Who holds it is worth a walk then.
#[must_use]
pub fn is_open(assessment: &Assessment) -> bool {
    let Some(now) = assessment.memory.as_ref().map(|account| &account.now) else { return false };
    let (Some(heap), Some(process)) = (&now.heap, now.process) else { return false };
    assessment.judgement.as_ref().is_some_and(Judgement::lacks_collections)
        && heap.objects_bytes >= MIN_OPEN
        && heap.objects_bytes >= process.rss_bytes / 2
}

/// Adds who holds most of a heap, and a hundredth of it at least, to what is said of the memory.
pub fn name_holders(assessment: &mut Assessment, now: Retained) {
    let Some(account) = &mut assessment.memory else { return };
    let Retained { mut holders, reached, walk, .. } = now;
    holders.truncate(NAMED);
    // The first is named whatever it has.
    let most = holders.len().min(1);
    let is_much = |holder: &HeapHolder| holder.holds.bytes >= reached.bytes / 100;
    let many = holders.iter().take_while(|holder| is_much(holder)).count();
    holders.truncate(many.max(most));
    account.held = Some(HeldHeap { holders, reached, is_whole: walk.is_whole });
}

/// Adds what collections would free, of what is there beyond what was live when the window began.
pub fn add_would_free(assessment: &mut Assessment, now: &Retained) {
    let Some(account) = &mut assessment.memory else { return };
    let floor = account.history.first().and_then(|point| point.live_bytes);
    account.would_free = would_free(now, floor.filter(|bytes| *bytes > 0));
}

/// Adds who holds the heap to the finding that it grows, by a walk now, and one before if there was one. What leaking
/// goroutines hold is said of them; if nobody else holds what grew, there is one finding, theirs.
pub fn hold(assessment: &mut Assessment, now: &Retained, before: Option<&Retained>) {
    let mut others = Vec::new();
    let mut leaks = Vec::new();
    for held in held(now, before) {
        match leak_of(assessment, &held.holder) {
            Some(leak) => leaks.push((leak, held)),
            None => others.push(held),
        }
    }
    let Some(judgement) = &mut assessment.judgement else { return };
    let findings = &mut judgement.findings;
    let Some(place) = findings.iter().position(|it| it.class == CauseClass::HeapGrowth) else {
        return;
    };
    let is_of_leaks = others.is_empty();
    if before.is_some_and(|before| !is_there(&findings[place], now, before)) {
        let finding = &mut findings[place];
        finding.verdict = finding.verdict.min(Verdict::Suspect);
    }
    let first = leaks.first().map(|(leak, _)| leak.clone());
    for (leak, held) in leaks {
        if let Some(finding) = findings.iter_mut().find(|it| it.id == leak) {
            finding.evidence.push(Evidence::HeapHeld(Box::new(held)));
        }
    }
    let finding = &mut findings[place];
    if others.first().is_some_and(is_of_cycles) {
        finding.class = CauseClass::FinalizerCycle;
        finding.suggestions = vec![Suggestion::Class(CauseClass::FinalizerCycle)];
    }
    finding.evidence.extend(others.into_iter().map(|held| Evidence::HeapHeld(Box::new(held))));
    if let Some(leak) = first.filter(|_| is_of_leaks) {
        merge(judgement, place, &leak);
    }
}

/// Whether what collections left more and more of is there at the end: half of it at least is what a walk then reaches more
/// of than one at the start. What a burst of work needs for a while is gone again.
fn is_there(finding: &Finding, now: &Retained, before: &Retained) -> bool {
    let Subject::Memory(grown) = &finding.subject else { return true };
    let more = grown.to_bytes.saturating_sub(grown.from_bytes);
    let added = now.reached.bytes.saturating_sub(before.reached.bytes);
    !(now.walk.is_whole && before.walk.is_whole) || added >= more / 2
}

/// Whether objects that keep themselves are what grew; without a walk before, most of the heap.
fn is_of_cycles(held: &HeapHeld) -> bool {
    let is_most = held.holder.holds.bytes > held.reached.bytes / 2;
    held.holder.kind.is_cycle() && (held.grown_bytes.is_some() || is_most)
}

/// What goroutines hold that leak is no leak of its own. The heap's growth is as sure as it was.
fn merge(judgement: &mut Judgement, memory: usize, leak: &str) {
    let memory = judgement.findings.remove(memory);
    let place = judgement.findings.iter().position(|it| it.id == leak);
    let Some(leaking) = place.and_then(|place| judgement.findings.get_mut(place)) else { return };
    leaking.verdict = leaking.verdict.max(memory.verdict);
    leaking.score.memory = leaking.score.memory.max(memory.score.memory);
    leaking.evidence.extend(memory.evidence);
}

/// The holders that grew, most first, and of each the path that did; or else the one that holds most, and its largest path.
fn held(now: &Retained, before: Option<&Retained>) -> Vec<HeapHeld> {
    let before = before.filter(|before| before.walk.is_whole && now.walk.is_whole);
    let grown = before.map(|before| grown(now, before)).unwrap_or_default();
    let of = |place: usize, grown_bytes: Option<u64>| {
        let cycle = now.cycles.iter().find(|cycle| cycle.holder == place);
        let steps = cycle.map(|cycle| &cycle.steps).or_else(|| {
            let before = before.filter(|_| grown_bytes.is_some());
            path(now, before, place).map(|path| &path.steps)
        });
        Some(HeapHeld {
            holder: now.holders.get(place)?.clone(),
            steps: steps.cloned().unwrap_or_default(),
            grown_bytes,
            reached: now.reached,
            is_whole: now.walk.is_whole,
        })
    };
    if grown.is_empty() {
        return of(0, None).into_iter().collect();
    }
    grown.into_iter().filter_map(|(place, more)| of(place, Some(more))).collect()
}

/// The path of a holder that became more by most bytes since a walk before; without one, the path with most.
fn path<'r>(now: &'r Retained, before: Option<&Retained>, place: usize) -> Option<&'r HeapPath> {
    let holder = key(now.holders.get(place)?);
    let had: HashMap<&[HeapStep], u64> = before.map_or_else(HashMap::new, |before| {
        let is_its = |path: &&HeapPath| {
            before.holders.get(path.holder).is_some_and(|other| key(other) == holder)
        };
        let paths = before.paths.iter().filter(is_its);
        paths.map(|path| (path.steps.as_slice(), path.holds.bytes)).collect()
    });
    let more = |path: &HeapPath| {
        let before = had.get(path.steps.as_slice()).copied().unwrap_or(0);
        path.holds.bytes.saturating_sub(before)
    };
    let its = now.paths.iter().filter(|path| path.holder == place);
    // Those with most bytes come first.
    its.rev().max_by_key(|path| more(path))
}

/// The holders that have much of what was added, and how much: most first.
fn grown(now: &Retained, before: &Retained) -> Vec<(usize, u64)> {
    let held: HashMap<_, u64> =
        before.holders.iter().map(|holder| (key(holder), holder.holds.bytes)).collect();
    let added = now.reached.bytes.saturating_sub(before.reached.bytes);
    let more = now.holders.iter().enumerate().map(|(place, holder)| {
        let before = held.get(&key(holder)).copied().unwrap_or(0);
        (place, holder.holds.bytes.saturating_sub(before))
    });
    let is_much = |more: u64| more > 0 && more as f64 >= added as f64 * MIN_PART;
    let mut grown: Vec<(usize, u64)> = more.filter(|(_, more)| is_much(*more)).collect();
    grown.sort_by_key(|(_, more)| Reverse(*more));
    grown.truncate(GREW);
    grown
}

/// The id of the finding of goroutines that started in the function that a holder names.
fn leak_of(assessment: &Assessment, holder: &HeapHolder) -> Option<String> {
    if holder.kind != HolderKind::Goroutines {
        return None;
    }
    let name = holder.name.as_deref()?;
    let stacks = &assessment.stacks;
    let starts_there = |group: usize| {
        let stack = assessment.groups.get(group).and_then(|group| group.stack);
        let frames = stack.map(|stack| stacks.frames_of(stack)).unwrap_or_default();
        // The outermost: what the `go` statement called, or what the compiler made around it.
        frames.iter().rev().take(3).any(|frame| {
            stacks.function(*frame).is_some_and(|function| stacks.text(function) == name)
        })
    };
    let findings = &assessment.judgement.as_ref()?.findings;
    let found = findings.iter().find(|finding| match &finding.subject {
        Subject::Goroutines(leak) => leak.groups.iter().any(|group| starts_there(*group)),
        Subject::Memory(_) | Subject::Resource(_) => false,
    });
    found.map(|finding| finding.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::{Amount, HeapCycle, MemoryGrowth, MemoryKind, WalkCoverage};
    use crate::sample::leaking;

    fn retained(holders: &[(&str, u64)]) -> Retained {
        let holder = |(name, bytes): &(&str, u64)| HeapHolder {
            function: None,
            entries_of: None,
            kind: HolderKind::Variable,
            name: Some((*name).to_owned()),
            address: Some(0x1000),
            count: 1,
            holds: Amount { bytes: *bytes, objects: 1 },
        };
        let bytes = holders.iter().map(|(_, bytes)| bytes).sum();
        let path = |holder| HeapPath {
            holder,
            steps: vec![HeapStep { via: None, type_name: Some(format!("[]t{holder}")) }],
            holds: Amount { bytes: 1, objects: 1 },
        };
        Retained {
            holders: holders.iter().map(holder).collect(),
            reached: Amount { bytes, objects: holders.len() as u64 },
            paths: (0..holders.len()).map(path).collect(),
            walk: WalkCoverage { is_whole: true, ..WalkCoverage::default() },
            ..Retained::default()
        }
    }

    fn names(held: &[HeapHeld]) -> Vec<(&str, Option<u64>)> {
        held.iter()
            .map(|held| (held.holder.name.as_deref().expect("it has a name"), held.grown_bytes))
            .collect()
    }

    #[test]
    fn the_one_that_grew_is_named_and_not_the_largest() {
        let before = retained(&[("main.cache", 100), ("main.leak", 10)]);
        let now = retained(&[("main.cache", 101), ("main.leak", 60)]);
        let found = held(&now, Some(&before));
        assert_eq!(names(&found), [("main.leak", Some(50))]);
        assert_eq!(found[0].steps[0].type_name.as_deref(), Some("[]t1"));
        // A holder that was not there before has grown too.
        let new = retained(&[("main.cache", 101), ("main.new", 60), ("main.leak", 10)]);
        assert_eq!(names(&held(&new, Some(&before))), [("main.new", Some(60))]);
        // All that have much of it are named, those with most first.
        let both = retained(&[("main.cache", 101), ("main.leak", 70), ("main.new", 50)]);
        let found = held(&both, Some(&before));
        assert_eq!(names(&found), [("main.leak", Some(60)), ("main.new", Some(50))]);
    }

    #[test]
    fn of_a_holder_the_path_that_grew_is_named_and_not_the_largest() {
        let with = |pages, sessions| {
            let mut retained = retained(&[("main.app", pages + sessions)]);
            let path = |name: &str, bytes| HeapPath {
                holder: 0,
                steps: vec![HeapStep { via: Some(name.to_owned()), type_name: None }],
                holds: Amount { bytes, objects: 1 },
            };
            retained.paths = vec![path("pages", pages), path("sessions", sessions)];
            retained
        };
        let via = |held: Vec<HeapHeld>| held[0].steps[0].via.clone();
        let (now, before) = (with(100, 60), with(100, 10));
        assert_eq!(via(held(&now, Some(&before))).as_deref(), Some("sessions"));
        assert_eq!(via(held(&now, None)).as_deref(), Some("pages"));
    }

    #[test]
    fn without_growth_or_another_walk_the_largest_is_named() {
        let now = retained(&[("main.cache", 101), ("main.leak", 60)]);
        assert_eq!(names(&held(&now, None)), [("main.cache", None)]);
        assert_eq!(names(&held(&now, Some(&now))), [("main.cache", None)]);
        let mut part = retained(&[("main.leak", 1)]);
        part.walk.is_whole = false;
        assert_eq!(names(&held(&now, Some(&part))), [("main.cache", None)]);
        // A little of what many have added is no growth of one.
        let before = retained(&[]);
        let many: Vec<(&str, u64)> = vec![("main.a", 10); 20];
        assert_eq!(names(&held(&retained(&many), Some(&before))), [("main.a", None)]);
        assert!(held(&retained(&[]), None).is_empty());
    }

    /// Goroutines that leak, and a heap that grows, both findings.
    fn both() -> Assessment {
        let mut window = Window::default();
        for second in 0..40 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let mut assessment = judged.expect("observed");
        let findings = &mut assessment.judgement.as_mut().expect("judged").findings;
        let mut memory = findings[0].clone();
        memory.id = "f-memory".to_owned();
        memory.class = CauseClass::HeapGrowth;
        memory.verdict = Verdict::Proven;
        let (kind, from_bytes, to_bytes) = (MemoryKind::Heap, 1, 2);
        memory.subject = Subject::Memory(MemoryGrowth { kind, from_bytes, to_bytes });
        findings.insert(0, memory);
        assessment
    }

    #[test]
    fn what_is_gone_again_at_the_end_is_no_more_than_suspect() {
        let judged = |at_the_end: u64, is_whole: bool| {
            let mut assessment = both();
            let findings = &mut assessment.judgement.as_mut().expect("judged").findings;
            findings[0].verdict = Verdict::Likely;
            let (kind, from_bytes, to_bytes) = (MemoryKind::Heap, 10, 110);
            findings[0].subject = Subject::Memory(MemoryGrowth { kind, from_bytes, to_bytes });
            let before = retained(&[("main.pool", 10)]);
            let mut now = retained(&[("main.pool", at_the_end)]);
            now.walk.is_whole = is_whole;
            hold(&mut assessment, &now, Some(&before));
            assessment.judgement.expect("judged").findings[0].verdict
        };
        assert_eq!(judged(59, true), Verdict::Suspect);
        assert_eq!(judged(60, true), Verdict::Likely);
        // A walk that missed something does not tell.
        assert_eq!(judged(20, false), Verdict::Likely);
    }

    #[test]
    fn objects_that_their_finalizers_keep_are_a_class_of_their_own() {
        let with_kind = |kind, bytes| {
            let mut retained = retained(&[("main.cache", 100), ("main.node", bytes)]);
            retained.holders[1].kind = kind;
            let step = |via: Option<&str>, name: &str| HeapStep {
                via: via.map(str::to_owned),
                type_name: Some(name.to_owned()),
            };
            let steps = vec![step(None, "main.node"), step(Some("own"), "main.node")];
            retained.cycles = vec![HeapCycle { holder: 1, steps }];
            retained
        };
        let with = |bytes| with_kind(HolderKind::Cycle, bytes);
        let class = |now: &Retained, before: &Retained| {
            let mut assessment = both();
            hold(&mut assessment, now, Some(before));
            let finding = &assessment.judgement.expect("judged").findings[0];
            let held = finding.heap_held().expect("it is known who holds it");
            (finding.class, held.steps.len(), finding.suggestions.first().cloned())
        };
        let fix = Suggestion::Class(CauseClass::FinalizerCycle);
        assert_eq!(class(&with(60), &with(10)), (CauseClass::FinalizerCycle, 2, Some(fix)));
        for kind in [HolderKind::CleanupCycle, HolderKind::WeakCycle] {
            let now = class(&with_kind(kind, 60), &with_kind(kind, 10));
            assert_eq!(now.0, CauseClass::FinalizerCycle);
        }
        assert_eq!(class(&with(10), &with(10)).0, CauseClass::HeapGrowth, "it does not grow");
    }

    #[test]
    fn goroutines_that_leak_and_hold_the_heap_are_one_finding() {
        let mut now = retained(&[("main.leakGoroutines.func1", 100)]);
        now.holders[0].kind = HolderKind::Goroutines;
        let mut assessment = both();
        let alone = assessment.judgement.as_ref().expect("judged").findings[1].evidence.len();
        hold(&mut assessment, &now, None);
        assert!(heap_growth(&assessment).is_none());
        let [leak] = &assessment.judgement.as_ref().expect("judged").findings[..] else { panic!() };
        assert!(leak.goroutines().is_some() && leak.heap_held().is_some());
        assert!(leak.evidence.len() > alone + 1);
        assert_eq!(leak.verdict, Verdict::Proven);
        // A variable that holds as much of what was added is named by a finding of its own, beside theirs.
        let mut now = retained(&[("main.leakGoroutines.func1", 100), ("main.history", 60)]);
        now.holders[0].kind = HolderKind::Goroutines;
        let mut assessment = both();
        hold(&mut assessment, &now, Some(&retained(&[])));
        let growth = heap_growth(&assessment).expect("it is still there");
        let named = growth.heap_held().and_then(|held| held.holder.name.as_deref());
        assert_eq!(named, Some("main.history"));
        let findings = &assessment.judgement.as_ref().expect("judged").findings;
        let leak = findings.iter().find(|it| it.goroutines().is_some()).expect("the leak");
        assert_eq!(leak.heap_held().and_then(|held| held.grown_bytes), Some(100));
        // A variable, or other goroutines, hold it beside the leak.
        for (name, kind) in [
            ("main.leakGoroutines.func1", HolderKind::Variable),
            ("main.other", HolderKind::Goroutines),
        ] {
            let mut now = retained(&[(name, 100)]);
            now.holders[0].kind = kind;
            let mut assessment = both();
            hold(&mut assessment, &now, None);
            let growth = heap_growth(&assessment).expect("it is still there");
            assert_eq!(growth.heap_held().map(|held| held.holder.kind), Some(kind));
        }
    }
}
