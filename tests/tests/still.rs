//! Targets that are held still for a proof: what is held does not change, the target runs on unharmed, and nothing is left
//! behind, whoever dies.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::ops::Range;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::prove::{Early, Held, How, Request, StopError, Stopper, read_in_pieces};
use leak_agent_tests::Target;
use leak_agent_tests::beside::meanwhile;
use leak_agent_tests::cgroup::Group;
use leak_agent_tests::left_behind::{copies, ensure_left_alone, holder, process, until_gone};
use leak_agent_tests::scale::times;
use leak_agent_tests::target::{self, until_all_parts_went_on};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

const VERSIONS: [&str; 4] = ["1.21.13", "1.24.11", "1.26.6", "1.27.3"];
const GO: &str = "1.26.6";
/// This machine's build of the targets.
const MODE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "exe" };
/// Whatever does not come in this time never does. So long a pause may take, too: a machine with much to do takes its time,
/// and that is not what is tested here.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(version: &str) -> Target {
    Target::start(version, MODE, "still").expect("target")
}

fn request(target: &Target, how: How) -> Request {
    let reading = Duration::ZERO;
    Request { how: Some(how), max_pause: PATIENCE, reading, ..Request::new(target.pid()) }
}

fn id(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a pid"))
}

/// Every part of the target goes on, nothing was found wrong, and nothing is left behind.
fn assert_well(target: &mut Target) {
    ensure_left_alone(target.pid()).expect("left alone");
    let before = target.alive().expect("alive");
    until_all_parts_went_on(target, &before).expect("well");
}

/// The beginnings of all memory that a process may write and shares with none: Go's heap, stacks and variables.
fn writable(pid: u32) -> Vec<Range<u64>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
    let range = |line: &str| {
        let mut words = line.split(' ');
        let (range, access) = (words.next()?, words.next()?);
        let (start, end) = range.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (number(start)?, number(end)?);
        (access == "rw-p").then_some(start..end.min(start + (2 << 20)))
    };
    maps.lines().filter_map(range).collect()
}

/// A sum of all that stands in some memory, by address.
fn sum(held: &Held, ranges: &[Range<u64>]) -> u64 {
    let total = AtomicU64::new(0);
    let each = |at: u64, bytes: &[u8]| {
        let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let sum = words.zip(at..).fold(0_u64, |sum, (word, at)| {
            sum.wrapping_add(word.wrapping_mul(at.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
        });
        total.fetch_add(sum, Ordering::Relaxed);
    };
    read_in_pieces(held.memory(), ranges, &each).expect("readable");
    total.into_inner()
}

#[test]
fn what_is_held_does_not_change_and_the_target_is_unharmed() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    for version in VERSIONS {
        let mut target = start(version);
        for how in [How::Freeze, How::Clone] {
            let mut sums = Vec::new();
            for cycle in 0..times(25, 500) {
                let held = stopper.hold(&request(&target, how)).expect("held");
                assert_eq!(held.how(), how);
                assert_eq!(held.pid() == target.pid(), how == How::Freeze);
                let threads = fs::read_dir(format!("/proc/{}/task", target.pid())).expect("tasks");
                if how == How::Freeze {
                    assert_eq!(held.threads().len(), threads.count(), "{version} {cycle}");
                }
                assert!(held.threads().iter().all(|it| it.ip != 0 && !it.words.is_empty()));
                assert!(!held.shares_files(), "kernels of today close ranges");
                if cycle % 5 == 0 {
                    let ranges = writable(held.pid());
                    let seen = sum(&held, &ranges);
                    thread::sleep(Duration::from_millis(5));
                    assert_eq!(sum(&held, &ranges), seen, "{version} {how:?} {cycle}: it changed");
                    sums.push(seen);
                }
                let ended = held.end().expect("held until now");
                assert!(!ended.left_a_zombie, "{version} {how:?} {cycle}");
                ensure_left_alone(target.pid()).expect("left alone");
            }
            // It has run on in between.
            sums.dedup();
            assert!(sums.len() > 2, "{version} {how:?}: {sums:?}");
        }
        assert_well(&mut target);
    }
}

#[test]
fn a_target_runs_while_its_copy_stands() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let held = stopper.hold(&request(&target, How::Clone)).expect("held");
    let ranges = writable(held.pid());
    let seen = sum(&held, &ranges);
    let copy = process(held.pid()).expect("it is there");
    assert_eq!((copy.state, copy.parent, copy.exit_signal), ('t', target.pid(), 0));
    // Nobody traces the target itself.
    let status = fs::read_to_string(format!("/proc/{}/status", target.pid())).expect("status");
    assert!(status.contains("TracerPid:\t0\n"), "{status}");
    let before = target.alive().expect("alive");
    until_all_parts_went_on(&mut target, &before).expect("it runs");
    assert_eq!(sum(&held, &ranges), seen, "the copy changed");
    let first = fs::read_to_string(format!("/proc/{}/oom_score_adj", held.pid())).expect("a score");
    assert_eq!(first.trim(), "1000", "where memory is short, the copy goes before the target");
    let files = fs::read_dir(format!("/proc/{}/fd", held.pid())).expect("descriptors");
    assert_eq!(files.count(), 0, "the copy has descriptors");
    drop(held);
    assert_well(&mut target);
}

