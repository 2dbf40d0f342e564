//! What the agent sees of a real process is what the process says of itself, in every Go version and build mode.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{Goroutine, Observation, WaitClass};
use leak_agent_tests::Observe;
use leak_agent_tests::debug2::{self, Dump};
use leak_agent_tests::{Target, compare, each_version};

/// One module a build mode, one test a Go version.
macro_rules! each_mode {
    ($($module:ident $mode:literal),* $(,)?) => {
        $(mod $module {
            fn parked(version: &str) {
                super::parked(version, $mode);
            }
            leak_agent_tests::each_version!(parked);
        })*
    };
}

each_mode! {
    exe "exe", stripped "stripped", pie "pie", pie_stripped "pie-stripped", static_pie "static-pie",
    cgo_internal "cgo-internal", cgo_external "cgo-external", race "race", trimpath "trimpath",
}

mod nogreenteagc {
    #[test]
    fn go1_26() {
        super::parked("1.26.6", "nogreenteagc");
    }

    #[test]
    fn go1_27() {
        super::parked("1.27.3", "nogreenteagc");
    }
}

each_version!(busy);
each_version!(busy_stripped);
each_version!(objects);
each_version!(labels);
each_version!(labels_stripped);

/// Enough of them for a second thread to read some, where a processor has nothing to do.
#[test]
fn each_of_many_is_seen_once() {
    const MANY: usize = 20_000;
    let target = Target::start_with("1.26.6", "exe", "blocked", &[&MANY.to_string(), "5"]);
    let target = target.expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let first = attach.next().expect("observation");
    let again = attach.next().expect("observation");
    for seen in [&first, &again] {
        let coverage = &seen.coverage;
        assert_eq!(coverage.goroutines_read + coverage.running, coverage.goroutines_seen);
        let goids: BTreeSet<u64> = seen.goroutines.iter().filter_map(Goroutine::id).collect();
        assert_eq!(goids.len(), seen.goroutines.len(), "nobody is there twice");
        let blocked = seen.goroutines.iter().filter(|it| it.wait == WaitClass::ChanReceive).count();
        assert!(blocked >= MANY, "{blocked}");
    }
    let blocked = |seen: &Observation| -> Vec<Option<u64>> {
        let blocked = seen.goroutines.iter().filter(|it| it.wait == WaitClass::ChanReceive);
        blocked.map(Goroutine::id).collect()
    };
    assert_eq!(blocked(&first), blocked(&again), "the runtime's list has one order");
    assert!(again.coverage.unmoved >= MANY as u64, "{:?}", again.coverage);
}

/// Nothing moves: every goroutine of the dump must be there, equal, and nothing else.
fn parked(version: &str, mode: &str) {
    let mut target = Target::start(version, mode, "states").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let before = target.dump().expect("dump");
    let seen = attach.next().expect("observation");
    let after = target.dump().expect("dump");

    let comparison = compare(&seen, &before, &after);
    assert!(comparison.differences.is_empty(), "{comparison}");
    assert!(comparison.strangers.is_empty(), "{comparison}");
    // All but the goroutine that wrote the dump.
    assert_eq!(comparison.compared, before.goroutines.len() - 1, "{comparison}");
    assert!(comparison.compared >= 95, "{comparison}");

    let coverage = &seen.coverage;
    assert_eq!(coverage.goroutines_seen, seen.goroutines.len() as u64, "{coverage:?}");
    assert_eq!(
        coverage.goroutines_read + coverage.running,
        coverage.goroutines_seen,
        "{coverage:?}"
    );
    let lost = (coverage.torn, coverage.not_unwound, coverage.unresolved_frames);
    assert_eq!(lost, (0, 0, 0), "{coverage:?}");

    // A second snapshot knows most of it from the first, and is no worse for that.
    let again = attach.next().expect("observation");
    let later = target.dump().expect("dump");
    let comparison = compare(&again, &after, &later);
    assert!(comparison.differences.is_empty(), "{comparison}");
    assert!(comparison.strangers.is_empty(), "{comparison}");
    assert!(again.coverage.unmoved >= 85, "{:?}", again.coverage);
    assert_eq!(seen.coverage.unmoved, 0, "{coverage:?}");

    let go = seen.target.go_version.as_deref().expect("a Go version");
    assert!(go.starts_with(&format!("go{version}")), "{go}");
    let build = seen.target.build.expect("a build");
    // Whatever is linked by C's linker or checks races brings runtime/cgo with it.
    let cgo = mode.starts_with("cgo") || ["race", "static-pie"].contains(&mode);
    assert_eq!(
        (build.stripped, build.pie, build.cgo),
        (mode.ends_with("stripped"), mode.contains("pie"), cgo),
        "{build:?}"
    );
}

fn busy(version: &str) {
    under_load(version, "exe");
}

fn busy_stripped(version: &str) {
    under_load(version, "stripped");
}

/// Goroutines come and go all the time: those that stay must be equal, and those that do not must
/// never have a stack that they cannot have.
fn under_load(version: &str, mode: &str) {
    let mut target = Target::start(version, mode, "states").expect("target");
    target.command("spawn 500 20").expect("spawn");
    target.command("churn on").expect("churn");
    target.command("spin 1").expect("spin");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    for _ in 0..10 {
        let before = without_churn(target.dump().expect("dump"));
        let seen = attach.next().expect("observation");
        let after = without_churn(target.dump().expect("dump"));
        let comparison = compare(&seen, &before, &after);
        assert!(comparison.differences.is_empty(), "{comparison}");
        assert!(comparison.compared >= 590, "{comparison}");
        assert_eq!(seen.coverage.not_unwound, 0, "{:?}", seen.coverage);
        assert_eq!(seen.coverage.unresolved_frames, 0, "{:?}", seen.coverage);
        let impossible: Vec<String> = seen
            .goroutines
            .iter()
            .filter(|goroutine| {
                creator(&seen, goroutine).is_some_and(|name| name.ends_with("churnUntil"))
            })
            .map(|goroutine| stack(&seen, goroutine))
            .filter(|stack| !stack.iter().all(|name| can_churn(name)))
            .map(|stack| stack.join(" < "))
            .collect();
        assert!(impossible.is_empty(), "{impossible:#?}");
    }
}

