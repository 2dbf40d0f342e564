//! Goroutines that a source counts and does not know apart, as goroutine profiles do.

use super::*;
use crate::model::{CauseClass, DetectorKind, StackView, Verdict, WaitClass};
use crate::report::json::Json;
use crate::report::{Render, Report};
use crate::sample::Sample;

const SECONDS: u32 = 30;

/// So many senders as `count` says of each second, and 100 workers.
fn judged(count: impl Fn(u32) -> u32) -> Assessment {
    let mut window = Window::default();
    for second in 0..SECONDS {
        let mut sample = Sample::new();
        let sender = sample.stack(&[("main.send", "/src/app/leak.go", 33)]);
        let worker = sample.stack(&[("main.work", "/src/app/pool.go", 7)]);
        sample.add_counted(count(second), WaitClass::ChanSend, StackView::Read(sender));
        sample.add_counted(100, WaitClass::ChanReceive, StackView::Read(worker));
        window.push(&sample.observe(second));
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

#[test]
fn a_count_that_grows_is_found_by_growth_alone() {
    let assessment = judged(|second| 10 + 50 * second);
    let last = 10 + 50 * u64::from(SECONDS - 1);
    assert_eq!(assessment.totals.goroutines, last + 100);
    assert_eq!(assessment.totals.by_wait[&WaitClass::ChanSend], last);
    let group = &assessment.groups[0];
    assert_eq!((group.count, group.previous), (last, Some(last - 50)));
    assert!((group.growth_per_second.expect("a window") - 50.0).abs() < 1e-9);
    let judgement = assessment.judgement.as_ref().expect("judged");
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!((finding.class, finding.verdict), (CauseClass::ChannelSend, Verdict::Likely));
    assert!(
        finding.evidence.iter().any(|it| it.detector() == DetectorKind::CountGrowth),
        "{finding:#?}"
    );
    let leak = finding.goroutines().expect("goroutines");
    assert_eq!((leak.count, leak.turnover, leak.oldest), (last, None, None));
    assert_eq!((leak.stack_bytes, leak.proven_count), (None, None));
    let rise = judgement.rise.as_ref().expect("it rises");
    assert_eq!((rise.explained, rise.unexplained), (last - 10, 0));
}

#[test]
fn a_count_that_stays_is_none_and_what_is_lacking_is_said() {
    let assessment = judged(|_| 2_189);
    let judgement = assessment.judgement.as_ref().expect("judged");
    assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
    assert_eq!(judgement.not_analysed.values().sum::<u64>(), 2_289);
    assert!(judgement.not_enough.iter().any(|it| it.detector == DetectorKind::Accumulated));
}

#[test]
fn no_id_is_invented_for_the_report() {
    let assessment = judged(|second| 10 + 50 * second);
    let report = Report {
        assessments: std::slice::from_ref(&assessment),
        generated_at: assessment.window.last,
        several: false,
    };
    let mut out = Vec::new();
    Json.render(&report, &mut out).expect("a Vec takes everything");
    let document: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    let group = &document["groups"][0];
    assert_eq!(group["count"], 10 + 50 * (SECONDS - 1));
    assert_eq!(group["goids_sample"], serde_json::json!([]));
    let finding = &document["findings"][0];
    assert_eq!(finding["goids_sample"], serde_json::json!([]));
    assert!(finding["memory_bytes"]["stacks"].is_null(), "{finding:#}");
    assert!(finding["wait"]["oldest_seconds"].is_null(), "{finding:#}");
}