/// Kibibytes of a process's memory of one kind, over all of its mappings.
fn memory_of(pid: u32, kind: &str) -> u64 {
    let all = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
    let line = all.lines().find_map(|line| line.strip_prefix(kind)).expect("the kind");
    line.trim_matches([':', ' ', 'k', 'B']).parse().expect("a number")
}

/// The kernel makes pages of their own for a copy where it must: those are clean, for nobody wrote to them. The target is
/// what its memory is counted for.
#[test]
fn to_read_a_copy_takes_no_memory() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let held = stopper.hold(&request(&target, How::Clone)).expect("held");
    let before = memory_of(held.pid(), "Private_Clean");
    sum(&held, &writable(held.pid()));
    let (more, all) =
        (memory_of(held.pid(), "Private_Clean") - before, memory_of(held.pid(), "Anonymous"));
    assert!(all > 1024, "only {all} KiB were there to be read");
    assert!(more < all / 8, "{more} KiB more for {all} KiB");
    drop(held);
    assert_well(&mut target);
}

#[test]
fn connections_end_when_they_are_closed_though_a_copy_stands() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let address = target.command("listen").expect("an address");
    let connect = || {
        let mut connection = TcpStream::connect(&address).expect("connected");
        connection.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut greeting = [0; 5];
        connection.read_exact(&mut greeting).expect("greeted");
        connection
    };
    // Closed by the target, and by its end.
    let (mut closed, mut left) = (connect(), None);
    for is_last in [false, true] {
        let held = stopper.hold(&request(&target, How::Clone)).expect("held");
        if is_last {
            kill(id(target.pid()), Signal::SIGKILL).expect("killed");
            let mut connection: TcpStream = left.take().expect("connected");
            // The kernel may also say that it was reset.
            let end = connection.read(&mut [0; 1]);
            assert!(
                matches!(end, Ok(0))
                    || end.is_err_and(|it| it.kind() == std::io::ErrorKind::ConnectionReset)
            );
            held.end().expect("what was copied stands for itself");
        } else {
            // It may not be accepted yet.
            while target.command("hangup").expect("hung up") == "0" {}
            assert_eq!(closed.read(&mut [0; 1]).expect("an end, and no time out"), 0);
            assert!(process(held.pid()).is_some_and(|it| it.state == 't'), "the copy stands still");
            left = Some(connect());
        }
    }
}

#[test]
fn a_freeze_ends_when_it_has_taken_as_long_as_it_may() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let brief = Request { max_pause: Duration::from_millis(300), ..request(&target, How::Freeze) };
    let held = stopper.hold(&brief).expect("held");
    let before = target.alive();
    // It answers again before anybody lets it go.
    before.expect("alive");
    let late = held.end().expect_err("it was let go before");
    assert!(matches!(late, StopError::LetGo { why: Early::Late }), "{late}");
    assert_well(&mut target);
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_done() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let hold = |target: &Target, how| stopper.hold(&request(target, how));

    let mut target = start(GO);
    ptrace::seize(id(target.pid()), ptrace::Options::empty()).expect("traced");
    for how in [How::Clone, How::Freeze] {
        let error = hold(&target, how).expect_err("traced");
        assert!(matches!(error, StopError::Traced { tracer, .. } if tracer > 0), "{error}");
    }
    ptrace::interrupt(id(target.pid())).expect("interrupted");
    // Where a signal came first, it must not be lost.
    let signal = match waitpid(id(target.pid()), None).expect("it stands") {
        WaitStatus::Stopped(_, signal) => Some(signal),
        _ => None,
    };
    ptrace::detach(id(target.pid()), signal).expect("let go");
    assert_well(&mut target);

    // A stopped one is held as it stands, and is still stopped after it.
    kill(id(target.pid()), Signal::SIGSTOP).expect("stopped");
    while process(target.pid()).is_some_and(|it| it.state != 'T') {}
    let error = hold(&target, How::Clone).expect_err("stopped");
    assert!(matches!(error, StopError::Stopped { .. }), "{error}");
    let either = Request { how: None, ..request(&target, How::Clone) };
    let held = stopper.hold(&either).expect("held as it stands");
    assert_eq!(held.how(), How::Freeze);
    assert!(matches!(held.not_cloned(), Some(StopError::Stopped { .. })));
    held.end().expect("held");
    while process(target.pid()).is_some_and(|it| it.state != 'T') {}
    kill(id(target.pid()), Signal::SIGCONT).expect("continued");
    while process(target.pid()).is_some_and(|it| it.state == 'T') {}
    assert_well(&mut target);

    let patient = Request { reading: PATIENCE, max_pause: Duration::from_millis(20), ..either };
    let error = stopper.hold(&Request { how: Some(How::Freeze), ..patient }).expect_err("long");
    assert!(matches!(error, StopError::TooLong { how: How::Freeze, .. }), "{error}");

    let gone = target.pid();
    drop(target);
    let error = stopper.hold(&Request::new(gone)).expect_err("gone");
    assert!(matches!(error, StopError::Gone { .. }), "{error}");
}