/// Whether a goroutine of the churn can have a function on its stack.
fn can_churn(function: &str) -> bool {
    ["runtime.", "sync.", "sync/", "internal/"].iter().any(|package| function.starts_with(package))
        || function.contains("internal/control.churn")
        || !function.contains('.')
}

fn without_churn(mut dump: Dump) -> Dump {
    let churns = |name: &str| name.contains("internal/control.churn");
    dump.goroutines.retain(|goroutine: &debug2::Goroutine| {
        !goroutine.calls().any(|call| churns(&call.function))
            && !goroutine.created_by.as_ref().is_some_and(|by| churns(&by.function))
    });
    dump
}

fn creator<'a>(seen: &'a Observation, goroutine: &Goroutine) -> Option<&'a str> {
    Some(seen.stacks.lookup(goroutine.created_by?).ok()?.function)
}

fn stack(seen: &Observation, goroutine: &Goroutine) -> Vec<String> {
    let frames = goroutine.stack.id().map_or(&[][..], |id| seen.stacks.frames_of(id));
    frames
        .iter()
        .map(|&frame| match seen.stacks.lookup(frame) {
            Ok(frame) => frame.function.to_owned(),
            Err(pc) => format!("?.{pc:#x}"),
        })
        .collect()
}

/// The goroutines that have a function on their stack.
fn those_in<'a>(seen: &'a Observation, function: &str) -> Vec<&'a Goroutine> {
    let inside =
        |goroutine: &&Goroutine| stack(seen, goroutine).iter().any(|name| name == function);
    seen.goroutines.iter().filter(inside).collect()
}

/// Those who wait on the same thing are seen to, and only they.
fn objects(version: &str) {
    let target = Target::start(version, "exe", "states").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let seen = attach.next().expect("observation");
    let objects = |function: &str| -> Vec<Vec<u64>> {
        let mut all: Vec<Vec<u64>> = those_in(&seen, function)
            .iter()
            .map(|goroutine| {
                let mut objects = seen.objects_of(goroutine).to_vec();
                objects.sort_unstable();
                objects
            })
            .collect();
        all.sort();
        all
    };
    let one = |function: &str, count: usize| -> u64 {
        let all = objects(function);
        assert_eq!(all.len(), count, "{function}: {all:x?}");
        assert_eq!(all[0].len(), 1, "{function}: {all:x?}");
        assert!(all.iter().all(|objects| *objects == all[0]), "{function}: {all:x?}");
        all[0][0]
    };
    let unread = one("main.sendUnbuffered", 3);
    let full = one("main.sendFull", 1);
    let never = one("main.rangeOver", 1);
    let distinct = [unread, full, never, one("main.wantMutex", 3), one("main.waitForCondition", 3)];
    assert_eq!(distinct.iter().collect::<std::collections::HashSet<_>>().len(), distinct.len());
    one("main.waitForGroup", 2);
    assert_ne!(one("main.lockTwice", 1), one("main.wantMutex", 3));

    let cycle = objects("main.transfer");
    assert_eq!(cycle.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1], "{cycle:x?}");
    assert_ne!(cycle[0], cycle[1]);

    let several = objects("main.selectSeveral");
    assert_eq!(several.len(), 1);
    assert_eq!(several[0].len(), 3, "{several:x?}");
    assert!(several[0].contains(&unread) && several[0].contains(&never), "{several:x?}");

    for nothing in ["main.sleep", "main.emptySelect", "main.sendNil", "main.readRaw"] {
        assert!(objects(nothing).iter().all(Vec::is_empty), "{nothing}: {:x?}", objects(nothing));
    }
}

fn labels(version: &str) {
    labelled(version, "exe");
}

fn labels_stripped(version: &str) {
    labelled(version, "stripped");
}

/// Profiler labels, by the function that carries them: see targets/labels/main.go.
fn labelled(version: &str, mode: &str) {
    let target = Target::start(version, mode, "labels").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let seen = attach.next().expect("observation");
    let many: Vec<(String, String)> =
        (0..12).map(|i| (format!("k{i:02}"), format!("v{i:02}"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let wanted: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::from([
        ("main.plain", vec![]),
        ("main.one", vec![("endpoint", "/checkout")]),
        ("main.several", vec![("empty", ""), ("endpoint", "/orders"), ("tenant", "north")]),
        ("main.odd", vec![("a key", "quotes \" and ümlauts"), ("brace", "{}")]),
        ("main.inherited", vec![("job", "nightly")]),
        ("main.nested", vec![("job", "nightly"), ("step", "2")]),
        ("main.many", many),
        ("main.cleared", vec![]),
    ]);
    for (function, labels) in wanted {
        let carriers = those_in(&seen, function);
        assert_eq!(carriers.len(), 1, "{function}");
        let seen: Vec<(&str, &str)> = seen
            .labels_of(carriers[0].labels)
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(seen, labels, "{function}");
    }
}
