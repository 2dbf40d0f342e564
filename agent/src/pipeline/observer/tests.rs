use super::*;
use crate::report::phrases;
use crate::sample::{Prepared, leaking};

fn observer(samples: u32, leaked: impl Fn(u64) -> u64) -> Observer {
    let samples = (0..samples).map(|second| leaking(leaked(u64::from(second))).observe(second));
    Observer::new(Box::new(Prepared(samples.collect())), Settings::default(), Vec::new())
}

const AT_ONCE: Pace = Pace::once().of_a_recording();

#[test]
fn it_samples_until_the_target_exits_and_keeps_what_it_saw() {
    let mut counts = Vec::new();
    let end = observer(3, |second| second * 10).watch(AT_ONCE, |_, update| {
        counts.push(update.assessment.totals.goroutines);
    });
    assert_eq!(end.expect("an orderly end"), End::TargetExited);
    assert_eq!(counts, [3, 13, 23]);
}

#[test]
fn a_target_that_was_never_seen_is_an_error() {
    let end = observer(0, |_| 0).watch(AT_ONCE, |_, _| {});
    assert!(matches!(end, Err(CollectError::Ended)));
}

#[test]
fn a_program_that_executes_itself_anew_has_a_window_of_its_own() {
    let sample = |generation, leaked, second| {
        let mut sample = leaking(leaked);
        sample.generation = generation;
        sample.observe(second)
    };
    let first = (0..40).map(|second| sample(0, u64::from(second) * 20, second));
    let second = (0..3).map(|second| sample(1, u64::from(second) * 20, second));
    let source = Prepared(first.chain(second).collect());
    let mut observer = Observer::new(Box::new(source), Settings::default(), Vec::new());
    let mut updates = Vec::new();
    observer.watch(AT_ONCE, |_, update| updates.push(update.clone())).expect("an orderly end");
    let anew: Vec<usize> = (0..43).filter(|&at| updates[at].replaced.is_some()).collect();
    assert_eq!(anew, [40]);
    let of = |at: usize| &updates[at].assessment;
    assert_eq!((of(39).window.observations, of(40).window.observations), (40, 1));
    assert!(of(40).totals.rates.is_none(), "nothing is known of the time between");
    let earlier = &of(42).earlier;
    assert_eq!((earlier.known.len(), earlier.more, earlier.known[0].found), (1, 0, 1));
    let note = &phrases::notes(of(42))[0];
    assert!(note.starts_with("the process executed another program"), "{note}");
    assert!(note.contains("1 finding") && note.contains("main.leakGoroutines.func1"), "{note}");
    assert_eq!(observer.earlier().count(), 1);
    assert_eq!(updates[39].key(), updates[40].key(), "the target goes on");
}

#[test]
fn it_stops_when_told_or_when_time_is_up() {
    let mut samples = 0;
    let stop = Stop::default();
    let end = observer(9, |_| 0).until(&stop).watch(AT_ONCE, |_, _| {
        samples += 1;
        if samples == 2 {
            stop.request();
        }
    });
    assert_eq!((end.expect("stopped"), samples), (End::Stopped, 2));

    let mut samples = 0;
    let pace = Pace { interval: Duration::from_secs(9), ..Pace::once() };
    let end = observer(9, |_| 0).watch(pace, |_, _| samples += 1);
    assert_eq!((end.expect("the time is up"), samples), (End::Done, 1));
}

#[test]
fn it_ends_once_a_finding_has_been_likely_for_long_enough() {
    let pace = Pace { until_found: Some(UntilFound { samples: 5 }), ..AT_ONCE };
    let mut last = None;
    let end = observer(60, |second| second * 20)
        .watch(pace, |_, update| last = Some(Arc::clone(&update.assessment)));
    assert_eq!(end.expect("an orderly end"), End::Found);
    let last = last.expect("there were samples");
    assert!(last.window.observations < 60, "{}", last.window.observations);
    assert_eq!(last.early_end, Some(EarlyEnd::Found { samples: 5 }));
    assert!(phrases::notes(&last).concat().contains("--until-found"));

    let end = observer(60, |_| 20).watch(pace, |_, _| {});
    assert_eq!(end.expect("an orderly end"), End::TargetExited, "nothing is found");
}

#[test]
fn what_passed_a_filter_once_has_matched() {
    let rule = |text| crate::analyze::settings::Rule::new(text, None);
    let filter = |text| {
        let functions = vec![rule(text)];
        let filter = crate::analyze::settings::Filter { functions, ..Default::default() };
        Settings { filter, ..Settings::default() }
    };
    let has_matched = |text| {
        // The leak is there at the first sample, and gone at the last.
        let samples =
            [5, 5, 0].into_iter().zip(0..).map(|(leaked, at)| leaking(leaked).observe(at));
        let source = Box::new(Prepared(samples.collect()));
        let mut observer = Observer::new(source, filter(text), Vec::new());
        observer.watch(AT_ONCE, |_, _| {}).expect("an orderly end");
        observer.has_matched()
    };
    assert!(has_matched("main.leakGoroutines*"));
    assert!(!has_matched("main.potato"));
}
