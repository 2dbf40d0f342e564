use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::analyze::settings::Rule;
use crate::model::{
    BlockedBasis, BlockedFor, CauseClass, DetectorKind, IdleReason, Ignored, Pattern, RiseVerdict,
    StackView, Status, Verdict, WaitClass,
};
use crate::sample::Sample;

/// A goroutine from its birth to its death, in seconds since the first sample.
#[derive(Clone, Copy)]
struct Lived {
    goid: u64,
    born: f64,
    dies: f64,
    parent: u64,
}

const MAIN_ALIVE: u64 = 1;
const GONE: u64 = 999_999;

fn lived(goid: usize, born: f64, dies: f64) -> Lived {
    Lived { goid: 100 + goid as u64, born, dies, parent: MAIN_ALIVE }
}

/// Looks once a second for so long at goroutines that wait at one line all their lives, beside the
/// main goroutine. `object` gives what each waits on.
fn film(seconds: u32, wait: WaitClass, lives: &[Lived], object: impl Fn(&Lived) -> u64) -> Window {
    let line = |_: &Lived, _: u32| ("main.(*Server).work", "/src/app/server.go", 33);
    film_at(seconds, wait, lives, object, line)
}

/// The same, for a wait reason of the runtime's.
fn film_reason(seconds: u32, reason: &str, lives: &[Lived]) -> Window {
    let mut window = Window::default();
    for now in 0..=seconds {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.audit", "/src/app/audit.go", 12)]);
        for life in lives {
            let goroutine = sample.add(life.goid, WaitClass::NilChannel, StackView::Read(stack));
            goroutine.reason = Sample::reason(reason);
            goroutine.parent = NonZeroU64::new(life.parent);
            goroutine.seen_for = Some(Duration::from_secs(u64::from(now)));
        }
        window.push(&sample.observe(now));
    }
    window
}

/// The same, each at a line of its own at each sample.
fn film_at(
    seconds: u32,
    wait: WaitClass,
    lives: &[Lived],
    object: impl Fn(&Lived) -> u64,
    line: impl Fn(&Lived, u32) -> (&'static str, &'static str, u32),
) -> Window {
    let mut window = Window::default();
    for now in 0..=seconds {
        let mut sample = Sample::new();
        let main = sample.stack(&[("main.main", "/src/app/main.go", 9)]);
        let site = sample.frame("main.(*Server).start", "/src/app/server.go", 31);
        sample.add(MAIN_ALIVE, WaitClass::ChanReceive, StackView::Read(main)).seen_for =
            Some(Duration::from_secs(u64::from(now)));
        for life in lives {
            let at = line(life, now);
            let now = f64::from(now);
            if life.born > now || life.dies <= now {
                continue;
            }
            let stack = sample.stack(&[at]);
            let objects = sample.objects(&[object(life)]);
            let seen = Duration::from_secs_f64((now - life.born.max(0.0)).floor());
            let goroutine = sample.add(life.goid, wait, StackView::Read(stack));
            goroutine.objects = objects;
            goroutine.created_by = Some(site);
            goroutine.parent = NonZeroU64::new(life.parent);
            goroutine.seen_for = Some(seen);
            goroutine.blocked = Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
            goroutine.stack_bytes = Some(8192);
        }
        window.push(&sample.observe(now));
    }
    window
}

fn own(life: &Lived) -> u64 {
    0xc000_0000 + life.goid * 96
}

fn judged(window: &Window, settings: &Settings) -> Judgement {
    judge(window, settings, &mut CodeFiles::default())
        .expect("something was observed")
        .judgement
        .expect("it is judged")
}

fn verdict(window: &Window) -> Option<Verdict> {
    judged(window, &Settings::default()).findings.first().map(|finding| finding.verdict)
}

const FOR_EVER: f64 = 1e9;

