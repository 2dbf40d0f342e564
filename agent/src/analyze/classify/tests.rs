use std::time::Duration;

use crate::analyze::{CodeFile, CodeFiles, Settings, Window, judge};
use crate::model::{BlockedBasis, BlockedFor, CauseClass, StackView, Verdict, WaitClass};
use crate::sample::Sample;

const FILE: &str = "/src/main.go";
const CODE: &str = "package main

func stop(t *time.Timer) {
\tif !t.Stop() {
\t\t<-t.C
\t}
}
";

/// The class and the verdict of what receives from the timer.
fn judged(is_proven: bool) -> (CauseClass, Verdict) {
    let mut window = Window::default();
    for now in [0, 15, 30] {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.stop", FILE, 5)]);
        for goid in 7..27 {
            let waiter = sample.add(goid, WaitClass::ChanReceive, StackView::Read(stack));
            let duration = Duration::from_secs(u64::from(now));
            waiter.seen_for = Some(duration);
            waiter.blocked = Some(BlockedFor { duration, basis: BlockedBasis::FirstSeen });
            waiter.proven = is_proven;
        }
        window.push(&sample.observe(now));
    }
    let mut files = CodeFiles::default();
    let file = CodeFile { path: FILE.to_owned(), text: CODE.into(), stale: false };
    files.give(FILE.to_owned(), Some(file));
    let judgement = judge(&window, &Settings::default(), &mut files)
        .and_then(|assessment| assessment.judgement)
        .expect("something was observed");
    let [finding] = &judgement.findings[..] else { panic!("{:?}", judgement.findings) };
    (finding.class, finding.verdict)
}

#[test]
fn what_is_proven_to_leak_waits_for_no_timer() {
    assert_eq!(judged(false).0, CauseClass::Timer);
    assert_eq!(judged(true), (CauseClass::ChannelReceive, Verdict::Proven));
}