#[test]
fn a_target_with_a_filter_is_left_alone() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let program = target::path(GO, MODE, "still").expect("built");
    let filtered = env!("CARGO_BIN_EXE_without_bpf");
    let args = ["1".into(), program.into_os_string()];
    let mut target = Target::start_at(filtered.into(), &args).expect("target");
    for how in [Some(How::Clone), Some(How::Freeze), None] {
        let asked = Request { how, ..request(&target, How::Clone) };
        let error = stopper.hold(&asked).expect_err("filtered");
        assert!(matches!(error, StopError::Filtered { .. }), "{how:?}: {error}");
    }
    assert_well(&mut target);
}

#[test]
fn a_target_that_can_start_few_processes_is_not_cloned() {
    let Some(group) = Group::with("pids.max") else {
        return leak_agent_tests::skip("no control group limits processes here");
    };
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    group.take_in(target.pid()).expect("moved");
    group.write("pids.max", "60").expect("limited");
    let error = stopper.hold(&request(&target, How::Clone)).expect_err("few");
    assert!(matches!(error, StopError::FewProcesses { .. }), "{error}");
    group.write("pids.max", "max").expect("unlimited");
    stopper.hold(&request(&target, How::Clone)).expect("held").end().expect("held");
    assert_well(&mut target);
}

#[test]
fn a_target_that_is_replaced_while_its_copy_stands_is_left_clean() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    for _ in 0..3 {
        let held = stopper.hold(&request(&target, How::Clone)).expect("held");
        target.renew("exec").expect("another");
        let ended = held.end().expect("what was copied stands for itself");
        assert!(!ended.left_a_zombie);
        assert_eq!(copies(target.pid()).expect("/proc"), []);
        assert_well(&mut target);
    }
}

#[test]
fn a_target_is_replaced_whatever_is_held_of_it_then() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let brief = Request { max_pause: Duration::from_millis(200), ..request(&target, How::Freeze) };
    let mut ways = [How::Freeze, How::Clone].into_iter().cycle();
    let again = || {
        // What is replaced meanwhile may not be held: its threads end.
        if let Ok(held) = stopper.hold(&Request { how: ways.next(), ..brief }) {
            let _ = held.end();
        }
    };
    meanwhile(again, || {
        for _ in 0..times(30, 300) {
            target.renew("exec").expect("another");
        }
    });
    assert_well(&mut target);
}

#[test]
fn a_target_that_is_killed_while_it_stands_ends_at_once() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let target = start(GO);
    let held = stopper.hold(&request(&target, How::Freeze)).expect("held");
    kill(id(target.pid()), Signal::SIGKILL).expect("killed");
    let ends = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(id(target.pid())), ends).expect("it ends");
    // And not when it could stand no longer.
    let error = held.end().expect_err("it ended");
    assert!(matches!(error, StopError::LetGo { why: Early::TargetEnded }), "{error}");
}

#[test]
fn a_copy_that_is_killed_is_forgotten_at_once() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let held = stopper.hold(&request(&target, How::Clone)).expect("held");
    kill(id(held.pid()), Signal::SIGKILL).expect("killed");
    // Nobody has let it go.
    let start = Instant::now();
    while !copies(target.pid()).expect("/proc").is_empty() {
        assert!(start.elapsed() < PATIENCE, "the copy is still there");
        thread::sleep(Duration::from_millis(1));
    }
    let error = held.end().expect_err("it is gone");
    assert!(matches!(error, StopError::LetGo { why: Early::CopyEnded }), "{error}");
    assert_well(&mut target);
}