#[test]
fn goroutines_that_are_born_and_stay_are_a_leak() {
    for (per_second, wait, class) in [
        (10.0, WaitClass::ChanSend, CauseClass::ChannelSend),
        (0.2, WaitClass::Select, CauseClass::Select),
        (3.0, WaitClass::WaitGroup, CauseClass::Waitgroup),
    ] {
        let lives: Vec<_> = (0..(30.0 * per_second) as usize)
            .map(|at| lived(at, (at as f64 + 0.1) / per_second - 0.01, FOR_EVER))
            .collect();
        let judgement = judged(&film(30, wait, &lives, own), &Settings::default());
        let finding = &judgement.findings[0];
        assert_eq!((finding.verdict, finding.class), (Verdict::Likely, class));
        assert_eq!(finding.goroutine_count(), lives.len() as u64);
        let growth = finding.growth.expect("31 looks");
        assert!((growth.per_second - per_second).abs() < per_second * 0.2, "{growth:?}");
        assert!(judgement.health < 100);
        assert_eq!(
            finding.goroutines().expect("goroutines").stack_bytes,
            Some(8192 * lives.len() as u64)
        );
    }
}

#[test]
fn bursts_that_stay_are_a_leak_and_those_that_end_are_none() {
    let bursts = |dies: fn(f64) -> f64| -> Vec<Lived> {
        (0..600)
            .map(|at| {
                let born = (at / 100) as f64 * 5.0 + 0.5;
                lived(at, born, dies(born))
            })
            .collect()
    };
    let stay = film(30, WaitClass::ChanSend, &bursts(|_| FOR_EVER), own);
    assert_eq!(verdict(&stay), Some(Verdict::Likely));
    let end = film(30, WaitClass::ChanSend, &bursts(|born| born + 3.5), own);
    assert_eq!(verdict(&end), None);
}

#[test]
fn a_warm_up_and_a_burst_at_the_end_are_no_leak() {
    let came = [(47, 2.5), (1, 7.5), (221, 29.5)];
    let lives: Vec<_> = came
        .iter()
        .flat_map(|&(count, born)| std::iter::repeat_n(born, count))
        .enumerate()
        .map(|(at, born)| lived(at, born, FOR_EVER))
        .collect();
    for wait in [WaitClass::IoWait, WaitClass::ChanReceive] {
        assert_eq!(verdict(&film(30, wait, &lives, own)), None);
    }
}

#[test]
fn load_that_rises_churns_or_swings_is_no_leak() {
    // Ever more at once, but none for longer than two seconds.
    let rising: Vec<_> = (0..900)
        .map(|at| {
            let born = (f64::from(at) * 1.0).sqrt();
            lived(at as usize, born, born + 2.0)
        })
        .collect();
    assert_eq!(verdict(&film(30, WaitClass::Select, &rising, own)), None);
    // A hundred at any time, each for twenty seconds, since long before the first sample.
    let churning: Vec<_> = (0..300)
        .map(|at| {
            let born = at as f64 / 5.0 - 25.0;
            lived(at, born, born + 20.0)
        })
        .collect();
    assert_eq!(verdict(&film(30, WaitClass::IoWait, &churning, own)), None);
}

#[test]
fn a_ramp_that_has_ended_is_no_leak() {
    let ramp: Vec<_> = (0..100).map(|at| lived(at, at as f64 / 5.0, FOR_EVER)).collect();
    let window = film(30, WaitClass::ChanReceive, &ramp, |_| 0xc000);
    assert_eq!(verdict(&window), None);
}

#[test]
fn an_idle_pool_is_none_and_a_forgotten_sender_is_suspect() {
    let pool: Vec<_> = (0..8).map(|at| lived(at, -9.0, FOR_EVER)).collect();
    let idle = judged(&film(30, WaitClass::ChanReceive, &pool, |_| 0xc000), &Settings::default());
    assert!(idle.findings.is_empty(), "{:?}", idle.findings);
    assert_eq!(idle.health, 100);
    assert!(idle.idle.values().sum::<u64>() >= 8, "what is left out is counted: {:?}", idle.idle);

    let sender = film(30, WaitClass::ChanSend, &pool[..1], own);
    assert_eq!(verdict(&sender), Some(Verdict::Suspect));
    let orphan = Lived { parent: GONE, ..pool[0] };
    assert_eq!(verdict(&film(30, WaitClass::ChanReceive, &[orphan], own)), Some(Verdict::Suspect));
}

