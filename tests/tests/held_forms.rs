//! Who holds the heap, in the other forms: as a profile that `go tool pprof` opens, as a page with a flame graph,
//! and compared with a walk before.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leak_agent_tests::{Target, agent};
use serde_json::Value;

const VERSION: &str = "1.26.6";

fn start(name: &str) -> Target {
    Target::start(VERSION, "exe", name).expect("target")
}

/// An empty folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("held-forms").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("scratch folder");
    folder
}

fn memory(target: &Target, more: &[&str]) -> Output {
    let pid = target.pid().to_string();
    let args = [&["memory", "--retained", "--pid", &pid], more].concat();
    let output = agent::run(&args).expect("agent");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    output
}

fn json(target: &Target, more: &[&str]) -> Value {
    let output = memory(target, &[&["--format", "json"], more].concat());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What `go tool pprof` says.
fn pprof(folder: &Path, args: &[&str]) -> String {
    let go = std::env::var_os("LEAK_AGENT_GO").unwrap_or_else(|| "go".into());
    let named = Command::new(go).args(["tool", "-n", "pprof"]).output().expect("Go is installed");
    let named = String::from_utf8(named.stdout).expect("a path");
    let output = Command::new(named.trim())
        .env("PPROF_TMPDIR", folder)
        .current_dir(folder)
        .args(args)
        .output()
        .expect("pprof");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn go_tool_pprof_opens_who_holds_the_heap() {
    let target = start("held");
    let folder = scratch("pprof");
    let path = folder.join("held.pb.gz");
    let file = path.to_str().expect("text");
    memory(&target, &["--format", "pprof", "--output", file]);
    let report = json(&target, &[]);
    let top = pprof(&folder, &["-top", "-nodecount=200", "-unit=B", file]);
    assert!(top.contains("Type: inuse_space"), "{top}");
    // What each frame has by itself, and what is below it too.
    let of = |name: &str| -> (u64, u64) {
        let line = top.lines().find(|line| line.ends_with(&format!("%  {name}")));
        let line = line.unwrap_or_else(|| panic!("{name} in\n{top}"));
        let fields: Vec<&str> = line.split_whitespace().collect();
        let bytes = |text: &str| text.trim_end_matches('B').parse().expect("bytes");
        (bytes(fields[0]), bytes(fields[3]))
    };
    let holders = report["retained"]["holders"].as_array().expect("holders");
    for name in ["main.store", "main.table", "main.blobs"] {
        let holder = holders.iter().find(|it| it["name"] == name).expect(name);
        let held = holder["bytes"].as_u64().expect("bytes");
        assert_eq!(of(name), (0, held), "{name}\n{top}");
    }
    let types = report["retained"]["types"].as_array().expect("types");
    let sessions = types.iter().find(|it| it["name"] == "main.session").expect("sessions");
    assert_eq!(Some(of("main.session").0), sessions["bytes"].as_u64(), "{top}");
    let objects = pprof(&folder, &["-top", "-sample_index=inuse_objects", file]);
    assert!(objects.contains("Type: inuse_objects"), "{objects}");
    let traces = pprof(&folder, &["-traces", file]);
    assert!(traces.contains("main.session.events") && traces.contains("main.store"), "{traces}");
}

#[test]
fn a_page_has_a_flame_graph_of_who_holds_the_heap() {
    let target = start("held");
    let page = memory(&target, &["--format", "html"]).stdout;
    let page = String::from_utf8(page).expect("text");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Who holds the heap"), "{page}");
    let bars = page.matches("title=\"main.").count();
    assert!(page.contains("aria-label=\"Flame graph of ") && bars > 10, "{bars}");
    assert!(
        page.contains("title=\"main.store: ") && page.contains("title=\"main.session.events: ")
    );
}

#[test]
fn what_grew_since_a_walk_before_is_named() {
    let mut target = start("heap");
    target.command("hold 1").expect("held");
    let folder = scratch("since");
    let path = folder.join("before.json");
    let before = path.to_str().expect("text");
    memory(&target, &["--format", "json", "--output", before]);
    for _ in 0..8 {
        target.command("hold 1").expect("held");
    }
    let report = json(&target, &["--baseline", before]);
    let since = &report["retained"]["since"];
    assert_eq!(since["are_whole"], true);
    let most = &since["holders"][0];
    assert_eq!(most["holder"]["name"], "main.held", "{since:#}");
    let now = most["holder"]["bytes"].as_u64().expect("bytes");
    let then = most["before"]["bytes"].as_u64().expect("bytes");
    assert!(then >= 1 << 20 && now >= then + (8 << 20), "{since:#}");
    assert_eq!(since["types"][0]["name"], "[]byte", "{since:#}");
    let text = memory(&target, &["--baseline", before]).stdout;
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("more or less, by holder") && text.contains("main.held"), "{text}");

    // What is no such report is said to be none, and nothing is asked of the program.
    let pid = target.pid().to_string();
    let other = folder.join("other.json");
    fs::write(&other, b"{\"schema\": \"leak-agent/report/v1\"}").expect("written");
    let bare = folder.join("bare.json");
    let bare_path = bare.to_str().expect("text");
    let args = ["memory", "--pid", &pid, "--format", "json", "--output", bare_path];
    assert!(agent::run(&args).expect("agent").status.success());
    for (file, said) in [(&other, "no report of memory"), (&bare, "without --retained")] {
        let file = file.to_str().expect("text");
        let args = ["memory", "--retained", "--pid", &pid, "--baseline", file];
        let output = agent::run(&args).expect("agent");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn a_profile_is_of_a_walk() {
    let output = agent::run(&["memory", "1", "--format", "pprof"]).expect("agent");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--format pprof needs --retained"), "{told}");
}
