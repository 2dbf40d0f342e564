//! Go that is not one plain executable: plugins, shared libraries of programs in other languages, and
//! programs whose build information was stripped away. See targets/plugged, plugin and library.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::Goroutine;
use leak_agent_tests::Observe;
use leak_agent_tests::agent;
use leak_agent_tests::target::{self, Target};
use serde_json::Value;

const OLDEST: &str = "1.21.13";
const NEWEST: &str = "1.27.3";

/// What the agent prints as JSON.
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

/// Ten seconds of a process: one report, or a list of several.
fn analyze(pid: u32, flags: &[&str]) -> Value {
    let pid = pid.to_string();
    let mut line = vec!["analyze", "--pid", &pid, "--duration", "10s", "--format", "json"];
    line.extend(flags);
    json(&agent::run(&line).expect("agent"))
}

fn check(pid: u32, flags: &[&str]) -> Output {
    let pid = pid.to_string();
    agent::run(&[&["check", "--pid", &pid, "--format", "json"], flags].concat()).expect("agent")
}

/// Every goroutine was read whole, or was running.
fn all_are_read(report: &Value) {
    let coverage = &report["coverage"];
    let count = |name: &str| coverage[name].as_u64().expect("a count");
    let read = count("goroutines_read") + count("running");
    assert_eq!(read, count("goroutines_seen"), "{coverage:#}");
    assert!(count("goroutines_seen") >= 5, "{coverage:#}");
    for gap in ["not_unwound", "unresolved_frames", "torn"] {
        assert_eq!(count(gap), 0, "{coverage:#}");
    }
}

/// The one finding: goroutines that wait in `publish` at the send that nobody receives.
fn finds_the_send(report: &Value, function: &str, file: &str) {
    let findings = report["findings"].as_array().expect("findings");
    let [finding] = findings.as_slice() else { panic!("one cause is one finding: {findings:#?}") };
    assert_eq!(finding["class"], "channel-send", "{finding:#}");
    assert!(finding["verdict"] == "proven" || finding["verdict"] == "likely", "{finding:#}");
    let cause = &finding["caused_at"];
    assert_eq!(cause["function"], function, "{finding:#}");
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/targets")).join(file);
    let text = fs::read_to_string(source).expect("its source");
    let line = text.lines().position(|line| line.trim() == "events <- 1").expect("a send") + 1;
    assert!(cause["file"].as_str().expect("a file").ends_with(file), "{finding:#}");
    assert_eq!(cause["line"], line, "{finding:#}");
}

fn plugin_of(version: &str) -> PathBuf {
    target::path(version, "plugin", "plugin").expect("the plugin")
}

const IN_PLUGIN: &str = "example.org/leak-agent/targets/plugin.publish";

fn plugin_that_leaks(version: &str) {
    let plugin = plugin_of(version);
    let target = Target::start_with(version, "cgo-external", "plugged", &[plugin]).expect("target");
    all_are_read(&json(&check(target.pid(), &[])));
    let report = analyze(target.pid(), &[]);
    all_are_read(&report);
    finds_the_send(&report, IN_PLUGIN, "plugin/main.go");
}

#[test]
fn a_plugin_that_leaks_go1_21() {
    plugin_that_leaks(OLDEST);
}

#[test]
fn a_plugin_that_leaks_go1_26() {
    plugin_that_leaks("1.26.6");
}

#[test]
fn a_plugin_that_leaks_go1_27() {
    plugin_that_leaks(NEWEST);
}

/// Each sample reads what was loaded before it.
fn plugin_loaded_later(version: &str) {
    let mut target = Target::start(version, "cgo-external", "plugged").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let waiting = |attach: &mut Attach| {
        let seen = attach.next().expect("observation");
        assert_eq!(seen.coverage.not_unwound, 0, "{:?}", seen.coverage);
        assert_eq!(seen.coverage.unresolved_frames, 0, "{:?}", seen.coverage);
        let is_there = |it: &&Goroutine| {
            let frames = it.stack.id().map_or(&[][..], |id| seen.stacks.frames_of(id));
            let is_in = |&frame| seen.stacks.lookup(frame).is_ok_and(|it| it.function == IN_PLUGIN);
            frames.iter().any(is_in)
        };
        seen.goroutines.iter().filter(is_there).count()
    };
    assert_eq!(waiting(&mut attach), 0);
    let plugin = plugin_of(version);
    target.command(&format!("load {}", plugin.display())).expect("it is loaded");
    thread::sleep(Duration::from_millis(500));
    assert!(waiting(&mut attach) >= 2);
}