#[test]
fn a_target_goes_on_though_who_holds_it_is_stopped() {
    let stopper = Stopper::start(PATIENCE).expect("started");
    let mut target = start(GO);
    let brief = Request { max_pause: Duration::from_millis(300), ..request(&target, How::Freeze) };
    let held = stopper.hold(&brief).expect("held");
    // Unless it is so late already that it has let it go.
    if let Some(holder) = holder(stopper.pid()) {
        // Or just now.
        let _ = kill(id(holder), Signal::SIGSTOP);
    }
    target.alive().expect("it goes on");
    let error = held.end().expect_err("it was let go");
    assert!(matches!(error, StopError::LetGo { why: Early::Late }), "{error}");
    assert_well(&mut target);
}

/// An agent that holds a target again and again, with the process that does it for it.
struct Holding {
    agent: Child,
    stopper: u32,
    says: BufReader<ChildStdout>,
}

impl Holding {
    fn start(target: u32, how: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hold_still"));
        command.args([&target.to_string(), how]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut agent = target::start(&mut command).expect("agent");
        let mut says = BufReader::new(agent.stdout.take().expect("stdout"));
        let mut line = String::new();
        says.read_line(&mut line).expect("a line");
        let stopper = line.trim().strip_prefix("STARTED ").and_then(|pid| pid.parse().ok());
        Self { agent, stopper: stopper.expect("a pid"), says }
    }

    /// Waits until a line begins so.
    fn until(&mut self, word: &str) {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).expect("a line") > 0, "the agent has ended");
            if line.starts_with(word) {
                return;
            }
        }
    }
}

/// Whom to kill: the agent, the process that watches, the one that holds, or the last two at once.
const VICTIMS: [&str; 4] = ["agent", "stopper", "holder", "both"];

fn survives_the_death_of(victim: &str, how: &str, deaths: u64) {
    let mut target = start(GO);
    for death in 1..=deaths {
        // The same moments in each run, so that a failure comes back; spread by a multiplicative hash.
        let moment = Duration::from_micros(death.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 12_000);
        let mut holding = Holding::start(target.pid(), how);
        holding.until("HELD");
        thread::sleep(moment);
        let now = holder(holding.stopper);
        let stop = |pid: u32| kill(id(pid), Signal::SIGKILL);
        match victim {
            "agent" => stop(holding.agent.id()).expect("killed"),
            "stopper" => stop(holding.stopper).expect("killed"),
            // Between two there is none; it may end meanwhile.
            _ => {
                if let Some(holder) = now {
                    let _ = stop(holder);
                }
            }
        }
        if victim == "both" {
            stop(holding.stopper).expect("killed");
        }
        if victim == "holder" {
            // It goes on with another.
            holding.until("HELD");
        }
        let _ = holding.agent.kill();
        holding.agent.wait().expect("wait");
        until_gone(holding.stopper).expect("gone");
        if victim == "both" {
            // Nobody is left who could have the target forget its copy. But that has ended.
            let start = Instant::now();
            while copies(target.pid()).expect("/proc").iter().any(|it| it.state != 'Z') {
                assert!(start.elapsed() < PATIENCE, "a copy lives on, death {death} at {moment:?}");
                thread::sleep(Duration::from_millis(1));
            }
        } else {
            let left = ensure_left_alone(target.pid());
            left.unwrap_or_else(|error| {
                panic!("death {death} of {victim} at {moment:?}: {error:#}")
            });
        }
        let alive = target.alive();
        alive.unwrap_or_else(|error| panic!("death {death} of {victim} at {moment:?}: {error:#}"));
    }
    if victim == "both" && how == "clone" {
        // The next that holds it has it forget what was left.
        let stopper = Stopper::start(PATIENCE).expect("started");
        stopper.hold(&request(&target, How::Clone)).expect("held").end().expect("held");
        ensure_left_alone(target.pid()).expect("nothing is left of earlier ones");
    }
    let before = target.alive().expect("alive");
    until_all_parts_went_on(&mut target, &before).expect("well");
}

#[test]
fn a_target_that_is_cloned_survives_the_death_of_whoever_does_it() {
    for victim in VICTIMS {
        survives_the_death_of(victim, "clone", times(20, 250));
    }
}

#[test]
fn a_target_that_is_frozen_survives_the_death_of_whoever_does_it() {
    for victim in VICTIMS {
        survives_the_death_of(victim, "freeze", times(10, 100));
    }
}
