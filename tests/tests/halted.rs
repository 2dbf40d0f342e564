//! Processes that do not run: stopped, traced, frozen, throttled. In none of them is anything stuck.
#![allow(clippy::expect_used)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use leak_agent::analyze::{CodeFiles, Settings, Window, judge};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{Assessment, Halt, Running};
use leak_agent_tests::Observe;
use leak_agent_tests::cgroup::Group;
use leak_agent_tests::{Target, agent};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use serde_json::Value;

/// Long enough for what stands still to be called stuck, where that is from 2 s on.
const ARGS: [&str; 7] = ["analyze", "--duration", "6s", "--stuck-after", "2s", "--format", "json"];

fn start(version: &str) -> Target {
    Target::start(version, "exe", "halted").expect("target")
}

fn id(target: &Target) -> Pid {
    Pid::from_raw(i32::try_from(target.pid()).expect("a pid"))
}

/// Lets a process go on, however the test ends: one that is frozen or traced cannot even be killed.
struct LetGo<F: FnMut()>(F);

impl<F: FnMut()> Drop for LetGo<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// What the agent says, and the code that it ends in.
fn judged(target: &Target, args: &[&str]) -> (Value, i32, String) {
    let pid = target.pid().to_string();
    let args: Vec<&str> = args.iter().copied().chain(["--pid", &pid]).collect();
    let output = agent::run(&args).expect("agent");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).expect("a report");
    (report, output.status.code().expect("it ended by itself"), told)
}

/// How the kernel says that a process runs.
fn running(target: &Target) -> Running {
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    attach.next().expect("a sample").coverage.process.expect("it is known of a process")
}

/// Checks that nothing was found, and that this is no all-clear.
fn expect_no_verdict((report, code, told): (Value, i32, String), halt: &str, says: &str) {
    assert_eq!(report["findings"], serde_json::json!([]), "{told}");
    assert_eq!(report["held"]["halt"], halt, "{}", report["held"]);
    assert_eq!((&report["held"]["always"], &report["health"]), (&true.into(), &Value::Null));
    assert!(report["held"]["reason"].as_str().is_some_and(|it| it.contains(says)), "{report}");
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("no verdict on pid") && told.contains(says), "{told}");
}

#[test]
fn a_healthy_program_that_is_stopped_has_no_leak_and_no_all_clear() {
    for version in ["1.21.13", "1.26.6"] {
        let target = start(version);
        kill(id(&target), Signal::SIGSTOP).expect("stopped");
        for args in [&ARGS[..], &["check", "--format", "json"]] {
            expect_no_verdict(judged(&target, args), "stopped", "SIGSTOP");
        }
        kill(id(&target), Signal::SIGCONT).expect("let go");
        let (report, code, told) = judged(&target, &["check", "--format", "json"]);
        assert_eq!((&report["held"], code), (&Value::Null, 0), "{told}");
    }
}

/// What 10 samples, one a second, make of a target that is stopped from the third to the seventh.
fn stopped_within(target: &Target) -> Assessment {
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let mut window = Window::default();
    for number in 0..10 {
        match number {
            3 => kill(id(target), Signal::SIGSTOP).expect("stopped"),
            7 => kill(id(target), Signal::SIGCONT).expect("let go"),
            _ => {}
        }
        window.push(&attach.next().expect("a sample"));
        thread::sleep(Duration::from_secs(1));
    }
    let mut settings = Settings::default();
    settings.thresholds.stuck_after = Duration::from_secs(2);
    judge(&window, &settings, &mut CodeFiles::default()).expect("it was sampled")
}