#[test]
fn a_plugin_that_is_loaded_after_the_attach_go1_21() {
    plugin_loaded_later(OLDEST);
}

#[test]
fn a_plugin_that_is_loaded_after_the_attach_go1_27() {
    plugin_loaded_later(NEWEST);
}

/// Probes in the program miss what its plugins do: from then on there are none, and that is said.
#[test]
fn a_plugin_that_is_loaded_while_probes_count() {
    let mut target = Target::start(NEWEST, "cgo-external", "plugged").expect("target");
    let pid = target.pid();
    let report = thread::scope(|scope| {
        let report = scope.spawn(|| analyze(pid, &[]));
        thread::sleep(Duration::from_secs(3));
        let plugin = plugin_of(NEWEST);
        target.command(&format!("load {}", plugin.display())).expect("it is loaded");
        report.join().expect("a report")
    });
    all_are_read(&report);
    let probes = report["coverage"]["probes"].as_array().expect("probes");
    assert!(!probes.is_empty(), "{report:#}");
    for probe in probes {
        assert_eq!(probe["state"], "unavailable", "{probe:#}");
        let reason = probe["reason"].as_str().expect("a reason");
        assert!(reason.contains("plugins are loaded"), "{reason}");
    }
    assert_eq!(report["totals"]["rates_exact"], false, "{:#}", report["totals"]);
    let groups = report["groups"].to_string();
    assert!(groups.contains(IN_PLUGIN), "{groups}");
}

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it was this test's");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The library of a Go version under a name.
fn library(version: &str, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let built = target::path(version, "c-shared", "library").expect("the library");
    fs::copy(built, &path).expect("a copy");
    path
}

fn host(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/targets/library/hosts")).join(name)
}

/// What `--list` says of a process: each library with its Go.
fn listed(pid: u32) -> Vec<(String, String)> {
    let listing = json(&agent::run(&["--list", "--format", "json"]).expect("agent"));
    let processes = listing["processes"].as_array().expect("processes");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = processes.iter().filter(|process| process["pid"] == pid);
    let mut own: Vec<_> = own.map(|it| (text(&it["library"]), text(&it["go_version"]))).collect();
    own.sort();
    own
}

fn in_a_c_program(version: &str) {
    let folder = folder(&format!("c-{version}"));
    let library = library(version, &folder, "libmail.so");
    let program = folder.join("host");
    let mut compiler = Command::new("cc");
    compiler.arg("-o").arg(&program).arg(host("host.c")).arg(&library);
    let compiled = compiler.output().expect("cc: install gcc, which the Go targets take too");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let target = Target::start_command(&mut Command::new(&program)).expect("target");
    assert_eq!(listed(target.pid()), [("libmail.so".to_owned(), format!("go{version}"))]);
    all_are_read(&json(&check(target.pid(), &[])));
    let report = analyze(target.pid(), &[]);
    assert_eq!(report["target"]["exe"], "host/libmail.so");
    assert_eq!(report["target"]["go_version"], format!("go{version}"));
    all_are_read(&report);
    finds_the_send(&report, "main.publish", "library/main.go");
}

#[test]
fn a_library_in_a_c_program_go1_21() {
    in_a_c_program(OLDEST);
}

#[test]
fn a_library_in_a_c_program_go1_26() {
    in_a_c_program("1.26.6");
}

#[test]
fn a_library_in_a_c_program_go1_27() {
    in_a_c_program(NEWEST);
}

/// Python with these libraries; `None` where there is no Python.
fn python(libraries: &[PathBuf]) -> Option<Target> {
    let asked = Command::new("python3").args(["-c", "import ctypes"]).output();
    if !asked.is_ok_and(|it| it.status.success()) {
        leak_agent_tests::skip("there is no python3 with ctypes here (apt-get install python3)");
        return None;
    }
    let mut python = Command::new("python3");
    python.arg(host("host.py")).args(libraries);
    Some(Target::start_command(&mut python).expect("target"))
}

