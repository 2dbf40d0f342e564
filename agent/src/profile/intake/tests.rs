use std::borrow::Cow;
use std::num::NonZeroU64;

use super::*;
use crate::model::{HeapProfileBasis, Instance, Rates, TargetId, WaitClass};
use crate::profile::{Call, Entry, Site, State};

const WAITS: State<'_> = State {
    text: "chan send",
    minutes: None,
    leaked: false,
    proven: false,
    scan: false,
    durable: false,
    locked_to_thread: false,
    bubble: None,
};

const fn call(function: &'static str, line: u32) -> Entry<'static> {
    Entry::Call(Call { function, file: "/src/app/leak.go", line, inlined: false })
}

const STACK: &[Entry<'_>] = &[call("main.send", 33), call("main.leak.func1", 40)];

fn record(goid: u64) -> Record<'static> {
    let site = Site {
        function: "main.leak",
        file: "/src/app/leak.go",
        line: 38,
        parent: NonZeroU64::new(1),
    };
    Record {
        count: 1,
        goid: NonZeroU64::new(goid),
        state: Some(WAITS),
        labels: &[],
        stack: STACK,
        created_by: Some(site),
    }
}

fn counted(count: u32, stack: &'static [Entry<'static>]) -> Record<'static> {
    Record { count, goid: None, state: None, labels: &[], stack, created_by: None }
}

fn minutes(minutes: Option<u64>) -> Option<State<'static>> {
    Some(State { minutes, ..WAITS })
}

/// The observation of what was taken, made so many seconds after the first.
fn observe(intake: &mut Intake, seconds: u64, form: ProfileForm) -> Observation {
    observe_read(intake, seconds, form, &Reading::default())
}

fn observe_read(
    intake: &mut Intake,
    seconds: u64,
    form: ProfileForm,
    reading: &Reading,
) -> Observation {
    let instance = Instance::Files { path: "dumps".to_owned() };
    let id = TargetId { instance, started: None, generation: 0, recording: None };
    intake.observation(Moment {
        target: Arc::new(Target::of(id)),
        at: Timestamp::from_unix_ns(0),
        elapsed: Duration::from_secs(seconds),
        form,
        only_leaked: false,
        reading,
    })
}

fn read(observation: &Observation) -> &ProfileCoverage {
    observation.coverage.profile.as_ref().expect("of a profile")
}

#[test]
fn a_goroutine_is_taken_with_all_that_is_said_of_it() {
    let mut intake = Intake::default();
    let labels = [("tenant".into(), "a".into()), ("route".into(), "/".into())];
    let labels: &[(Cow<'_, str>, Cow<'_, str>)] = &labels;
    intake.take(&Record { labels, state: minutes(Some(7)), ..record(18) });
    intake.take(&record(19));
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    let [one, other] = &seen.goroutines[..] else { panic!("{:?}", seen.goroutines) };
    assert_eq!((one.id(), one.parent.map(NonZeroU64::get)), (Some(18), Some(1)));
    assert_eq!((one.wait, one.status), (WaitClass::ChanSend, Status::Waiting));
    assert_eq!(seen.reason_of(one), Some("chan send"));
    let blocked =
        |seconds, basis| Some(BlockedFor { duration: Duration::from_secs(seconds), basis });
    assert_eq!(one.blocked, blocked(420, BlockedBasis::Runtime));
    assert_eq!(other.blocked, blocked(0, BlockedBasis::FirstSeen));
    assert_eq!(seen.labels_of(one.labels)[0], ("route".to_owned(), "/".to_owned()));
    assert!(seen.labels_of(other.labels).is_empty());
    let place = |frame| {
        let frame = seen.stacks.lookup(frame).expect("named");
        (frame.function.to_owned(), frame.line)
    };
    assert_eq!(one.created_by.map(place), Some(("main.leak".to_owned(), 38)));
    assert_eq!(one.started_in.map(place), Some(("main.leak.func1".to_owned(), 40)));
    assert_eq!((one.stack, seen.stacks.len()), (other.stack, 1));
    assert_eq!((seen.coverage.goroutines_seen, seen.coverage.goroutines_read), (2, 2));
}