#[test]
fn a_stop_within_the_window_does_not_count_and_hides_no_leak() {
    let mut target = start("1.26.6");
    let assessment = stopped_within(&target);
    let held = assessment.held.expect("it was stopped");
    assert!(held.held >= Duration::from_secs(4) && !held.always, "{held:?}");
    assert_eq!(held.halt, None);
    let judgement = assessment.judgement.expect("it is judged");
    assert!(judgement.findings.is_empty(), "{:?}", judgement.findings);

    // Of goroutines that wait for good, the time in which it runs is enough.
    target.command("leak").expect("it leaks");
    let judgement = stopped_within(&target).judgement.expect("it is judged");
    let counts: Vec<u64> = judgement
        .findings
        .iter()
        .map(|finding| finding.goroutines().expect("goroutines").count)
        .collect();
    assert_eq!(counts, [20], "{:?}", judgement.findings);
}

fn threads_of(target: &Target) -> impl Iterator<Item = Pid> {
    let listed = fs::read_dir(format!("/proc/{}/task", target.pid())).expect("threads");
    let names = listed.map(|entry| entry.expect("a thread").file_name());
    names.map(|name| Pid::from_raw(name.to_string_lossy().parse().expect("an id")))
}

#[test]
fn a_tracer_stops_it_too() {
    let target = start("1.26.6");
    let threads = RefCell::new(BTreeSet::new());
    let traced = LetGo(|| {
        for &thread in &*threads.borrow() {
            ptrace::detach(thread, None).expect("let go");
        }
    });
    // One that still runs may start another.
    while let Some(thread) = threads_of(&target).find(|it| !threads.borrow().contains(it)) {
        ptrace::seize(thread, ptrace::Options::empty()).expect("traced");
        ptrace::interrupt(thread).expect("interrupted");
        waitpid(thread, None).expect("it stops");
        threads.borrow_mut().insert(thread);
    }
    assert_eq!(running(&target).halt, Some(Halt::Traced));
    expect_no_verdict(judged(&target, &["check", "--format", "json"]), "traced", "tracer");
    drop(traced);
    assert_eq!(running(&target).halt, None);
}

#[test]
fn a_control_group_freezes_it() {
    let mut tried = 0;
    for (file, freeze, thaw) in [("freezer.state", "FROZEN", "THAWED"), ("cgroup.freeze", "1", "0")]
    {
        let Some(group) = Group::with(file) else { continue };
        tried += 1;
        let target = start("1.26.6");
        group.take_in(target.pid()).expect("it moves");
        assert_eq!(running(&target).halt, None);
        let frozen = LetGo(|| group.write(file, thaw).expect("it is let go"));
        group.write(file, freeze).expect("it is frozen");
        while running(&target).halt.is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        expect_no_verdict(judged(&target, &ARGS), "frozen", "frozen by its control group");
        drop(frozen);
    }
    if tried == 0 {
        leak_agent_tests::skip("no control group with a freezer can be made here");
    }
}

#[test]
fn a_control_group_throttles_it() {
    let (v1, v2) = ("cpu.cfs_quota_us", "cpu.max");
    let Some((group, quota, none)) = Group::with(v1)
        .map(|group| (group, (v1, "1000"), (v1, "-1")))
        .or_else(|| Some((Group::with(v2)?, (v2, "1000 100000"), (v2, "max 100000"))))
    else {
        leak_agent_tests::skip("no control group with a quota of CPU can be made here");
        return;
    };
    let mut target = start("1.26.6");
    target.command("spin 1").expect("it has work to do");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    attach.next().expect("a sample");
    group.take_in(target.pid()).expect("it moves");
    group.write(quota.0, quota.1).expect("written");
    thread::sleep(Duration::from_secs(2));
    let first = attach.next().expect("a sample");
    thread::sleep(Duration::from_secs(2));
    let second = attach.next().expect("a sample");
    group.write(none.0, none.1).expect("written");
    let [first, second] = [first, second].map(|it| (it.elapsed, it.coverage.process));
    let interval = (second.0 - first.0).as_secs_f64();
    let process = second.1.expect("it is known of a process");
    let held = process.held_seconds.expect("since the sample before");
    assert_eq!(process.halt, None);
    // A hundredth of a processor for one that would use it all. The kernel's counts and the clock are read one
    // after the other.
    assert!(held > 0.8 * interval && held <= 1.01 * interval, "{held} of {interval}");
}