#[test]
fn a_nil_channel_gives_itself_away() {
    let lives = [lived(0, -1.0, FOR_EVER)];
    let judgement = judged(&film(5, WaitClass::NilChannel, &lives, |_| 0), &Settings::default());
    let finding = &judgement.findings[0];
    // Without source it may be a context's that is never cancelled; nobody sends on nil by design.
    assert_eq!((finding.verdict, finding.pattern), (Verdict::Suspect, Some(Pattern::NilChannel)));
    let sends = film_reason(5, "chan send (nil chan)", &lives);
    assert_eq!(verdict(&sends), Some(Verdict::Likely));
}

#[test]
fn one_look_says_what_it_lacks() {
    let lives = [lived(0, -1.0, FOR_EVER), lived(1, 0.0, FOR_EVER)];
    let judgement = judged(&film(0, WaitClass::ChanSend, &lives, own), &Settings::default());
    assert!(judgement.findings.is_empty());
    let short = judged(&film(2, WaitClass::ChanSend, &leak(20), own), &Settings::default());
    assert!(short.not_enough.iter().any(|lack| lack.detector == DetectorKind::SteadyGrowth));
}

fn leak(count: usize) -> Vec<Lived> {
    (0..count).map(|at| lived(at, at as f64 / 10.0 + 0.1, FOR_EVER)).collect()
}

#[test]
fn lists_filters_and_a_baseline_are_heard() {
    let window = film(30, WaitClass::ChanSend, &leak(300), own);
    let safe = Settings {
        safe: vec![Rule::new("main.(*Server).*", Some("load test".into()))],
        ..Settings::default()
    };
    let judgement = judged(&window, &safe);
    assert!(judgement.findings.is_empty());
    // The list silences growth, and says so.
    let listed = IdleReason::Listed(Some("load test".to_owned()));
    let silenced = Ignored { why: listed.clone(), silences: Some(Verdict::Likely) };
    assert_eq!(judgement.idle.get(&silenced), Some(&300));
    let rise = judgement.rise.expect("it grows all the same");
    assert!(matches!(&rise.groups[0].verdict, RiseVerdict::Ignored(why, _) if *why == silenced));
    let quiet: Vec<_> = (0..9).map(|at| lived(at, -9.0, FOR_EVER)).collect();
    let steady = judged(&film(30, WaitClass::ChanReceive, &quiet, own), &safe);
    assert_eq!(steady.idle.get(&listed.into()), Some(&9));

    let mut filtered = Settings::default();
    filtered.filter.exclude.push(Rule::new("main.(*Server).work", None));
    assert!(judged(&window, &filtered).findings.is_empty());

    let signature = judge(&window, &Settings::default(), &mut CodeFiles::default())
        .expect("observed")
        .groups[0]
        .signature
        .clone();
    let known = Settings { baseline: [(signature.clone(), 300)].into(), ..Settings::default() };
    assert!(judged(&window, &known).findings.is_empty());
    let grown = Settings { baseline: [(signature, 100)].into(), ..Settings::default() };
    assert_eq!(judged(&window, &grown).findings.len(), 1);
}

#[test]
fn the_same_window_gives_the_same_judgement() {
    let window = film(30, WaitClass::ChanSend, &leak(300), own);
    let text = || format!("{:?}", judged(&window, &Settings::default()));
    assert_eq!(text(), text());
}

/// Numbers that look like chance and are the same in every run.
fn noise(at: usize) -> f64 {
    (at as f64 * 0.618_033_988_749_895).fract()
}

