//! `run`: a program that the agent starts, from its beginning to its end.
#![allow(clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use leak_agent_tests::target::path;
use leak_agent_tests::{Scratch, agent};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const GO: &str = "1.26.6";
/// `nobody`: it has no capability.
const NOBODY: u32 = 65534;

/// An agent that runs the program that leaks, whose first line was read.
struct Running {
    agent: Child,
    program: Pid,
}

impl Running {
    fn start(args: &[&str], program: &str) -> Self {
        let mut agent = Command::new(agent::binary().expect("agent"));
        agent.arg("run").args(args).args(["--", program]);
        agent.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut agent = agent.spawn().expect("it starts");
        let mut output = BufReader::new(agent.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let pid = line.trim().strip_prefix("READY ").and_then(|pid| pid.parse().ok());
        // What is written later goes nowhere; the pipe stays open.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { agent, program: Pid::from_raw(pid.expect("READY")) }
    }

    fn is_there(&self) -> bool {
        kill(self.program, None).is_ok()
    }
}

fn until(is_so: impl Fn() -> bool) -> bool {
    (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(20));
        is_so()
    })
}

fn demo() -> String {
    path(GO, "exe", "demo").expect("the target").display().to_string()
}

/// It serves commands.
fn blocked() -> String {
    path(GO, "exe", "blocked").expect("the target").display().to_string()
}

#[test]
fn a_program_that_an_ordinary_user_starts_is_judged_without_any_capability() {
    let scratch = Scratch::new("run");
    // Where that user may read and write.
    let (program, agent, report) =
        (scratch.file("demo"), scratch.file("leak-agent"), scratch.file("report.json"));
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o777)).expect("permissions");
    fs::copy(demo(), &program).expect("a copy");
    fs::copy(agent::binary().expect("agent"), &agent).expect("a copy");
    let output = Command::new(&agent)
        .args(["run", "--duration", "12s", "--format", "json", "--output", &report])
        .args(["--", &program])
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    // The program's own standard output is its own.
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let pid = said.trim().strip_prefix("READY ").and_then(|pid| pid.parse::<i32>().ok());
    let pid = pid.unwrap_or_else(|| panic!("{said}"));
    assert!(kill(Pid::from_raw(pid), None).is_err(), "it was left behind");
    let report: Value =
        serde_json::from_slice(&fs::read(&report).expect("a report")).expect("JSON");
    assert_eq!(report["target"]["pid"], pid);
    let finding = &report["findings"][0];
    // Where the kernel allows nobody but a parent to trace (Yama), nothing can be proven.
    assert!(finding["verdict"] == "proven" || finding["verdict"] == "likely", "{finding}");
    assert_eq!(finding["caused_at"]["function"], "main.(*priceList).quote.func1", "{finding}");
}

#[test]
fn a_signal_to_the_agent_ends_the_program_and_its_death_does_not() {
    let program = demo();
    let mut running = Running::start(&[], &program);
    let agent = Pid::from_raw(i32::try_from(running.agent.id()).expect("a pid"));
    thread::sleep(Duration::from_millis(1500));
    kill(agent, Signal::SIGTERM).expect("it is there");
    let status = running.agent.wait().expect("it ends");
    assert!(status.code().is_some(), "{status}");
    assert!(!running.is_there(), "it was left behind");

    let mut running = Running::start(&[], &program);
    running.agent.kill().expect("it is there");
    running.agent.wait().expect("it ends");
    thread::sleep(Duration::from_millis(500));
    assert!(running.is_there(), "it ended with the agent");
    kill(running.program, Signal::SIGKILL).expect("it is there");
    assert!(until(|| !running.is_there()), "it does not end");
}

#[test]
fn what_cannot_be_watched_runs_all_the_same() {
    let scratch = Scratch::new("run-other");
    let made = scratch.file("made");
    let script = format!("sleep 0.2; touch {made}");
    let output = agent::run(&["run", "--", "sh", "-c", &script]).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("is not watched"), "{said}");
    assert!(fs::exists(&made).expect("a folder"), "{said}");
}

#[test]
fn what_executes_a_go_program_at_last_becomes_one() {
    let output = Command::new(agent::binary().expect("agent"))
        .args(["run", "--duration", "3s", "--format", "json", "--fail-on", "never", "--"])
        .args(["sh", "-c", &format!("sleep 0.5; exec {} > /dev/null", demo())])
        .output()
        .expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["target"]["exe"], "demo", "{report}");
    assert!(output.status.success(), "{}", output.status);
}

#[test]
fn a_program_that_fails_makes_the_agent_fail() {
    let output = agent::run(&["run", "--", &blocked(), "nonsense"]).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() >= Some(3), "{} {said}", output.status);
    assert!(said.contains("usage: blocked"), "{said}");

    let output = agent::run(&["run", "--", "/nonexistent/program"]).expect("agent");
    assert_eq!(output.status.code(), Some(2));
    let output = agent::run(&["run", "--", "go", "run", "."]).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("go build"), "{said}");
    let output = agent::run(&["run"]).expect("agent");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_program_reads_what_the_agent_was_given_to_read() {
    let mut child = Command::new(agent::binary().expect("agent"))
        .args(["run", "--fail-on", "never", "--goroutines-only", "--", &blocked(), "10", "5"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    thread::sleep(Duration::from_secs(3));
    writeln!(input, "exit").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("READY ") && said.contains("OK\n"), "{said}");
    assert!(said.contains("goroutines"), "{said}");
    assert!(output.status.success(), "{} {said}", output.status);
}
