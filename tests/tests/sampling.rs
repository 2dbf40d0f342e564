//! Allocations are sampled in a program that keeps no memory profile, as `--sample-allocations` asks for, and whatever
//! becomes of the agent or of the program: nothing stays switched on.
#![allow(clippy::expect_used)]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::attach::Options;
use leak_agent::collect::attach::sampling::Keeper;
use leak_agent::golang::Program;
use leak_agent::model::{NotSampled, Restored};
use leak_agent_tests::{Target, agent};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Nothing takes so long but what never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program without a memory profile, and its `runtime.MemProfileRate`.
struct Unprofiled {
    target: Target,
    program: Program,
    address: u64,
}

impl Unprofiled {
    fn start(version: &str, mode: &str) -> Self {
        let target = Target::start(version, mode, "heap").expect("target");
        let program = Program::attach(target.pid()).expect("attach");
        let buckets = program.buckets().expect("they are located");
        let address = buckets.switch(&program.binary().version).expect("a version that is known");
        let this = Self { target, program, address };
        assert_eq!(this.rate(), 0, "the linker has switched it off");
        this
    }

    fn rate(&self) -> u64 {
        self.program.memory().read_u64(self.address).expect("it runs")
    }

    /// As the program itself, or somebody else, would.
    fn set(&self, rate: u64) {
        let path = format!("/proc/{}/mem", self.target.pid());
        let memory = OpenOptions::new().write(true).open(path).expect("we may");
        memory.write_all_at(&rate.to_le_bytes(), self.address).expect("it is mapped");
    }

    fn agent(&self, args: &[&str]) -> Child {
        let mut agent = Command::new(agent::binary().expect("agent"));
        agent.args(args).args(["--pid", &self.target.pid().to_string()]);
        agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        agent.spawn().expect("agent")
    }

    /// `analyze`, for longer than any test takes.
    fn analyze(&self) -> Child {
        self.agent(&[
            "analyze",
            "--sample-allocations=64KiB",
            "--duration",
            "10m",
            "--probes",
            "off",
            "--walk",
            "off",
            "--format",
            "json",
        ])
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The process that sets rates for another.
fn keeper_of(pid: u32) -> Option<u32> {
    fs::read_dir("/proc").expect("/proc").flatten().find_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (id, rest) = stat.split_once(" (leak-agent-rate) ")?;
        let parent = rest.split(' ').nth(1)?;
        (parent == pid.to_string()).then(|| id.parse().ok()).flatten()
    })
}

fn report(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

fn has_note(notes: &Value, text: &str) -> bool {
    let notes = notes.as_array().expect("notes");
    notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains(text)))
}

fn a_program_without_a_profile_gets_one(version: &str, mode: &str) {
    let mut it = Unprofiled::start(version, mode);
    let args = ["memory", "--sample-allocations=4KiB", "--duration", "20s", "--format", "json"];
    let child = it.agent(&args);
    until("it is switched on", || it.rate() == 4096);
    // What collections find is published with the next but one.
    for command in ["hold 16", "collect", "collect", "collect"] {
        it.target.command(command).expect(command);
    }
    let output = child.wait_with_output().expect("agent");
    assert_eq!(it.rate(), 0, "{version}");
    let report = report(&output);
    let allocated = &report["allocated"];
    assert_eq!(allocated["rate_bytes"], 4096);
    let first = &allocated["lines"][0];
    assert_eq!(first["function"], "main.hold", "{version}: {allocated:#}");
    let bytes = first["in_use"]["bytes"].as_u64().expect("bytes");
    // Some of it is the slice that it is held in, which grows by doubling.
    assert!((13 << 20..24 << 20).contains(&bytes), "{version}: {bytes}");
    let said = "runtime.MemProfileRate was set from 0 to 4.0 KiB, and is 0 again";
    assert!(has_note(&report["notes"], said), "{version}: {:#}", report["notes"]);
    it.target.command("hold 1").expect("it goes on");
}

#[test]
fn a_program_of_go1_21_gets_a_profile() {
    a_program_without_a_profile_gets_one("1.21.13", "stripped");
}

#[test]
fn a_program_of_go1_23_gets_a_profile() {
    a_program_without_a_profile_gets_one("1.23.9", "exe");
}

#[test]
fn a_program_of_go1_27_gets_a_profile() {
    a_program_without_a_profile_gets_one("1.27.3", "stripped");
}

