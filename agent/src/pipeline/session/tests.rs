use std::num::NonZeroUsize;
use std::sync::mpsc::{Sender as Out, channel};

use super::*;
use crate::analyze::Settings;
use crate::golang;
use crate::model::Observation;
use crate::pipeline::fed::SINK_GRACE;
use crate::pipeline::{Inbox, Keep, Role, SinkEnd, SinkError, Terms, UntilFound};
use crate::sample::{Prepared, leaking};

const AT_ONCE: Pace = Pace::once().of_a_recording();

/// A sink that hands on what it gets, once it may.
struct Taker {
    keep: Keep,
    role: Role,
    /// Nothing is taken before this says so.
    gate: Receiver<()>,
    /// Not more than this is taken.
    most: usize,
    out: Out<(Option<u32>, u64)>,
}

impl Sink for Taker {
    fn name(&self) -> &'static str {
        "the taker"
    }

    fn terms(&self) -> Terms {
        Terms::shows(self.keep, self.role)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        // A gate that nobody holds is open.
        _ = self.gate.recv();
        for _ in 0..self.most {
            let Some(update) = inbox.next() else { return Ok(()) };
            let seen = (update.assessment.target.pid(), update.assessment.totals.goroutines);
            self.out.send(seen).expect("the test hears");
        }
        Err(SinkError::Write(std::io::ErrorKind::BrokenPipe.into()))
    }
}

fn open(samples: u64) -> Open {
    let samples = (0..).zip(0..samples).map(|(at, leaked)| leaking(leaked * 10).observe(at));
    let source = Prepared(samples.collect());
    Box::new(move || Ok(Box::new(source)))
}

fn observer(source: Box<dyn Source>) -> Observer {
    Observer::new(source, Settings::default(), Vec::new())
}

fn last(outcome: &TargetOutcome) -> Option<u64> {
    outcome.last.as_ref().map(|last| last.totals.goroutines)
}

#[test]
fn one_target_that_fails_leaves_the_others_going() {
    let mut session = Session::new(AT_ONCE, Stop::default());
    session.add(false, open(4), observer);
    session.add(false, Box::new(|| Err(golang::Error::Exited { pid: 7 }.into())), observer);
    session.add(false, Box::new(|| panic!("on purpose")), observer);
    session.add(false, open(2), observer);
    let Outcome { targets, .. } = session.run();
    assert_eq!(targets.iter().map(last).collect::<Vec<_>>(), [Some(33), None, None, Some(13)]);
    assert!(matches!(targets[0].end, TargetEnd::Orderly(End::TargetExited)));
    assert!(matches!(targets[1].end, TargetEnd::Failed(_)));
    assert!(matches!(targets[2].end, TargetEnd::Panicked));
}

/// A source that opens a gate when it is dropped, which is when all was seen.
struct Gated {
    source: Prepared,
    _gate: Out<()>,
}

impl Source for Gated {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        self.source.observe()
    }
}

#[test]
fn a_sink_that_takes_nothing_stalls_nobody_and_what_it_missed_is_counted() {
    for (keep, kept, dropped) in [
        (Keep::Newest, vec![93], 9),
        (Keep::Last(NonZeroUsize::new(3).expect("it is not 0")), vec![73, 83, 93], 7),
    ] {
        let (out, heard) = channel();
        let (open_gate, gate) = channel();
        let mut session = Session::new(AT_ONCE, Stop::default());
        let samples = (0..10).map(|at: u32| leaking(u64::from(at) * 10).observe(at));
        let source = Gated { source: Prepared(samples.collect()), _gate: open_gate };
        session.add(false, Box::new(move || Ok(Box::new(source))), observer);
        let sink = Taker { keep, role: Role::Follows, gate, most: 99, out };
        session.feed(Box::new(sink));
        let outcome = session.run();
        assert_eq!(last(&outcome.targets[0]), Some(93));
        let heard: Vec<u64> = heard.iter().map(|(_, goroutines)| goroutines).collect();
        assert_eq!((heard, outcome.sinks[0].dropped), (kept, dropped), "{keep:?}");
        assert!(matches!(outcome.sinks[0].end, SinkEnd::Done));
    }
}

#[test]
fn nothing_of_a_recording_is_dropped() {
    let (out, heard) = channel();
    let mut session = Session::new(AT_ONCE, Stop::default());
    session.add(true, open(50), observer);
    let keep = Keep::Last(NonZeroUsize::MIN);
    session.feed(Box::new(Taker { keep, role: Role::Leads, gate: channel().1, most: 99, out }));
    let outcome = session.run();
    assert_eq!((heard.iter().count(), outcome.sinks[0].dropped), (50, 0));
}

/// A source that never ends.
struct Endless;

impl Source for Endless {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        Ok(Some(leaking(5).observe(0)))
    }
}

#[test]
fn the_end_of_a_sink_that_leads_is_the_end_of_all() {
    let (out, heard) = channel();
    let stop = Stop::default();
    let mut session = Session::new(AT_ONCE, stop.clone());
    session.add(false, Box::new(|| Ok(Box::new(Endless))), observer);
    let (other, _heard) = channel();
    let follows =
        Taker { keep: Keep::Newest, role: Role::Follows, gate: channel().1, most: 0, out: other };
    session.feed(Box::new(follows));
    let leads = Taker { keep: Keep::Newest, role: Role::Leads, gate: channel().1, most: 2, out };
    session.feed(Box::new(leads));
    let outcome = session.run();
    assert!(stop.is_requested());
    assert_eq!(heard.iter().count(), 2);
    assert_eq!(last(&outcome.targets[0]), Some(8));
    assert!(outcome.sinks.iter().all(|sink| matches!(sink.end, SinkEnd::Failed(_))));
}

