use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{
    Assessment, CauseBasis, CausedAt, DetectorKind, Heap, IdleReason, Judgement, Lack, NoLeak,
    NotAnalysed, NotEnough, Resolved, Rise, RiseVerdict, Rising, StackTable, Subjects,
};
use crate::report::format;
use crate::report::judged;

fn judgement(assessment: &Assessment) -> &Judgement {
    assessment.judgement.as_ref().expect("it is judged")
}

#[test]
fn findings_are_counted_by_verdict() {
    let assessment =
        judged::assessment(vec![judged::leak(), judged::suspect(1), judged::suspect(2)]);
    assert_eq!(result(&assessment, judgement(&assessment)), "3 findings: 1 likely, 2 suspect");
}

#[test]
fn nothing_found_is_bounded_by_what_was_looked_at() {
    let mut assessment = judged::assessment(Vec::new());
    assert_eq!(
        result(&assessment, judgement(&assessment)),
        "no leak found in 2.0s over 44 goroutines (2 samples)"
    );
    assessment.window.observations = 1;
    assessment.window.duration = Duration::ZERO;
    assert_eq!(
        result(&assessment, judgement(&assessment)),
        "no leak found in one sample of 44 goroutines"
    );
    let open = not_analysed(&assessment, judgement(&assessment));
    assert!(open.iter().any(|said| said.contains("one sample cannot show them")), "{open:?}");
}

#[test]
fn nothing_found_is_no_all_clear_where_many_are_not_analysed() {
    let mut assessment = judged::assessment(Vec::new());
    assert!(is_well(&assessment, judgement(&assessment)));
    let open = BTreeMap::from([(NotAnalysed::Filtered, 30)]);
    assessment.judgement.as_mut().expect("judged").not_analysed = open;
    assert!(!is_well(&assessment, judgement(&assessment)));
    let said = result(&assessment, judgement(&assessment));
    assert!(said.ends_with("(2 samples); 30 of all are not analysed"), "{said}");
    assessment.totals.goroutines = 10_000;
    assert!(is_well(&assessment, judgement(&assessment)), "30 of 10,000 are few");
}

#[test]
fn of_memory_nothing_is_claimed_where_the_source_tells_nothing_of_it() {
    let mut assessment = judged::assessment(Vec::new());
    assert!(scope(&assessment).starts_with("goroutines alone: the source"));
    assert_eq!(health(&assessment, judgement(&assessment)), "97 of 100 of goroutines alone");
    assert!(memory_unseen(&assessment).is_some_and(|it| it.contains("analyze by PID")));
    assessment.coverage.subjects = Subjects::GOROUTINES;
    assert_eq!(memory_unseen(&assessment), None, "nobody asked for it");
    let mut window = Window::default();
    let mut sample = crate::sample::leaking(3);
    sample.memory.heap = Some(Heap::default());
    window.push(&sample.observe(0));
    let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
    let assessment = assessment.expect("observed");
    assert!(scope(&assessment).starts_with("goroutines and figures of memory"));
    assert_eq!(memory_unseen(&assessment), None);
}

#[test]
fn detectors_that_lack_the_same_share_a_sentence() {
    let mut assessment = judged::assessment(Vec::new());
    let judged = assessment.judgement.as_mut().expect("it is judged");
    judged.not_enough = [DetectorKind::CountGrowth, DetectorKind::SteadyGrowth]
        .map(|detector| NotEnough { detector, lack: Lack::Count { samples: 6 } })
        .to_vec();
    assert_eq!(
        not_analysed(&assessment, judgement(&assessment)),
        [
            "1 goroutine: its stack could not be read in the last sample",
            "memory: the source tells nothing of it; analyze by PID does",
            "count-growth, steady-growth: growth of a count needs 6 samples",
        ]
    );
}

#[test]
fn the_longest_wait_is_a_lower_bound_unless_a_probe_saw_it_begin() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    let finding = judged::leak();
    assert_eq!(oldest(&finding, assessment.groups.first()).as_deref(), Some("≥20.0s"));
    assessment.groups[0].exact = true;
    assert_eq!(oldest(&finding, assessment.groups.first()).as_deref(), Some("20.0s"));
    let mut fresh = judged::leak();
    fresh.goroutines_mut().expect("goroutines").oldest = Some(Duration::ZERO);
    assert_eq!(oldest(&fresh, None), None);
}
#[test]
fn the_parts_add_up_to_all_goroutines_or_are_not_said() {
    let mut assessment = judged::assessment(vec![judged::leak(), judged::suspect(1)]);
    let parts = BTreeMap::from([(NotAnalysed::Unremarkable, 1)]);
    let judged = assessment.judgement.as_mut().expect("judged");
    (judged.idle, judged.not_analysed) = (BTreeMap::from([(IdleReason::Pool.into(), 3)]), parts);
    let sums = accounting(&assessment, judgement(&assessment)).expect("all are shown");
    assert_eq!(sums.total, sums.found + sums.idle + sums.not_analysed);
    assert_eq!(sums.to_string(), "45: 41 in findings, 3 ignored as idle, 1 not analysed");
    assessment.groups.pop();
    assert_eq!(accounting(&assessment, judgement(&assessment)), None);
}