#[test]
fn a_leak_among_many_that_end_is_likely() {
    // Ten a second that live for 27 s on average, as long before; and three a second that stay.
    let served = (0..900).map(|at| {
        let born = at as f64 / 10.0 - 60.0;
        lived(at, born, born + 15.0 + 24.0 * noise(at))
    });
    let leaked = (0..90).map(|at| lived(10_000 + at, at as f64 / 3.0, FOR_EVER));
    let all: Vec<_> = served.clone().chain(leaked).collect();
    let window = film(30, WaitClass::Select, &all, own);
    assert_eq!(verdict(&window), Some(Verdict::Likely));
    // Without those that stay, and settled, it is no leak.
    let settled: Vec<_> = served.collect();
    let judgement = judged(&film(30, WaitClass::Select, &settled, own), &Settings::default());
    assert!(judgement.findings.iter().all(|it| it.verdict < Verdict::Likely));
}

#[test]
fn sessions_that_fill_up_to_their_number_are_no_leak() {
    // From none: ten a second that live for 20 s on average.
    let sessions: Vec<_> = (0..300)
        .map(|at| {
            let born = at as f64 / 10.0;
            lived(at, born, born - 20.0 * (1.0 - noise(at)).ln())
        })
        .collect();
    let judgement = judged(&film(30, WaitClass::Select, &sessions, own), &Settings::default());
    assert!(judgement.findings.iter().all(|it| it.verdict < Verdict::Likely), "{judgement:#?}");
}

#[test]
fn goroutines_that_loop_are_one_kind_at_whatever_line() {
    let lines = [40, 41, 43, 47];
    let spins: Vec<_> = (0..60).map(|at| lived(at, at as f64 / 2.0, FOR_EVER)).collect();
    let at = |life: &Lived, now: u32| {
        let line = lines[(life.goid as usize + now as usize) % lines.len()];
        ("main.spin", "/src/app/spin.go", line)
    };
    let judgement =
        judged(&film_at(30, WaitClass::Runnable, &spins, |_| 0, at), &Settings::default());
    let [finding] = judgement.findings.as_slice() else { panic!("{:#?}", judgement.findings) };
    assert_eq!((finding.class, finding.verdict), (CauseClass::Loop, Verdict::Likely));
    assert_eq!(finding.goroutine_count(), 60);
}

#[test]
fn a_context_that_nobody_cancels_is_idle_by_design_until_it_grows() {
    const INFORMER: &str = "/root/go/pkg/mod/k8s.io/client-go@v0.31.0/tools/cache/controller.go";
    let informer =
        |_: &Lived, _: u32| ("k8s.io/client-go/tools/cache.(*controller).Run", INFORMER, 150);
    let film = |lives: &[Lived]| film_at(30, WaitClass::NilChannel, lives, |_| 0, informer);
    let few: Vec<_> = (0..9).map(|at| lived(at, -9.0, FOR_EVER)).collect();
    let judgement = judged(&film(&few), &Settings::default());
    assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
    assert_eq!(judgement.health, 100);
    let more: Vec<_> = (0..60).map(|at| lived(at, at as f64 / 2.0, FOR_EVER)).collect();
    assert_eq!(verdict(&film(&more)), Some(Verdict::Likely));
    // The runtime, once it is asked, says of each wait on a nil channel that it never ends.
    let marked = |wait| {
        let mut window = Window::default();
        for now in 0..=30 {
            let mut sample = Sample::new();
            let stack = sample.stack(&[informer(&few[0], 0)]);
            for life in &few {
                let goroutine = sample.add(life.goid, wait, StackView::Read(stack));
                goroutine.status = Status::Leaked;
                goroutine.seen_for = Some(Duration::from_secs(u64::from(now)));
            }
            window.push(&sample.observe(now));
        }
        verdict(&window)
    };
    assert_eq!(marked(WaitClass::NilChannel), None);
    assert_eq!(marked(WaitClass::ChanReceive), Some(Verdict::Proven));
}