#[test]
fn two_libraries_of_different_go_in_one_python() {
    let folder = folder("two");
    let versions = [("libmail.so", NEWEST), ("libqueue.so", OLDEST)];
    let libraries = versions.map(|(name, version)| library(version, &folder, name));
    let Some(target) = python(&libraries) else { return };
    let expected = versions.map(|(name, version)| (name.to_owned(), format!("go{version}")));
    assert_eq!(listed(target.pid()), expected);

    let report = json(&check(target.pid(), &["--object", "libqueue.so"]));
    assert_eq!(report["target"]["go_version"], format!("go{OLDEST}"));
    all_are_read(&report);
    let path = libraries[0].to_str().expect("UTF-8");
    let report = json(&check(target.pid(), &["--object", path]));
    assert_eq!(report["target"]["go_version"], format!("go{NEWEST}"));

    let wrong = check(target.pid(), &["--object", "libnone.so"]);
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(3), "{text}");
    assert!(text.contains("no Go runtime in a file called libnone.so"), "{text}");
    assert!(text.contains("--list"), "{text}");

    let reports = analyze(target.pid(), &[]);
    let reports = reports.as_array().expect("a report for each");
    let mut seen: Vec<_> = reports.iter().map(|it| it["target"]["go_version"].clone()).collect();
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, [format!("go{OLDEST}"), format!("go{NEWEST}")]);
    for report in reports {
        all_are_read(report);
        finds_the_send(report, "main.publish", "library/main.go");
    }
}

#[test]
fn what_is_saved_of_two_libraries_is_read_again() {
    let folder = folder("saved");
    let libraries = ["libmail.so", "libqueue.so"].map(|name| library(NEWEST, &folder, name));
    let Some(target) = python(&libraries) else { return };
    let kept = folder.join("kept");
    let kept = kept.to_str().expect("UTF-8");
    let count = |reports: &Value| reports.as_array().expect("a report for each").len();
    assert_eq!(count(&json(&check(target.pid(), &["--save", kept]))), 2);
    let again = agent::run(&["check", "--input", kept, "--format", "json"]).expect("agent");
    let again = json(&again);
    assert_eq!(count(&again), 2);
    let mut names: Vec<_> = again
        .as_array()
        .expect("reports")
        .iter()
        .map(|it| it["target"]["exe"].to_string())
        .collect();
    names.sort();
    for (name, library) in names.iter().zip(["/libmail.so\"", "/libqueue.so\""]) {
        assert!(name.ends_with(library), "{names:?}");
    }
}

/// A program whose build information a tool took away.
fn without_build_information(version: &str, mode: &str, tool: &str) {
    let folder = folder(&format!("{tool}-{version}-{mode}"));
    let program = folder.join("states");
    let mut command = Command::new(tool);
    command.args(["-R", ".go.buildinfo"]);
    // objcopy takes the output as its second file, strip behind a flag.
    if tool == "strip" {
        command.arg("-o").arg(&program);
    }
    command.arg(target::path(version, mode, "states").expect("target"));
    if tool != "strip" {
        command.arg(&program);
    }
    let made = command.output().expect("strip and objcopy: install binutils, as gcc does");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let target = Target::start_at(program, &[] as &[&str]).expect("target");
    assert_eq!(listed(target.pid()), [(String::new(), format!("go{version}"))]);
    let report = json(&check(target.pid(), &[]));
    assert_eq!(report["target"]["go_version"], format!("go{version}"));
    all_are_read(&report);
    assert!(report["coverage"]["goroutines_seen"].as_u64() > Some(50), "{report:#}");
}

#[test]
fn build_information_that_was_stripped_away() {
    for version in [OLDEST, "1.26.6", NEWEST] {
        without_build_information(version, "exe", "strip");
    }
    without_build_information(NEWEST, "stripped", "objcopy");
    without_build_information(OLDEST, "pie", "objcopy");
}
