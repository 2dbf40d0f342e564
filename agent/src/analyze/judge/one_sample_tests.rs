//! What one sample alone shows.

use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::model::{
    BlockedBasis, BlockedFor, CauseClass, DetectorKind, StackView, Verdict, WaitClass,
};
use crate::sample::Sample;

fn judged(sample: &Sample) -> Judgement {
    let mut window = Window::default();
    window.push(&sample.observe(0));
    let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
    assessment.expect("observed").judgement.expect("judged")
}

/// So many pairs of goroutines, each of which wait for each other's locks since a tenth of a second.
fn deadlocked(pairs: u64) -> Sample {
    let mut sample = Sample::new();
    for pair in 0..pairs {
        let (a, b) = (0x1000 + 64 * pair, 0x1020 + 64 * pair);
        for (goid, wants, has) in [(100 + 2 * pair, a, b), (101 + 2 * pair, b, a)] {
            let mentions = [(wants, 2), (has, 1)];
            let goroutine = sample.wants(goid, (WaitClass::Mutex, wants), 0, &mentions);
            let duration = Duration::from_millis(100);
            goroutine.blocked = Some(BlockedFor { duration, basis: BlockedBasis::FirstSeen });
        }
    }
    sample
}

#[test]
fn one_deadlock_cycle_is_suspect_and_many_at_once_are_likely() {
    let verdicts = |pairs| {
        let findings = judged(&deadlocked(pairs)).findings;
        let cycles = findings.iter().filter(|it| it.class == CauseClass::DeadlockCycle);
        cycles.map(|finding| finding.verdict).collect::<Vec<_>>()
    };
    assert!(!verdicts(1).is_empty());
    assert!(verdicts(1).iter().all(|&verdict| verdict == Verdict::Suspect));
    assert!(!verdicts(4).is_empty());
    assert!(verdicts(4).iter().all(|&verdict| verdict == Verdict::Likely));
}

/// A server an hour old: a hundred receivers whose ids lie so far apart, from the first on.
fn pile(first: u64, apart: u64, blocked: Option<Duration>) -> Sample {
    let mut sample = Sample::new();
    sample.uptime = Some(Duration::from_secs(3600));
    let stack = sample.stack(&[("main.wait", "/src/app/wait.go", 7)]);
    let site = sample.frame("main.start", "/src/app/wait.go", 5);
    for at in 0..100 {
        let own = sample.objects(&[0xc000_0000 + 96 * at]);
        let goid = first + at * apart;
        let goroutine = sample.add(goid, WaitClass::ChanReceive, StackView::Read(stack));
        goroutine.objects = own;
        goroutine.created_by = Some(site);
        goroutine.parent = NonZeroU64::new(goid - 1);
        goroutine.seen_for = Some(Duration::ZERO);
        goroutine.blocked = Some(match blocked {
            Some(duration) => BlockedFor { duration, basis: BlockedBasis::Runtime },
            None => BlockedFor { duration: Duration::ZERO, basis: BlockedBasis::FirstSeen },
        });
    }
    let busy = sample.stack(&[("main.serve", "/src/app/serve.go", 9)]);
    sample.add(9_999, WaitClass::Sleep, StackView::Read(busy)).seen_for = Some(Duration::ZERO);
    sample
}

#[test]
fn a_pile_of_all_ages_is_likely_and_one_of_one_age_is_not() {
    let found = |sample: &Sample| {
        let findings = judged(sample).findings;
        let pile = findings
            .iter()
            .find(|it| it.evidence.iter().any(|it| it.detector() == DetectorKind::Accumulated));
        pile.map(|finding| (finding.verdict, finding.goroutine_count()))
    };
    assert_eq!(found(&pile(100, 99, None)), Some((Verdict::Likely, 100)));
    assert_eq!(found(&pile(100, 2, None)), None, "a pool of the first minutes");
    assert_eq!(found(&pile(9_700, 2, None)), None, "sessions of the last minutes");
    let since = Some(Duration::from_secs(3_500));
    assert_eq!(found(&pile(100, 99, since)), None, "all have waited since the beginning");
}

#[test]
fn what_ids_alone_do_not_tell_is_named() {
    let mut sample = pile(100, 99, None);
    for goroutine in sample.goroutines() {
        goroutine.parent = NonZeroU64::new(1);
    }
    let judgement = judged(&sample);
    assert!(judgement.not_enough.iter().any(|it| it.detector == DetectorKind::Accumulated));
}

/// So many senders, which the runtime says have waited for so long, on channels of their own or on one.
fn senders(count: u64, seconds: impl Fn(u64) -> u64, own: bool) -> Sample {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.send", "/src/app/send.go", 7)]);
    for at in 0..count {
        let objects = sample.objects(&[if own { 0xc000_0000 + 96 * at } else { 0xc000_0000 }]);
        let goroutine = sample.add(100 + at, WaitClass::ChanSend, StackView::Read(stack));
        goroutine.objects = objects;
        goroutine.seen_for = Some(Duration::ZERO);
        let duration = Duration::from_secs(seconds(at));
        goroutine.blocked = Some(BlockedFor { duration, basis: BlockedBasis::Runtime });
    }
    sample
}

#[test]
fn many_at_once_are_suspect_and_likely_once_most_have_waited() {
    let verdict = |sample: &Sample| judged(sample).findings.first().map(|found| found.verdict);
    assert_eq!(verdict(&senders(1_500, |_| 0, true)), Some(Verdict::Suspect));
    assert_eq!(verdict(&senders(1_500, |_| 0, false)), None, "a crowd at one channel");
    assert_eq!(verdict(&senders(1_500, |_| 20, false)), Some(Verdict::Likely));
    let young = |at| if at == 0 { 60 } else { 1 };
    assert_eq!(verdict(&senders(200, young, false)), None, "one is old");
    assert_eq!(verdict(&senders(200, |_| 20, false)), Some(Verdict::Suspect));
}
