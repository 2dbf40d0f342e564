use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::analyze::{CodeFile, CodeFiles, Settings, Window, judge};
use crate::model::{
    BlockedBasis, BlockedFor, DetectorKind, Finding, Judgement, Lack, StackView, WaitClass,
};
use crate::sample::Sample;

/// A program with a goroutine in each of so many functions, and its file.
fn distinct(functions: u32) -> (Window, String) {
    let mut text = "package main\n\nvar ch = make(chan int)\n".to_owned();
    for at in 0..functions {
        writeln!(text, "func f{at}() {{ ch <- {at} }}").expect("a string");
    }
    let mut window = Window::default();
    for now in [0, 15, 30] {
        let mut sample = Sample::new();
        for at in 0..functions {
            let stack = sample.stack(&[(&format!("main.f{at}"), "/src/main.go", 4 + at)]);
            let seen = Duration::from_secs(u64::from(now));
            let one = sample.add(100 + u64::from(at), WaitClass::ChanSend, StackView::Read(stack));
            one.seen_for = Some(seen);
            one.blocked = Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
        }
        window.push(&sample.observe(now));
    }
    (window, text)
}

fn judged(window: &Window, files: &mut CodeFiles, text: &str) -> Judgement {
    let judge = |files: &mut CodeFiles| {
        let assessment = judge(window, &Settings::default(), files);
        assessment.and_then(|it| it.judgement).expect("something was observed")
    };
    judge(files);
    for path in files.take_wanted() {
        let file = CodeFile { path: path.clone(), text: text.into(), stale: false };
        files.give(path, Some(file));
    }
    judge(files)
}

fn lacks(judgement: &Judgement) -> Option<Lack> {
    let lacking = judgement.not_enough.iter().find(|lack| lack.detector == DetectorKind::Source);
    lacking.map(|lack| lack.lack)
}

/// Findings of which the source says something.
fn told(judgement: &Judgement) -> usize {
    let by_source =
        |found: &&Finding| found.evidence.iter().any(|it| it.detector() == DetectorKind::Source);
    judgement.findings.iter().filter(by_source).count()
}

#[test]
fn the_source_of_the_largest_is_read_and_the_others_are_counted() {
    let (window, text) = distinct(1_200);
    let mut files = CodeFiles::default();
    let judgement = judged(&window, &mut files, &text);
    let listed = judgement.findings.len() as u64;
    assert_eq!(listed + judgement.unlisted, 1_200, "no finding is lost");
    assert_eq!(lacks(&judgement), Some(Lack::Unread { lines: 200, goroutines: 200 }));
    assert_eq!(told(&judgement), 1_000);
    let again = judged(&window, &mut files, &text);
    assert_eq!(lacks(&again), lacks(&judgement));

    let (window, text) = distinct(50);
    let judgement = judged(&window, &mut CodeFiles::default(), &text);
    assert_eq!((lacks(&judgement), told(&judgement)), (None, 50));
}

#[test]
fn once_a_stop_is_asked_for_no_source_is_read() {
    let (window, text) = distinct(50);
    let mut files = CodeFiles::until(Arc::new(AtomicBool::new(true)));
    let judgement = judged(&window, &mut files, &text);
    assert_eq!((judgement.findings.len(), told(&judgement)), (50, 0));
    assert_eq!(lacks(&judgement), Some(Lack::Unread { lines: 50, goroutines: 50 }));
}
