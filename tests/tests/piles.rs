//! What piles up over a process's whole life, told by `check` alone from what does not: see
//! targets/piles.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use leak_agent::model::DetectorKind;
use leak_agent_tests::{Target, agent, target};
use serde_json::Value;

/// A process's life: younger ones are not judged by ids.
const LIFE: Duration = Duration::from_secs(66);

fn likely(target: &Target) -> (BTreeSet<String>, Value) {
    let pid = target.pid().to_string();
    let output = agent::run(&["check", "--pid", &pid, "--format", "json"]).expect("agent");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let findings = report["findings"].as_array().expect("findings").iter();
    let likely = findings.filter(|finding| finding["verdict"] == "likely");
    let at = |finding: &Value| finding["blocked_at"]["function"].as_str().map(str::to_owned);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    (likely.filter_map(at).collect(), report)
}

fn piles(version: &str) {
    let start = |mode, garbage: &str| {
        let path = target::path(version, mode, "piles").expect("it was built");
        Target::start_at(path, &[garbage]).expect("target")
    };
    // Collections tell times of waits; without any there are ids alone.
    let targets = [start("exe", "collected"), start("stripped", "uncollected")];
    thread::sleep(LIFE);
    let leaks = ["main.receiveEvent", "main.sendResult", "main.watchChanges"];
    for target in &targets {
        let (found, report) = likely(target);
        assert_eq!(found, leaks.map(str::to_owned).into(), "{version}: {report:#}");
        let evidence = report["findings"][0]["evidence"].to_string();
        assert!(
            evidence.contains(DetectorKind::Accumulated.name()) && evidence.contains('≈'),
            "{evidence}"
        );
    }
}

/// All at once: they do little but grow old.
#[test]
fn what_piles_up_over_a_life_is_told() {
    thread::scope(|scope| {
        for version in ["1.21.13", "1.24.11", "1.27.3"] {
            scope.spawn(move || piles(version));
        }
    });
}
