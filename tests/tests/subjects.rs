//! What was not asked for is neither read nor judged, and the report says so: `--memory-only`,
//! `--goroutines-only`.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use leak_agent_tests::{Target, agent};
use serde_json::Value;

const VERSION: &str = "1.26.6";

/// Long enough for more than a suspicion.
const LONG: &str = "24s";

/// A program that leaks connections, and goroutines with them.
fn leaking() -> Target {
    let mut target = Target::start(VERSION, "exe", "resources").expect("target");
    target.command("bodies").expect("it leaks");
    target
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// The subjects of what was found.
fn subjects(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["subject"].as_str().expect("a subject")).collect()
}

/// What `check` says with a flag, in one line.
fn checked(pid: &str, flag: &str) -> String {
    let output = agent::run(&["check", pid, flag, "--fail-on", "never"]).expect("agent");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says_nothing_of_goroutines(report: &Value) {
    for key in ["totals", "level", "idle", "not_analysed", "history", "lock_graph", "lineage"] {
        assert!(report[key].is_null(), "{key}: {}", report[key]);
    }
    assert_eq!(report["groups"], Value::Array(Vec::new()));
    assert_eq!(report["coverage"]["goroutines_seen"], 0);
    assert_eq!(report["coverage"]["probes"], Value::Array(Vec::new()));
}

fn says_nothing_of_memory(report: &Value) {
    for key in ["memory", "resources"] {
        assert!(report[key].is_null(), "{key}: {}", report[key]);
    }
}

#[test]
fn memory_alone_is_read_judged_and_shown() {
    let target = leaking();
    let pid = target.pid().to_string();
    let args = ["analyze", &pid, "--memory-only", "--duration", LONG, "--format", "json"];
    let output = agent::run(&args).expect("agent");
    assert_eq!(output.status.code(), Some(1), "there is a finding");
    let report = json(&output);
    assert_eq!(report["subjects"], serde_json::json!(["memory", "resources"]));
    let found = subjects(&report);
    assert!(found.contains(&"resource") && !found.contains(&"goroutines"), "{found:?}");
    assert!(report["health"].as_u64() < Some(100), "{}", report["health"]);
    assert!(report["memory"]["heap"]["objects"].as_u64() > Some(0), "{}", report["memory"]);
    says_nothing_of_goroutines(&report);

    let text = checked(&pid, "--memory-only");
    assert!(text.contains("goroutines not looked at"), "{text}");
    assert!(text.contains("goroutines were not looked at (--memory-only)"), "{text}");
    assert!(text.contains(" of 100 of memory and resources alone"), "{text}");
    assert!(!text.contains("read 0 of 0") && !text.contains("0 goroutines"), "{text}");
}

#[test]
fn goroutines_alone_are_read_judged_and_shown() {
    let target = leaking();
    let pid = target.pid().to_string();
    let args = ["analyze", &pid, "--goroutines-only", "--duration", LONG, "--format", "json"];
    let output = agent::run(&args).expect("agent");
    assert_eq!(output.status.code(), Some(1), "there is a finding");
    let report = json(&output);
    assert_eq!(report["subjects"], serde_json::json!(["goroutines"]));
    let found = subjects(&report);
    assert!(!found.is_empty() && found.iter().all(|it| *it == "goroutines"), "{found:?}");
    says_nothing_of_memory(&report);

    let text = checked(&pid, "--goroutines-only");
    assert!(text.contains("were not looked at (--goroutines-only)"), "{text}");
    assert!(text.contains(" of 100 of goroutines alone"), "{text}");
    assert!(!text.contains("resident") && !text.contains(" descriptors of "), "{text}");
}

/// An empty folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("subjects").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("scratch folder");
    folder
}

/// Saves a few samples with a flag.
fn saved(pid: &str, flag: &str, folder: &Path) {
    let folder = folder.to_str().expect("text");
    let args = ["analyze", pid, flag, "--duration", "2s", "--save", folder, "--fail-on", "never"];
    let output = agent::run(&args).expect("agent");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_was_not_saved_cannot_be_judged_later() {
    let target = leaking();
    let pid = target.pid().to_string();
    let scratch = scratch("memory");
    saved(&pid, "--memory-only", &scratch);
    let folder = scratch.to_str().expect("text");
    let report = |flags: &[&str]| {
        let args: Vec<&str> = ["report", "--input", folder].iter().chain(flags).copied().collect();
        agent::run(&args).expect("agent")
    };
    let again = json(&report(&["--format", "json"]));
    assert_eq!(again["subjects"], serde_json::json!(["memory", "resources"]));
    says_nothing_of_goroutines(&again);
    let output = report(&["--goroutines-only"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("no verdict") && told.contains("were looked at"), "{told}");
}

#[test]
fn of_what_was_saved_whole_a_part_can_be_judged() {
    let target = leaking();
    let pid = target.pid().to_string();
    let scratch = scratch("whole");
    saved(&pid, "--probes=off", &scratch);
    let folder = scratch.to_str().expect("text");
    let report = |flag: &str| {
        let args = ["report", "--input", folder, flag, "--format", "json"];
        json(&agent::run(&args).expect("agent"))
    };
    says_nothing_of_goroutines(&report("--memory-only"));
    says_nothing_of_memory(&report("--goroutines-only"));
}

#[test]
fn a_target_that_exits_ends_it() {
    let mut target = leaking();
    let pid = target.pid().to_string();
    let path = scratch("exits").join("report.json");
    let path = path.to_str().expect("text");
    let mut agent = Command::new(agent::binary().expect("agent"))
        .args(["monitor", &pid, "--memory-only", "--interval", "200ms", "--output", path])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("agent");
    let mut lines = BufReader::new(agent.stdout.take().expect("a pipe"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    let first: Value = serde_json::from_str(&line).expect("JSON");
    assert!(first["goroutines"].is_null() && first["level"].is_null(), "{first}");
    assert_eq!(first["health"], 100);
    target.send("exit").expect("it still reads");
    drop(target);
    lines.read_to_end(&mut Vec::new()).expect("its end");
    assert_eq!(agent.wait().expect("it ends").code(), Some(0));
    let report: Value = serde_json::from_slice(&fs::read(path).expect("a report")).expect("JSON");
    assert_eq!(report["subjects"], serde_json::json!(["memory", "resources"]));
    assert!(report["coverage"]["notes"].to_string().contains("has exited"), "{report:#}");
}

#[test]
fn moments_are_compared_by_what_was_looked_at() {
    let target = leaking();
    let pid = target.pid().to_string();
    let args = ["compare", &pid, "--memory-only", "--wait", "500ms"];
    let output = agent::run(&args).expect("agent");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("goroutines are not compared"), "{text}");
    assert!(text.contains("resident  "), "{text}");
    let args = ["compare", &pid, "--goroutines-only", "--wait", "500ms"];
    let output = agent::run(&args).expect("agent");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("as large as before") && !text.contains("resident"), "{text}");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for (args, said) in [
        (&["check", "1", "--memory-only", "--goroutines-only"][..], "cannot be used with"),
        (&["patterns", "1", "--memory-only"], "it shows goroutines"),
        (&["check", "1", "--memory-only", "--func", "main"], "goroutines are not looked at"),
        (&["analyze", "1", "--goroutines-only", "--walk", "auto"], "memory is not looked at"),
        (&["analyze", "--url", "localhost:1", "--walk", "auto"], "not attached to"),
    ] {
        let output = agent::run(args).expect("agent");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(said), "{args:?}: {told}");
    }
}