#[test]
fn the_worst_thousand_findings_are_listed_and_the_others_counted() {
    const NAMES: usize = 1_200;
    let names: Vec<&'static str> =
        (0..NAMES).map(|at| &*Box::leak(format!("main.work{at}").into_boxed_str())).collect();
    let lives: Vec<_> = (0..NAMES).map(|at| lived(at, -9.0, FOR_EVER)).collect();
    let at = |life: &Lived, _: u32| (names[life.goid as usize - 100], "/src/app/server.go", 33);
    let judgement =
        judged(&film_at(30, WaitClass::ChanSend, &lives, own, at), &Settings::default());
    assert_eq!((judgement.findings.len(), judgement.unlisted), (1_000, 200));
    let counted: u64 = judgement.findings.iter().map(|finding| finding.goroutine_count()).sum();
    let others: u64 = judgement.idle.values().chain(judgement.not_analysed.values()).sum();
    assert_eq!(counted + others, NAMES as u64 + 1, "with the main goroutine");
}

#[test]
fn no_two_findings_have_one_id() {
    let judgement = judged(&film(30, WaitClass::ChanSend, &leak(300), own), &Settings::default());
    let finding = &judgement.findings[0];
    let mut twice = vec![finding.clone(), finding.clone(), finding.clone()];
    tell_apart(&mut twice, &[]);
    assert_eq!(twice[0].id, finding.id, "the first keeps its own");
    assert!(twice[1].id != twice[0].id && twice[2].id != twice[0].id);
}

#[test]
fn a_baseline_knows_a_line_by_all_of_its_groups() {
    let lives: Vec<_> = (0..300).map(|at| lived(at, at as f64 / 10.0, FOR_EVER)).collect();
    // One line, called from one of three places.
    let mut window = Window::default();
    for now in 0..=30_u32 {
        let mut sample = Sample::new();
        let stacks = [10, 20, 30].map(|line| {
            sample.stack(&[("main.wait", "/src/app/a.go", 5), ("main.call", "/src/app/a.go", line)])
        });
        for life in lives.iter().filter(|life| life.born <= f64::from(now)) {
            let stack = stacks[life.goid as usize % 3];
            let seen = Duration::from_secs_f64((f64::from(now) - life.born).floor());
            let goroutine = sample.add(life.goid, WaitClass::ChanSend, StackView::Read(stack));
            goroutine.seen_for = Some(seen);
            goroutine.blocked = Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
        }
        window.push(&sample.observe(now));
    }
    let groups =
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed").groups;
    let all: std::collections::HashMap<String, u64> =
        groups.iter().map(|group| (group.signature.clone(), group.count)).collect();
    let one = [(groups[0].signature.clone(), groups[0].count)].into();
    let known = judged(&window, &Settings { baseline: all, ..Settings::default() });
    assert!(known.findings.is_empty());
    let silenced =
        |it: &Ignored| it.why == IdleReason::Baseline && it.silences == Some(Verdict::Likely);
    assert!(known.idle.keys().all(silenced), "{:?}", known.idle);
    let new = judged(&window, &Settings { baseline: one, ..Settings::default() });
    assert_eq!(new.findings.len(), 1, "two of the three groups are new");
}

/// Whoever asks a program for its profile sees the goroutine that answers, at every sample.
#[test]
fn who_writes_the_profile_is_no_busy_loop() {
    let watched = |innermost: &'static str| {
        let mut window = Window::default();
        for now in 0..=30_u32 {
            let mut sample = Sample::new();
            let stack = sample.stack(&[
                (innermost, "/usr/local/go/src/runtime/pprof/pprof.go", 385),
                (
                    "net/http/pprof.handler.ServeHTTP",
                    "/usr/local/go/src/net/http/pprof/pprof.go",
                    271,
                ),
                ("main.serve", "/src/app/serve.go", 9),
            ]);
            sample.add(7, WaitClass::Running, StackView::Read(stack));
            window.push(&sample.observe(now));
        }
        judged(&window, &Settings::default())
    };
    let writer = watched("runtime/pprof.(*Profile).WriteTo");
    assert!(writer.findings.is_empty(), "{:?}", writer.findings);
    assert_eq!(writer.idle[&Ignored::from(IdleReason::ProfileWriter)], 1);
    let loops = watched("runtime/pprof.other");
    assert_eq!(loops.findings.len(), 1, "the same is a loop where it writes none");
}
