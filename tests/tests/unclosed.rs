//! Things that are made again and again and never closed: one finding about goroutines for each cause, with the
//! program's own line, and none where they are closed. See targets/unclosed.
#![allow(clippy::expect_used)]

use std::thread;

use leak_agent_tests::{Target, agent};
use serde_json::Value;

/// What the agent finds in the target, of which each starts with the kind and then says what it does.
fn findings(version: &str, mode: &str, args: &[&str], flags: &[&str]) -> Vec<Value> {
    // What leaks ends after a while, and the agent may have to be built.
    agent::binary().expect("agent");
    let target = Target::start_with(version, mode, "unclosed", args).expect("target");
    let pid = target.pid().to_string();
    let mut line = vec!["analyze", "--pid", &pid, "--duration", "21s", "--format", "json"];
    line.extend(flags);
    let output = agent::run(&line).expect("agent");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    adds_up(&report);
    report["findings"].as_array().expect("findings").clone()
}

/// Every goroutine is in a finding, idle, or not analysed.
fn adds_up(report: &Value) {
    let sum = |counts: &Value| {
        counts.as_object().expect("counts").values().filter_map(Value::as_u64).sum::<u64>()
    };
    let found = report["findings"].as_array().expect("findings");
    let found: u64 = found.iter().filter_map(|finding| finding["count"].as_u64()).sum();
    let all = report["totals"]["goroutines"].as_u64().expect("a total");
    assert_eq!(found + sum(&report["idle"]) + sum(&report["not_analysed"]), all, "{report:#}");
}

/// Whether it is likely at least.
fn is_sure(finding: &Value) -> bool {
    finding["verdict"] == "likely" || finding["verdict"] == "proven"
}

/// The one finding about goroutines at `likely` or `proven`, of this class, caused in this function. Beside it stands what it
/// leaves of the kernel's: connections, pipes, children.
fn one(kind: &str, findings: &[Value], class: &str, function: &str) {
    let likely = findings.iter().filter(|finding| is_sure(finding));
    let (leaks, others): (Vec<&Value>, Vec<&Value>) =
        likely.partition(|finding| finding["subject"] == "goroutines");
    let beside = |finding: &&Value| finding["subject"] == "resource";
    assert!(others.iter().all(beside), "{others:#?}");
    let [finding] = leaks.as_slice() else { panic!("{kind}: {findings:#?}") };
    assert_eq!(finding["class"], class, "{finding:#}");
    let caused = finding["caused_at"]["function"].as_str().unwrap_or_default();
    assert!(caused.contains(function), "{finding:#}");
}

fn each_kind(version: &str, mode: &str) {
    let leaking = [
        ("transport", "not-closed", "main.callWithTransport"),
        ("body", "network-io", "main.askWithoutReading"),
        ("pool", "not-closed", "main.openPool"),
        ("rpc", "not-closed", "main.callRemote"),
        ("child", "not-closed", "main.runChild"),
        ("clients", "network-io", "main.main"),
    ];
    thread::scope(|scope| {
        for (kind, class, function) in leaking {
            scope.spawn(move || {
                one(kind, &findings(version, mode, &[kind], &[]), class, function);
            });
        }
    });
    // Not all at once: of two processors each has to get its part.
    thread::scope(|scope| {
        for kind in ["transport", "body", "pool", "rpc", "child", "clients", "shared"] {
            scope.spawn(move || {
                let found = findings(version, mode, &[kind, "closed"], &[]);
                assert!(found.is_empty(), "{kind} is closed: {found:#?}");
            });
        }
    });
}

#[test]
fn go1_21() {
    each_kind("1.21.13", "exe");
}

#[test]
fn go1_27_stripped() {
    each_kind("1.27.3", "stripped");
}

#[test]
fn without_probes_it_is_one_finding_still() {
    let found = findings("1.27.3", "exe", &["pool"], &["--probes", "off"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0]["class"] == "not-closed" && is_sure(&found[0]), "{found:#?}");
}