#[test]
fn what_makes_the_number_rise_is_named_with_what_was_made_of_it() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    assert_eq!(rise(&assessment, judgement(&assessment), 3), None);
    let rising = |group, more, verdict| Rising { group, more, verdict };
    let found = || RiseVerdict::Finding("f-7c0d11".to_owned());
    assessment.judgement.as_mut().expect("judged").rise = Some(Rise {
        from: 9,
        to: 45,
        per_second: 18.0,
        explained: 36,
        unexplained: 2,
        groups: vec![
            rising(
                judged::LOCKING,
                14,
                RiseVerdict::Ignored(IdleReason::Worker.into(), NoLeak::Few),
            ),
            rising(judged::LEAKING, 10, found()),
            rising(judged::LEAKING, 10, found()),
            rising(usize::MAX, 2, RiseVerdict::NoLeak(NoLeak::OneBurst)),
            rising(usize::MAX, 1, RiseVerdict::NotAnalysed(NotAnalysed::Filtered)),
        ],
    });
    let begin = "from 9 to 45, +18.0/s: +20 in finding 1; ";
    let ignored = "+14 at main.transfer (bank.go:52): ignored as idle, worker that waits for work; too few of those that came are still here; ";
    assert_eq!(
        rise(&assessment, judgement(&assessment), 2),
        Some(format!("{begin}{ignored}+3 in other groups"))
    );
    assert_eq!(
        rise(&assessment, judgement(&assessment), 9),
        Some(format!(
            "{begin}{ignored}+2 in the runtime: no finding, they came in one burst; +1 in another group"
        )),
        "what is hardly any of it is not named"
    );
    let health = health(&assessment, judgement(&assessment));
    assert_eq!(
        health,
        "12 of 100 of goroutines alone, and the number of goroutines rises: +18.0/s"
    );
}

#[test]
fn callers_reach_the_programs_own_code_whatever_lies_between() {
    let mut stacks = StackTable::default();
    let library = "/go/pkg/mod/example.com/db@v1.2.3/pool.go";
    let mut frames = vec![("example.com/db.(*Pool).dial", library)];
    frames.extend([("example.com/db.(*Pool).get", library); 9]);
    frames.push(("net/http.(*Client).Do", "/usr/local/go/src/net/http/client.go"));
    frames.push(("main.callStore", "/src/app/main.go"));
    frames.push(("net/http.HandlerFunc.ServeHTTP", "/usr/local/go/src/net/http/server.go"));
    frames.push(("runtime.goexit", "/usr/local/go/src/runtime/asm.s"));
    let frames: Vec<_> = frames
        .into_iter()
        .map(|(function, file)| {
            stacks.resolved(Resolved { function, file, line: 41, inlined: false })
        })
        .collect();
    let stack = stacks.stack(&frames, 0);
    let told: Vec<_> = callers_in_brief(&stacks, stack).iter().map(Caller::brief).collect();
    assert_eq!(
        told,
        [
            "… 10 frames of example.com/db and 1 more …",
            "main.callStore (main.go:41)",
            "http.HandlerFunc.ServeHTTP (server.go:41)",
        ]
    );
    let all: Vec<_> = frames.iter().map(|&frame| format::frame(&stacks, frame)).collect();
    let nothing_own: Vec<_> = all.iter().filter(|text| !text.own).cloned().collect();
    let told: Vec<_> = stack_in_brief(&nothing_own[..11]).iter().map(Caller::brief).collect();
    assert_eq!(
        told,
        ["… 10 frames of example.com/db …", "http.(*Client).Do (client.go:41)"],
        "what a goroutine runs is named, whose ever it is"
    );
}

#[test]
fn the_programs_own_line_leads() {
    let assessment = judged::assessment(vec![judged::leak()]);
    let group = &assessment.groups[judged::LEAKING];
    let mut finding = judged::leak();
    assert_eq!(lead(&finding, Some(group)), group.blocked_at);
    let frame = group.created_by.expect("a creator");
    finding.caused_at = Some(CausedAt { frame, basis: CauseBasis::Creator });
    assert_eq!(lead(&finding, Some(group)), Some(frame));
    let note = |basis| line_note(Line::Caused(basis));
    assert!(note(CauseBasis::Creator).is_some() && note(CauseBasis::Stack).is_none());
}