/// A source whose second observation takes for ever.
struct Stuck {
    first: bool,
    stop: Stop,
    for_ever: Receiver<()>,
}

impl Source for Stuck {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        if !std::mem::take(&mut self.first) {
            self.stop.request();
            // Nobody sends.
            _ = self.for_ever.recv();
        }
        Ok(Some(leaking(5).observe(0)))
    }
}

#[test]
fn a_stop_does_not_wait_for_a_sample_that_takes_for_ever() {
    let (held, for_ever) = channel();
    let stop = Stop::default();
    let mut session = Session::new(AT_ONCE, stop.clone());
    let source = Stuck { first: true, stop, for_ever };
    session.add(false, Box::new(move || Ok(Box::new(source))), observer);
    let Outcome { targets, .. } = session.run();
    assert!(matches!(targets[0].end, TargetEnd::Interrupted));
    assert_eq!(last(&targets[0]), Some(8));
    drop(held);
}

#[test]
fn each_target_ends_once_something_is_found_in_it() {
    let until_found = Some(UntilFound { samples: 3 });
    let mut session = Session::new(Pace { until_found, ..AT_ONCE }, Stop::default());
    session.add(false, open(60), observer);
    session.add(false, open(4), observer);
    let Outcome { targets, .. } = session.run();
    assert!(matches!(targets[0].end, TargetEnd::Orderly(End::Found)));
    assert!(matches!(targets[1].end, TargetEnd::Orderly(End::TargetExited)));
}

/// A sink that says whether updates have their samples.
struct Looker {
    needs: bool,
    out: Out<(bool, bool)>,
}

impl Sink for Looker {
    fn name(&self) -> &'static str {
        "the looker"
    }

    fn terms(&self) -> Terms {
        Terms { has_observations: self.needs, ..Terms::OF_SAMPLES }
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        while let Some(update) = inbox.next() {
            self.out.send((self.needs, update.observation.is_some())).expect("the test hears");
        }
        Ok(())
    }
}

#[test]
fn only_who_needs_the_samples_gets_them() {
    let mut session = Session::new(AT_ONCE, Stop::default());
    session.add(false, open(3), observer);
    let (out, seen) = channel();
    session.feed(Box::new(Looker { needs: true, out: out.clone() }));
    session.feed(Box::new(Looker { needs: false, out }));
    assert!(matches!(session.run().targets[0].end, TargetEnd::Orderly(End::TargetExited)));
    let seen: Vec<(bool, bool)> = seen.iter().collect();
    assert!(seen.iter().all(|(needs, has)| needs == has), "{seen:?}");
    assert!(seen.contains(&(true, true)) && seen.contains(&(false, false)), "{seen:?}");
}

/// A sink that has still to do when there are no more updates.
struct Late {
    out: Out<bool>,
}

impl Sink for Late {
    fn name(&self) -> &'static str {
        "the late"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        while inbox.next().is_some() {}
        // Longer than anybody is waited for who is asked to stop.
        let is_stopped = stop.wait_until(Instant::now() + TARGET_GRACE + SINK_GRACE);
        self.out.send(is_stopped).expect("the test hears");
        Ok(())
    }
}

#[test]
fn the_end_of_the_one_that_leads_hurries_no_other_once_all_is_sampled() {
    let mut session = Session::new(AT_ONCE, Stop::default());
    session.add(false, open(3), observer);
    let ((_, gate), (out, _seen)) = (channel(), channel());
    let keep = Keep::Newest;
    session.feed(Box::new(Taker { keep, role: Role::Leads, gate, most: 99, out }));
    let (out, seen) = channel();
    session.feed(Box::new(Late { out }));
    let outcome = session.run();
    assert_eq!(seen.recv(), Ok(false));
    assert!(matches!(outcome.sinks[1].end, SinkEnd::Done), "{:?}", outcome.sinks);
}

/// A sink that hands on what it takes, and what it is told of exits before and after.
struct Exits(Out<(usize, usize)>);

impl Sink for Exits {
    fn name(&self) -> &'static str {
        "what is told of exits"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Last(NonZeroUsize::new(9).expect("it is not 0")), Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        let mut taken = 0;
        loop {
            let update = inbox.next();
            self.0.send((taken, inbox.exited().len())).expect("the test hears");
            match update {
                Some(_) => taken += 1,
                None => return Ok(()),
            }
        }
    }
}

#[test]
fn an_exit_is_told_once_and_after_all_updates_and_a_recording_has_none() {
    for (is_saved, exits) in [(false, 1), (true, 0)] {
        let (out, heard) = channel();
        let mut session = Session::new(AT_ONCE, Stop::default());
        session.add(is_saved, open(4), observer);
        session.feed(Box::new(Exits(out)));
        _ = session.run();
        let heard: Vec<_> = heard.iter().collect();
        assert_eq!(heard.iter().map(|(_, exits)| exits).sum::<usize>(), exits, "{heard:?}");
        assert!(heard.iter().all(|&(taken, exits)| exits == 0 || taken >= 3), "{heard:?}");
    }
}
