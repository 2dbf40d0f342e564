use std::time::Duration;

use super::*;
use crate::analyze::busy::Runners;
use crate::analyze::group;
use crate::analyze::kin::Kin;
use crate::analyze::signature::Signatures;
use crate::model::Mention;
use crate::sample::Sample;

const GROUP: u64 = 0xc000_0010;
/// Most of the window.
const LONG: u64 = 25;

/// Goroutine 20 waits for a wait group; goroutine 10 started it in a function.
fn waiter(started_in: &str) -> Sample {
    let mut sample = Sample::new();
    let creator = sample.frame("main.run", "/src/run.go", 9);
    let start = sample.frame(started_in, "/src/run.go", 10);
    let waiter = sample.wants(20, (WaitClass::WaitGroup, GROUP), LONG, &[(GROUP, 1)]);
    waiter.created_by = Some(creator);
    waiter.started_in = Some(start);
    waiter.parent = std::num::NonZeroU64::new(10);
    sample
}

/// Adds a goroutine that some other started in a function.
fn start(sample: &mut Sample, goid: u64, parent: u64, function: &str, wait: WaitClass) {
    let creator = sample.frame(function, "/src/run.go", 11);
    let goroutine = sample.wants(goid, (wait, 0), LONG, &[]);
    goroutine.created_by = Some(creator);
    goroutine.parent = std::num::NonZeroU64::new(parent);
}

fn kin(sample: &Sample) -> Kin {
    let span = Span {
        window: Duration::from_secs(30),
        step: Duration::from_secs(1),
        ran: Duration::from_secs(30),
    };
    let observation = sample.observe(30);
    let lives =
        group::groups(&observation, (span, &Runners::default()), &mut Signatures::default()).1;
    lives.into_iter().map(|life| life.kin).find(|&kin| kin != Kin::default()).unwrap_or_default()
}

const ALONE: Kin = Kin { alone: 1, behind_stuck: 0, attended: 0 };
const BEHIND_STUCK: Kin = Kin { alone: 0, behind_stuck: 1, attended: 0 };
const ATTENDED: Kin = Kin { alone: 0, behind_stuck: 0, attended: 1 };

#[test]
fn a_waiters_own_children_are_waited_for() {
    for (wait, expected) in [
        (WaitClass::IoWait, ATTENDED),
        (WaitClass::Sleep, ATTENDED),
        (WaitClass::ChanReceive, BEHIND_STUCK),
        (WaitClass::WaitGroup, BEHIND_STUCK),
    ] {
        let mut sample = waiter("main.serve");
        start(&mut sample, 30, 20, "main.serve", wait);
        assert_eq!(kin(&sample), expected, "{wait:?}");
    }
}

#[test]
fn what_its_parent_started_is_none_of_a_waiters() {
    let mut sample = waiter("main.handle");
    start(&mut sample, 30, 10, "main.run", WaitClass::IoWait);
    assert_eq!(kin(&sample), ALONE);
    assert!(kin(&sample).are_gone());
}

#[test]
fn a_literal_that_waits_is_started_beside_those_it_waits_for() {
    for (function, expected) in [
        ("main.run", ATTENDED),
        ("golang.org/x/sync/errgroup.(*Group).Go", ATTENDED),
        ("main.elsewhere", ALONE),
    ] {
        let mut sample = waiter("main.run.func2");
        start(&mut sample, 30, 10, function, WaitClass::IoWait);
        assert_eq!(kin(&sample), expected, "{function}");
    }
    let mut of_another = waiter("main.run.func2");
    start(&mut of_another, 30, 11, "main.run", WaitClass::IoWait);
    assert_eq!(kin(&of_another), ALONE);
}

#[test]
fn whoever_mentions_the_wait_group_may_call_done_but_for_who_handed_it_on() {
    for (goid, expected) in [(30, ATTENDED), (10, ALONE)] {
        let mut sample = waiter("main.handle");
        start(&mut sample, goid, 1, "main.main", WaitClass::Sleep);
        sample.mentions.push(Mention { object: GROUP, goid, times: 1, outer: 0 });
        assert_eq!(kin(&sample), expected, "{goid}");
    }
}

#[test]
fn who_waits_briefly_is_not_counted() {
    let mut sample = Sample::new();
    sample.wants(20, (WaitClass::WaitGroup, GROUP), 3, &[]);
    assert_eq!(kin(&sample), Kin::default());
    assert!(!Kin::default().are_gone());
}

#[test]
fn workers_that_stand_still_serve_where_those_who_started_them_are_at_work() {
    assert!(ATTENDED.serve(false) && BEHIND_STUCK.serve(true));
    assert!(!BEHIND_STUCK.serve(false) && !ALONE.serve(true) && !Kin::default().serve(true));
}