#[test]
fn stacks_that_look_alike_are_told_apart_and_found_again() {
    // Lines, lengths and endings are the same, so that their hashes are.
    const ALIKE: [&str; 12] = [
        "main.f00[string]",
        "main.f01[string]",
        "main.f02[string]",
        "main.f03[string]",
        "main.f04[string]",
        "main.f05[string]",
        "main.f06[string]",
        "main.f07[string]",
        "main.f08[string]",
        "main.f09[string]",
        "main.f10[string]",
        "main.f11[string]",
    ];
    let mut intake = Intake::default();
    let mut ids = Vec::new();
    for _ in 0..3 {
        for function in ALIKE {
            let stack = [call(function, 7)];
            intake.take(&Record { stack: &stack, ..counted(1, &[]) });
        }
        let seen = observe(&mut intake, 0, ProfileForm::Counts);
        ids.push(seen.goroutines.iter().map(|it| it.stack).collect::<Vec<_>>());
        assert_eq!(seen.stacks.len(), ALIKE.len());
        assert_eq!(seen.goroutines.len(), ALIKE.len());
    }
    assert!(ids[0] == ids[1] && ids[1] == ids[2]);
}

#[test]
fn what_differs_in_one_thing_is_another_stack() {
    let inlined = Call { function: "main.send", file: "/src/app/leak.go", line: 33, inlined: true };
    let variants: [&[Entry<'_>]; 7] = [
        &[call("main.send", 33)],
        &[call("main.send", 34)],
        &[call("main.send", 33), Entry::Elided(Some(3))],
        &[call("main.send", 33), Entry::Elided(Some(4))],
        &[call("main.send", 33), Entry::Address(7)],
        &[call("main.send", 33), Entry::Address(8)],
        &[Entry::Call(inlined)],
    ];
    let mut intake = Intake::default();
    for stack in variants.iter().chain(&variants) {
        intake.take(&Record { stack, ..record(1) });
    }
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    assert_eq!(seen.stacks.len(), variants.len());
    // A stack that is cut does not tell where it started.
    intake.take(&Record { stack: variants[2], ..record(1) });
    intake.take(&Record { stack: variants[0], ..record(2) });
    let seen = observe(&mut intake, 1, ProfileForm::Dump);
    let started: Vec<bool> = seen.goroutines.iter().map(|it| it.started_in.is_some()).collect();
    assert_eq!(started, [false, true]);
}

#[test]
fn a_series_tells_who_stayed_who_came_and_for_how_long() {
    let mut intake = Intake::default();
    for goid in [3, 1, 2] {
        intake.take(&record(goid));
    }
    let first = observe(&mut intake, 0, ProfileForm::Dump);
    assert!(first.goroutines.iter().all(|it| it.came.is_none() && it.seen_for.is_some()));
    assert_eq!(first.rates, None);
    let elsewhere = [call("main.other", 9)];
    intake.take(&record(3));
    intake.take(&Record { stack: &elsewhere, ..record(2) });
    intake.take(&record(9));
    let second = observe(&mut intake, 30, ProfileForm::Dump);
    let lives = second.goroutines.iter().map(|it| {
        let seconds = |time: Duration| time.as_secs();
        (it.id(), it.came, it.seen_for.map(seconds), it.blocked.map(|it| seconds(it.duration)))
    });
    assert_eq!(
        lives.collect::<Vec<_>>(),
        [
            (Some(3), Some(false), Some(30), Some(30)),
            (Some(2), Some(true), Some(30), Some(0)),
            (Some(9), Some(true), Some(0), Some(0)),
        ]
    );
    assert_eq!(second.rates, Some(Rates::at_least(1.0 / 30.0, 1.0 / 30.0)));
    intake.begin_anew();
    intake.take(&record(3));
    let anew = observe(&mut intake, 0, ProfileForm::Dump);
    assert_eq!((anew.rates, anew.goroutines[0].came), (None, None));
}

/// Ten minutes lie between the two dumps.
#[test]
fn the_runtimes_minutes_tell_who_has_run_in_between() {
    let cases = [
        (Some(2), Some(12), 720),
        (Some(2), Some(11), 660),
        (Some(2), Some(3), 180),
        (Some(2), None, 0),
        (None, Some(10), 600),
        (None, Some(7), 600),
        (None, Some(2), 120),
        (None, None, 0),
    ];
    let mut intake = Intake::default();
    for (goid, (before, _, _)) in (1..).zip(cases) {
        intake.take(&Record { state: minutes(before), ..record(goid) });
    }
    observe(&mut intake, 0, ProfileForm::Dump);
    for (goid, (_, after, _)) in (1..).zip(cases) {
        intake.take(&Record { state: minutes(after), ..record(goid) });
    }
    let seen = observe(&mut intake, 600, ProfileForm::Dump);
    for (goroutine, (before, after, seconds)) in seen.goroutines.iter().zip(cases) {
        let blocked = goroutine.blocked.map(|blocked| blocked.duration.as_secs());
        assert_eq!(blocked, Some(seconds), "{before:?} then {after:?}");
    }
    // Without collections the runtime says nothing of anybody.
    let mut intake = Intake::default();
    for seconds in [0, 600] {
        intake.take(&record(1));
        let seen = observe(&mut intake, seconds, ProfileForm::Dump);
        assert_eq!(seen.goroutines[0].blocked.map(|it| it.duration.as_secs()), Some(seconds));
    }
}

#[test]
fn counts_are_summed_by_what_they_have_in_common() {
    const OTHER: &[Entry<'_>] = &[call("main.receive", 50)];
    let mut intake = Intake::default();
    for record in [counted(5, STACK), counted(7, OTHER), counted(2, STACK), counted(0, OTHER)] {
        intake.take(&record);
    }
    let reading = Reading { announced: Some(20), ..Reading::default() };
    let seen = observe_read(&mut intake, 0, ProfileForm::Counts, &reading);
    let weights: Vec<u32> = seen.goroutines.iter().map(|it| it.weight).collect();
    assert_eq!(weights, [7, 7]);
    assert!(seen.goroutines.iter().all(|it| it.seen_for.is_none() && it.goid.is_none()));
    assert_eq!((seen.coverage.goroutines_seen, seen.coverage.goroutines_read), (20, 14));
    assert_eq!((read(&seen).faults, read(&seen).folded), (0, 0));
    // Weights do not overflow either.
    for _ in 0..3 {
        intake.take(&counted(u32::MAX, STACK));
    }
    let seen = observe(&mut intake, 1, ProfileForm::Counts);
    assert_eq!(seen.coverage.goroutines_read, 3 * u64::from(u32::MAX));
}

#[test]
fn beyond_a_bound_goroutines_are_counted_together_by_how_long_they_have_waited() {
    let mut intake = Intake { max_apart: 2, ..Intake::default() };
    let waits = [None, None, Some(1), Some(2), Some(100), Some(120)];
    for (goid, waited) in (1..).zip(waits) {
        intake.take(&Record { state: minutes(waited), ..record(goid) });
    }
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    let together: Vec<_> = seen
        .goroutines
        .iter()
        .map(|it| (it.id(), it.weight, it.blocked.map(|it| it.duration.as_secs() / 60)))
        .collect();
    assert_eq!(
        together,
        [(Some(1), 1, Some(0)), (Some(2), 1, Some(0)), (None, 2, Some(1)), (None, 2, Some(100))]
    );
    assert_eq!((read(&seen).folded, seen.coverage.goroutines_read), (4, 6));
    intake.take(&record(1));
    assert_eq!(observe(&mut intake, 9, ProfileForm::Dump).rates, None, "the others are not known");
}

#[test]
fn of_two_with_one_id_the_first_counts() {
    let mut intake = Intake::default();
    for (goid, text) in [(4, "select"), (7, "chan send"), (4, "sleep"), (7, "sleep"), (8, "sleep")]
    {
        intake.take(&Record { state: Some(State { text, ..WAITS }), ..record(goid) });
    }
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    let left: Vec<_> = seen.goroutines.iter().map(|it| (it.id(), it.wait)).collect();
    let expected =
        [(Some(4), WaitClass::Select), (Some(7), WaitClass::ChanSend), (Some(8), WaitClass::Sleep)];
    assert_eq!(left, expected);
    assert!(seen.goroutines.iter().all(|it| it.seen_for.is_some()));
    assert_eq!((read(&seen).repeated, seen.coverage.goroutines_seen), (2, 3));
}

#[test]
fn what_has_no_stack_says_why() {
    let mut intake = Intake::default();
    let running = Some(State { text: "running", ..WAITS });
    let nothing = Record { stack: &[], created_by: None, ..record(1) };
    intake.take(&Record { state: running, ..nothing.clone() });
    intake.take(&Record { goid: NonZeroU64::new(2), ..nothing });
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    let views: Vec<_> = seen.goroutines.iter().map(|it| it.stack).collect();
    assert_eq!(views, [StackView::Running, StackView::NotUnwound]);
    assert_eq!((seen.coverage.running, seen.coverage.not_unwound), (1, 1));
}

#[test]
fn the_runtimes_own_verdict_is_kept() {
    let mut intake = Intake::default();
    intake.take(&Record { state: Some(State { leaked: true, ..WAITS }), ..record(1) });
    intake.take(&record(2));
    let seen = observe(&mut intake, 0, ProfileForm::Dump);
    let status: Vec<_> = seen.goroutines.iter().map(|it| (it.status, it.wait)).collect();
    assert_eq!(
        status,
        [(Status::Leaked, WaitClass::ChanSend), (Status::Waiting, WaitClass::ChanSend)]
    );
}

#[test]
fn ids_tell_that_the_process_is_another() {
    let generation = |second: &[u64], creator: &'static str| {
        let mut intake = Intake::default();
        let mut take = |goids: &[u64], creator| {
            for &goid in goids {
                let created_by =
                    record(goid).created_by.map(|site| Site { function: creator, ..site });
                intake.take(&Record { created_by, ..record(goid) });
            }
            observe(&mut intake, 0, ProfileForm::Dump).target.id.generation
        };
        take(&[1, 18, 34, 1000, 1001], "main.leak");
        take(second, creator)
    };
    assert_eq!(generation(&[1, 18, 34, 1000, 1002], "main.leak"), 0);
    assert_eq!(generation(&[1, 18, 34, 60], "main.leak"), 0, "a burst is over");
    assert_eq!(generation(&[1, 60, 61], "main.leak"), 1, "the highest id fell");
    assert_eq!(generation(&[1, 60, 2000], "main.leak"), 0);
    assert_eq!(generation(&[1, 18, 34, 1000, 2000], "main.other"), 1, "others created them");
}

#[test]
fn what_was_taken_since_a_mark_is_of_the_next_profile() {
    let labels: &[(Cow<'_, str>, Cow<'_, str>)] = &[("tenant".into(), "a".into())];
    let mut intake = Intake::default();
    for goid in [2, 1] {
        intake.take(&record(goid));
    }
    intake.mark();
    intake.take(&Record { labels, ..record(9) });
    let moment = |intake: &mut Intake| {
        let reading = Reading::default();
        let instance = Instance::Files { path: "dumps".to_owned() };
        let id = TargetId { instance, started: None, generation: 0, recording: None };
        intake.observation_before_mark(Moment {
            target: Arc::new(Target::of(id)),
            at: Timestamp::from_unix_ns(0),
            elapsed: Duration::ZERO,
            form: ProfileForm::Dump,
            only_leaked: false,
            reading: &reading,
        })
    };
    let ids =
        |seen: &Observation| seen.goroutines.iter().filter_map(Goroutine::id).collect::<Vec<_>>();
    assert_eq!(ids(&moment(&mut intake)), [2, 1]);
    intake.take(&record(1));
    let second = moment(&mut intake);
    assert_eq!(ids(&second), [9, 1]);
    assert_eq!(second.labels_of(second.goroutines[0].labels).len(), 1);
    assert_eq!(second.goroutines[1].came, Some(false));
    assert_eq!(ids(&moment(&mut intake)), [0; 0]);
}

/// A heap profile as text: of each site its objects and bytes that were sampled, and the figures at its end.
fn heap_text(rate: u64, collections: u64) -> String {
    format!(
        "heap profile: 3: 48 [5: 80] @ heap/{}\n2: 2097152 [4: 4194304] @ 0x1\n#\t0x1\tmain.keep+0x1\t/src/app/main.go:7\n\n\
         0: 0 [9: 144] @ 0x2\n#\t0x2\tmain.drop+0x1\t/src/app/main.go:9\n\n# runtime.MemStats\n# TotalAlloc = 9000000\n\
         # HeapAlloc = 5000000\n# HeapObjects = 7\n# NumGC = {collections}\n",
        2 * rate
    )
}

/// The memory of the observation after such a text.
fn memory_of(intake: &mut Intake, text: &str) -> crate::model::Memory {
    let read = intake.take_heap_text(|take| {
        text.as_bytes().chunks(11).for_each(take);
        Ok::<(), ()>(())
    });
    read.expect("nothing fails");
    observe(intake, 0, ProfileForm::Dump).memory
}

#[test]
fn a_heap_profile_as_text_tells_what_is_in_use_who_allocated_it_and_the_figures() {
    let mut intake = Intake::default();
    let memory = memory_of(&mut intake, &heap_text(1 << 19, 4));
    let profile = memory.profile.expect("a profile");
    assert_eq!(profile.basis, HeapProfileBasis::Sampled);
    assert!((2_097_152..2_500_000).contains(&profile.in_use_bytes), "{profile:?}");
    assert!(profile.allocated_bytes > Some(2 * profile.in_use_bytes), "{profile:?}");
    let sites = memory.profiled.expect("sites");
    // What has nothing in use is left out.
    assert_eq!((sites.rate_bytes, sites.sites.len()), (Some(1 << 19), 1));
    assert_eq!(sites.sites[0].in_use.objects, 2);
    let heap = memory.heap.expect("figures");
    assert_eq!((heap.objects_bytes, heap.collections, heap.is_served), (5_000_000, 4, true));
    // It is of one observation.
    assert_eq!(observe(&mut intake, 1, ProfileForm::Dump).memory, crate::model::Memory::default());
}

#[test]
fn what_a_heap_profile_does_not_tell_is_not_taken_for_nothing() {
    // Before the profile is of a collection, and where nothing is sampled, all objects are counted.
    for text in [heap_text(1 << 19, 0), heap_text(1 << 19, 1), heap_text(0, 4)] {
        let memory = memory_of(&mut Intake::default(), &text);
        let profile = memory.profile.expect("the sum");
        assert_eq!((profile.basis, profile.in_use_bytes), (HeapProfileBasis::Counted, 5_000_000));
        assert_eq!(memory.profiled, None);
    }
    let cut = heap_text(1 << 19, 4);
    let cut = cut.split("# NumGC").next().expect("a text");
    for nothing in ["<html>", cut] {
        assert_eq!(memory_of(&mut Intake::default(), nothing), crate::model::Memory::default());
    }
    // Of one that broke off nothing stays.
    let mut intake = Intake::default();
    let broken = intake.take_heap_text(|take| {
        take(heap_text(1 << 19, 4).as_bytes());
        Err("it broke off")
    });
    assert_eq!(broken, Err("it broke off"));
    assert_eq!(observe(&mut intake, 0, ProfileForm::Dump).memory, crate::model::Memory::default());
}

#[test]
fn who_samples_nothing_is_not_waited_for() {
    // By rate and collections: where nothing is sampled more collections change nothing.
    for (rate, collections, expected) in
        [(1 << 19, 1, true), (1 << 19, 4, true), (0, 1, false), (0, 4, false)]
    {
        let mut intake = Intake::default();
        let read = intake.take_heap_text(|take| {
            take(heap_text(rate, collections).as_bytes());
            Ok::<(), ()>(())
        });
        assert!(read.expect("nothing fails").is_some());
        assert_eq!(intake.has_sampled_heap(), expected, "{rate} {collections}");
    }
}

#[test]
fn the_last_heap_profile_before_an_observation_holds() {
    let mut intake = Intake::default();
    for _ in 0..3 {
        let read = intake.take_heap_text(|take| {
            take(heap_text(1 << 19, 4).as_bytes());
            Ok::<(), ()>(())
        });
        assert!(read.expect("nothing fails").is_some());
    }
    // One that is none leaves it.
    let html = |take: &mut dyn FnMut(&[u8])| {
        take(b"<html>");
        Ok::<(), ()>(())
    };
    assert_eq!(intake.take_heap_text(html), Ok(None));
    let memory = observe(&mut intake, 0, ProfileForm::Dump).memory;
    assert_eq!(memory.profile.map(|it| it.in_use_objects), Some(2));
}
