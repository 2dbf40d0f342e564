//! A heap that grows on and on is a finding; one that fills up until it is collected is none: see targets/heap.
#![allow(clippy::expect_used)]

use std::thread;
use std::time::Duration;

use leak_agent_tests::beside::meanwhile;
use leak_agent_tests::{Target, agent};
use serde_json::Value;

/// Long enough for more than a suspicion.
const LONG: &str = "24s";

/// What is judged of a program that does these things again and again while it is watched.
fn judged(version: &str, mode: &str, work: &[&str], time: &[&str]) -> (Vec<Value>, Value) {
    agent::binary().expect("built before anything grows");
    let mut target = Target::start(version, mode, "heap").expect("target");
    let pid = target.pid().to_string();
    let again = || {
        for command in work {
            target.command(command).expect(command);
        }
        thread::sleep(Duration::from_millis(400));
    };
    let args = ["analyze", "--pid", &pid, "--format", "json", "--duration"];
    let output = meanwhile(again, || agent::run(&[&args, time].concat())).expect("agent");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let findings = report["findings"].as_array().expect("findings");
    let of_memory = findings.iter().filter(|finding| finding["subject"] == "memory");
    (of_memory.cloned().collect(), report)
}

fn grows(version: &str, mode: &str) {
    let (found, report) = judged(version, mode, &["hold 2", "garbage 2", "collect"], &[LONG]);
    let [finding] = &found[..] else { panic!("{version} {mode}: {report:#}") };
    assert_eq!((&finding["class"], &finding["verdict"]), (&"heap-growth".into(), &"likely".into()));
    let grown = &finding["memory_growth"];
    let [from, to] = ["from_bytes", "to_bytes"].map(|key| grown[key].as_u64().expect("bytes"));
    assert!(from >= 8 << 20 && to >= from + (10 << 20), "{grown}");
    assert_eq!((&finding["count"], &finding["blocked_at"]), (&0.into(), &Value::Null));
    // Who holds it: by name, or by what it leads to where names were stripped.
    let held_by = finding["held_by"][0].as_str().expect("it was walked");
    let (start, end) =
        if mode == "exe" { ("main.held -> [][]byte", "") } else { ("variable at 0x", "unknown") };
    assert!(held_by.starts_with(start) && held_by.ends_with(end), "{version} {mode}: {held_by}");
    let cause = finding["cause"].as_str().expect("a sentence");
    let named =
        if mode == "exe" { "Held by global main.held ([][]byte), " } else { "Held by global " };
    assert!(cause.contains(named) && cause.ends_with("% of the live heap."), "{cause}");
    assert!(!finding["suggestions"].as_array().expect("a list").is_empty());
    assert!(report["health"].as_u64().expect("health") < 100);
}

fn does_not_grow(version: &str) {
    let (found, report) = judged(version, "exe", &["garbage 3", "collect"], &[LONG]);
    assert_eq!(found, Vec::<Value>::new());
    let lacks = report["not_enough"].to_string();
    assert!(!lacks.contains("memory-growth"), "there were collections: {lacks}");
}

#[test]
fn go1_21() {
    grows("1.21.13", "stripped");
}

#[test]
fn go1_27() {
    grows("1.27.3", "exe");
}

#[test]
fn garbage_does_not_grow() {
    does_not_grow("1.26.6");
}

#[test]
fn without_collections_nothing_is_said() {
    let (found, report) = judged("1.24.11", "exe", &[], &["5s"]);
    assert_eq!(found, Vec::<Value>::new());
    assert!(report["not_enough"].to_string().contains("memory-growth"), "{report:#}");
}

/// The heap is large and was there before the first sample: who holds it is told, and it is no finding.
#[test]
fn who_holds_a_large_heap_is_told_where_nothing_tells_whether_it_leaks() {
    agent::binary().expect("built before anything grows");
    let mut target = Target::start("1.26.6", "exe", "heap").expect("target");
    target.command("hold 90").expect("held");
    let pid = target.pid().to_string();
    let analyzed = |more: &[&str]| -> Value {
        let args = ["analyze", "--pid", &pid, "--duration", "3s", "--format", "json"];
        let output = agent::run(&[&args, more].concat()).expect("agent");
        serde_json::from_slice(&output.stdout).expect("one JSON document")
    };
    let report = analyzed(&[]);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    let held = &report["memory"]["held"];
    assert_eq!(held["holders"][0]["name"], "main.held", "{:#}", report["memory"]);
    assert!(held["holders"][0]["bytes"].as_u64() >= Some(90 << 20), "{held:#}");
    assert_eq!(held["is_whole"], true);
    assert!(analyzed(&["--walk", "off"])["memory"]["held"].is_null());
}

/// Five collections tell; as many do not come within the window.
#[test]
fn collections_are_waited_for_and_not_forced() {
    let waiting = ["garbage 2", "collect"];
    let (_, report) = judged("1.26.6", "exe", &waiting, &["1s", "--gc-wait", "10m"]);
    let not_enough = |report: &Value| report["not_enough"].to_string();
    assert!(!not_enough(&report).contains("collections leave"), "{report:#}");
    assert!(report["memory"]["collector"]["collections"].as_u64().expect("a count") >= 5);
    assert!(report["forced_collections"].is_null(), "{report:#}");
    // It does not wait for ever.
    let (_, report) = judged("1.26.6", "exe", &[], &["1s", "--gc-wait", "2s"]);
    assert!(not_enough(&report).contains("collections leave"), "{report:#}");
    assert!(report["window"]["seconds"].as_f64().expect("a time") > 2.0, "{report:#}");
}
