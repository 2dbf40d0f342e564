//! What collections would free, as a walk of the heap says it, against what `runtime.GC` then frees: see
//! targets/garbage.
#![allow(clippy::expect_used)]

use leak_agent_tests::{Target, agent, each_version};
use serde_json::Value;

/// Walks to find a moment in which nothing moves.
const QUIET_TRIES: usize = 10;

fn ask(target: &mut Target, command: &str) -> u64 {
    let answer = target.command(command).expect("an answer");
    answer.parse().unwrap_or_else(|_| panic!("{command}: {answer}"))
}

fn walked(target: &Target) -> Value {
    let pid = target.pid().to_string();
    let args = ["memory", "--retained", "--format", "json", "--pid", &pid];
    let output = agent::run(&args).expect("agent");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["retained"].clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Walks until nothing moved meanwhile: the runtime makes a thread or moves a goroutine now and then by itself.
fn walked_in_quiet(target: &Target) -> Value {
    let mut walk = Value::Null;
    for _ in 0..QUIET_TRIES {
        let retained = walked(target);
        walk = retained["walk"].clone();
        if walk["came"]["objects"] == 0 && walk["running"] == 0 {
            return retained;
        }
    }
    panic!("it is never quiet: {walk:#}")
}

type Mix = (u64, u64, u64, &'static str);

/// Records that the target holds, lets go, and lets go with a finalizer; and in which band that is.
const MIXES: [Mix; 5] = [
    (500, 8000, 0, "cleanup-delay"),
    (3000, 5000, 0, "partial"),
    (6000, 3000, 0, "likely-leak"),
    (8000, 500, 0, "confirmed-leak"),
    (2000, 500, 2000, "partial"),
];

/// Within one percent of the heap.
fn is_close(one: u64, other: u64, heap: u64) -> bool {
    one.abs_diff(other) <= heap / 100
}

/// Starts of a target until no stale word, on a stack or in what the runtime keeps, holds what nothing else does.
const STARTS: usize = 4;

fn a_walk_says_what_collections_free(version: &str, mode: &str) {
    for mix in MIXES {
        let is_exact = (0..STARTS).any(|_| is_exact(version, mode, mix));
        assert!(
            is_exact,
            "{version} {mode} {mix:?}: something was held in each of {STARTS} starts"
        );
    }
}

/// Whether what a walk said would be freed is what collections then freed. It may say less, and never more.
fn is_exact(version: &str, mode: &str, (live, dropped, finished, band): Mix) -> bool {
    let mut target = Target::start(version, mode, "garbage").expect("target");
    for (command, many) in [("live", live), ("drop", dropped), ("finish", finished)] {
        target.command(&format!("{command} {many}")).expect("made");
    }
    let before = ask(&mut target, "allocated");
    let retained = walked_in_quiet(&target);
    let would = &retained["would_free"];
    let told = format!("{version} {mode} {live} {dropped} {finished}: {would:#}");
    let bytes = &would["bytes"];
    assert!(is_close(number(&bytes["before"]), before, before), "{before} {told}");
    let first = ask(&mut target, "collect");
    let (next, freed) = (number(&would["next"]["bytes"]), before.saturating_sub(first));
    assert!(next <= freed + before / 100, "{freed} were freed {told}");
    let mut last = first;
    for _ in 0..3 {
        last = ask(&mut target, "collect");
    }
    // A little is allocated by asking.
    let (later, freed_later) = (number(&would["later"]["bytes"]), first.saturating_sub(last));
    let after = number(&bytes["after"]);
    assert!(after + before / 100 >= last, "{last} are left {told}");
    let is_exact = is_close(next, freed, before)
        && is_close(later, freed_later, before)
        && is_close(after, last, before);
    assert!(!is_exact || bytes["band"] == band, "{told}");
    is_exact
}

fn next_and_later_collections(version: &str) {
    for mode in ["exe", "stripped"] {
        a_walk_says_what_collections_free(version, mode);
    }
}

each_version!(next_and_later_collections);

/// Nothing that is held is taken for garbage, and what came meanwhile is said.
#[test]
fn a_program_that_allocates_is_told_with_what_came() {
    for version in ["1.21.13", "1.27.3"] {
        let mut target = Target::start(version, "exe", "garbage").expect("target");
        target.command("live 5000").expect("made");
        let live = ask(&mut target, "allocated");
        target.command("churn on").expect("on");
        let retained = walked(&target);
        target.command("churn off").expect("off");
        let walk = &retained["walk"];
        assert!(number(&walk["came"]["objects"]) > 0, "{version}: {walk:#}");
        assert!(number(&walk["running"]) > 0, "{version}: {walk:#}");
        let notes = retained["notes"].to_string();
        assert!(notes.contains("came after the walk began"), "{version}: {notes}");
        assert!(notes.contains("in registers alone"), "{version}: {notes}");
        // What is held is none of what would be freed.
        let after = number(&retained["would_free"]["bytes"]["after"]);
        assert!(after >= live * 99 / 100, "{version}: {after} of {live}\n{retained:#}");
    }
}