/// Killed at any moment of its start, of its watching, and of its end.
fn it_is_switched_off_however_the_agent_dies(version: &str) {
    let mut it = Unprofiled::start(version, "exe");
    let mut on = 0;
    for death in 1..=12_u64 {
        // The same moments in each run, spread by a multiplicative hash.
        let moment = Duration::from_micros(death.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 300_000);
        let mut child = it.analyze();
        match death % 3 {
            // Of its start.
            0 => thread::sleep(moment),
            // Of its watching, soon after the switch.
            1 => {
                until("it is switched on", || it.rate() != 0);
                thread::sleep(moment / 10);
            }
            // Of its end.
            _ => {
                until("it is switched on", || it.rate() != 0);
                let id = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
                kill(id, Signal::SIGTERM).expect("terminate");
                thread::sleep(moment / 3);
            }
        }
        on += u32::from(it.rate() != 0);
        let keeper = keeper_of(child.id());
        child.kill().expect("kill");
        child.wait().expect("wait");
        until("it is switched off", || it.rate() == 0);
        until("the keeper is gone", || {
            keeper.is_none_or(|keeper| !fs::exists(format!("/proc/{keeper}")).expect("/proc"))
        });
        assert_eq!(it.rate(), 0, "death {death} at {moment:?}");
    }
    assert!(on >= 4, "it was on at {on} deaths alone");
    it.target.command("hold 4").expect("it goes on");
    it.target.command("collect").expect("it goes on");
}

#[test]
fn it_is_switched_off_however_the_agent_dies_in_go1_21() {
    it_is_switched_off_however_the_agent_dies("1.21.13");
}

#[test]
fn it_is_switched_off_however_the_agent_dies_in_go1_27() {
    it_is_switched_off_however_the_agent_dies("1.27.3");
}

#[test]
fn a_program_that_exits_first_ends_it() {
    let it = Unprofiled::start("1.26.6", "exe");
    let child = it.analyze();
    until("it is switched on", || it.rate() == 64 << 10);
    let keeper = keeper_of(child.id()).expect("it is there");
    drop(it.target);
    let output = child.wait_with_output().expect("agent");
    let report = report(&output);
    let notes = &report["coverage"]["notes"];
    assert!(has_note(notes, "until the program ended"), "{notes:#}");
    assert!(!fs::exists(format!("/proc/{keeper}")).expect("/proc"));
}

#[test]
fn what_somebody_else_has_set_is_left_and_a_killed_keeper_is_missed() {
    let it = Unprofiled::start("1.25.5", "exe");
    let pid = it.target.pid();
    let rate = "4KiB".parse().expect("a rate");
    let keeper = Arc::new(Keeper::start().expect("it is forked"));
    let on = || keeper.switch_on(pid, &Options::default(), rate);
    let sampling = on().expect("we may");
    assert_eq!(it.rate(), 4096);
    assert_eq!(on().err(), Some(NotSampled::AlreadyOn { rate_bytes: 4096 }));
    assert_eq!(it.rate(), 4096, "that one was not set, and is not set back");
    it.set(12_345);
    assert_eq!(sampling.end(), Restored::Changed { rate: 12_345 });
    assert_eq!(it.rate(), 12_345);
    it.set(u64::MAX);
    assert_eq!(on().err(), Some(NotSampled::OffByProgram));
    assert_eq!(it.rate(), u64::MAX);
    it.set(0);
    drop(on().expect("we may"));
    assert_eq!(it.rate(), 0, "by being dropped too");
    let sampling = on().expect("we may");
    let process = keeper_of(std::process::id()).expect("it is there");
    kill(Pid::from_raw(i32::try_from(process).expect("a pid")), Signal::SIGKILL).expect("we may");
    until("it is a zombie", || {
        fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    });
    assert_eq!(sampling.end(), Restored::KeeperGone);
    assert_eq!(on().err(), Some(NotSampled::KeeperGone));
    assert_eq!(it.rate(), 4096, "nobody is there to set it back");
}

#[test]
fn it_is_asked_for_by_name_and_only_where_it_can_be() {
    for (args, said) in [
        (&["memory", "--duration", "3s"][..], "--duration needs --sample-allocations"),
        (&["check", "--sample-allocations"], "--sample-allocations"),
        (&["memory", "--sample-allocations=1"], "a size from 4KiB to 64MiB"),
        (&["analyze", "--sample-allocations", "--goroutines-only"], "memory is not looked at"),
    ] {
        let output = agent::run(&[args, &["--pid", "1"]].concat()).expect("agent");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
}
