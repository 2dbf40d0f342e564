//! What is proven of a program that stands still, against what it says of itself: see targets/prove.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use leak_agent::golang::Program;
use leak_agent::prove::{Gap, Outcome, Settings, Still, prove};
use leak_agent_tests::stopped::Stopped;
use leak_agent_tests::{Target, each_version, target};

/// A case of the target: its name, and whether its goroutine leaks.
type Cases = BTreeMap<u64, (String, bool)>;

fn cases(target: &mut Target) -> Cases {
    let answer = target.command("expect").expect("expect");
    let case = |pair: &str| {
        let (name, rest) = pair.split_once('=').expect("a name");
        let (goid, what) = rest.split_once(':').expect("an id");
        (goid.parse().expect("an id"), (name.to_owned(), what == "leaked"))
    };
    answer.split_whitespace().map(case).collect()
}

fn proof(program: &Program, pid: u32) -> Outcome {
    let stopped = Stopped::stop(pid).expect("it is stopped");
    let still = Still { memory: program.shared_memory(), threads: stopped.threads().to_vec() };
    prove(program, &still, Settings::default()).expect("a proof")
}

fn names(cases: &Cases, goids: impl Iterator<Item = u64>) -> BTreeSet<String> {
    let name = |goid: u64| {
        cases.get(&goid).map_or_else(|| format!("another ({goid})"), |(name, _)| name.clone())
    };
    goids.map(name).collect()
}

/// Exactly what leaks is proven, and what is live was looked at.
fn check(what: &str, cases: &Cases, outcome: &Outcome) {
    println!("{what}: {:?} {:?}", outcome.figures, outcome.gaps);
    let nothing = outcome.gaps.iter().find(|gap| matches!(gap, Gap::Nothing { .. }));
    assert_eq!(nothing, None, "{what}");
    assert!(!outcome.is_filter, "{what}");
    let leaked = |wanted: bool| {
        let of = cases.iter().filter(move |(_, (_, leaked))| *leaked == wanted);
        of.map(|(goid, _)| *goid).collect::<BTreeSet<u64>>()
    };
    let proven: BTreeSet<u64> = outcome.proven.iter().map(|it| it.goid).collect();
    let unproven: BTreeSet<u64> = outcome.unproven.iter().map(|it| it.goid).collect();
    let falsely = names(cases, proven.difference(&leaked(true)).copied());
    let missed = names(cases, leaked(true).difference(&proven).copied());
    assert!(
        falsely.is_empty() && missed.is_empty(),
        "{what}: proven falsely {falsely:?}, not proven {missed:?}"
    );
    let unseen = names(cases, leaked(false).difference(&unproven).copied());
    assert!(unseen.is_empty(), "{what}: not among those that may be woken: {unseen:?}");
    assert!(leaked(true).len() > 400 && leaked(false).len() > 90, "{what}: cases are missing");
}

fn compare(version: &str, mode: &str) {
    let path = target::path(version, mode, "prove").expect("it was built");
    let mut target = Target::start_at(path, &[""; 0]).expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    check(&format!("{version} {mode}"), &cases(&mut target), &proof(&program, target.pid()));
    target.command("busy").expect("busy");
    let with_busy = cases(&mut target);
    check(&format!("{version} {mode} busy"), &with_busy, &proof(&program, target.pid()));
    target.command("wait").expect("wait");
    let outcome = proof(&program, target.pid());
    assert!(outcome.main_waits, "{version} {mode}: main waits");
    check(&format!("{version} {mode} main waits"), &with_busy, &outcome);
}

fn what_is_proven_is_what_leaks(version: &str) {
    for mode in ["exe", "stripped", "pie-stripped"] {
        compare(version, mode);
    }
}

each_version!(what_is_proven_is_what_leaks);
