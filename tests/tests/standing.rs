//! A goroutine that has run between two samples is seen to have, though it waits again as deep in its
//! stack, on the same thing and for the same reason.
#![allow(clippy::expect_used)]

use std::time::Duration;

use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{Goroutine, Observation};
use leak_agent_tests::Observe;
use leak_agent_tests::{Target, each_version};

each_version!(it_stands_elsewhere);
each_version!(it_has_come_back);
each_version!(others_stand_still);
each_version!(one_look_keeps_nothing);

fn swinging(version: &str) -> (Target, Attach) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    target.command("swing").expect("swing");
    let attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    (target, attach)
}

/// The goroutine that swings, and the function of its that waits.
fn swinger(seen: &Observation) -> (&Goroutine, &str) {
    let mut found = seen.goroutines.iter().filter_map(|goroutine| {
        let frames = seen.stacks.frames_of(goroutine.stack.id()?).iter();
        let mut names = frames.filter_map(|&frame| Some(seen.stacks.lookup(frame).ok()?.function));
        let waits = names.find(|name| ["main.here", "main.there"].contains(name))?;
        Some((goroutine, waits))
    });
    let one = found.next().expect("the goroutine that swings");
    assert!(found.next().is_none(), "there is but one");
    one
}

fn it_stands_elsewhere(version: &str) {
    let (mut target, mut attach) = swinging(version);
    for place in ["main.here", "main.there", "main.here"] {
        let seen = attach.next().expect("observation");
        assert_eq!(swinger(&seen).1, place);
        assert_eq!(seen.objects_of(swinger(&seen).0).len(), 1);
        target.command("swing").expect("swing");
    }
}

fn it_has_come_back(version: &str) {
    let (mut target, mut attach) = swinging(version);
    attach.next().expect("observation");
    std::thread::sleep(Duration::from_millis(20));
    let stays = attach.next().expect("observation");
    let blocked = |seen: &Observation| swinger(seen).0.blocked.expect("blocked").duration;
    assert_eq!(blocked(&stays), stays.elapsed);
    target.command("swing").expect("swing");
    target.command("swing").expect("swing");
    let back = attach.next().expect("observation");
    assert_eq!(swinger(&back).1, swinger(&stays).1);
    assert_eq!(blocked(&back), Duration::ZERO);
}

/// Nothing of the others is read again.
fn others_stand_still(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    target.command("leak 50").expect("leak");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let first = attach.next().expect("observation");
    assert_eq!(first.coverage.unmoved, 0);
    let second = attach.next().expect("observation");
    assert!(second.coverage.unmoved >= 50, "{:?}", second.coverage);
    assert_eq!(second.goroutines.len(), first.goroutines.len());
}

/// A source for one sample takes another for the first.
fn one_look_keeps_nothing(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    target.command("leak 50").expect("leak");
    let mut options = Options::default();
    options.once = true;
    let mut attach = Attach::open(target.pid(), &options).expect("attach");
    for _ in 0..2 {
        let seen = attach.next().expect("observation");
        assert!(seen.coverage.goroutines_read >= 50, "{:?}", seen.coverage);
        assert_eq!(seen.coverage.unmoved, 0);
        assert!(seen.rates.is_none());
        assert!(seen.goroutines.iter().all(|it| it.came.is_none()));
        assert!(seen.goroutines.iter().all(|it| it.seen_for == Some(Duration::ZERO)));
    }
}
