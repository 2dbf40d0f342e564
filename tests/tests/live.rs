//! Snapshots and probes together: what only an eye on every event knows, within its budget.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::attach::{Attach, Options, Probing};
use leak_agent::model::{BlockedBasis, Observation, ProbeEvent, ProbeReason, ProbeState, Site};
use leak_agent_tests::Observe;
use leak_agent_tests::code::Code;
use leak_agent_tests::holders::Holders;
use leak_agent_tests::probed::{Instructions, breakpoints};
use leak_agent_tests::{Target, agent, each_version};
use nix::sys::signal::{self, Signal};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

each_version!(times_are_exact);
each_version!(goroutines_between_looks_are_counted);
each_version!(a_busy_probe_is_shed);
each_version!(lost_probes_are_missed);

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

fn attach(target: &Target, probes: Probing) -> Attach {
    let mut options = Options::default();
    options.probes = probes;
    Attach::open(target.pid(), &options).expect("attach")
}

fn state(seen: &Observation, event: &str) -> ProbeState {
    let probe = seen.coverage.probes.iter().find(|probe| probe.event.name() == event);
    probe.expect("every probe is accounted for").state
}

/// Looks until something is seen.
fn until(attach: &mut Attach, what: &str, mut is: impl FnMut(&Observation) -> bool) -> Observation {
    let start = Instant::now();
    loop {
        let seen = attach.next().expect("observation");
        if is(&seen) {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "never {what}: {:?}", seen.coverage);
        thread::sleep(Duration::from_millis(50));
    }
}

fn all_attached(seen: &Observation) -> bool {
    seen.coverage.probes.len() == 5
        && seen.coverage.probes.iter().all(|probe| probe.state == ProbeState::Attached)
}

fn number(text: &str) -> u64 {
    text.rsplit('=').next().and_then(|it| it.parse().ok()).expect("a number")
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock").into()
}

/// Goroutines that are created and park while they are watched: since when, to the moment, and by
/// whom, to the last caller.
fn times_are_exact(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    let mut attach = attach(&target, Probing::Auto);
    until(&mut attach, "attached", all_attached);
    let before = now();
    let ids = target.command("leak 20").expect("leak");
    let after = now();
    let ids: Vec<u64> = ids.split(' ').skip(1).map(number).collect();
    let start = now();
    let seen = attach.next().expect("observation");
    let end = now();
    assert!(all_attached(&seen), "{:?}", seen.coverage);
    for id in &ids {
        let held = seen.goroutines.iter().find(|goroutine| goroutine.is(*id));
        let held = held.expect("it is held");
        let blocked = held.blocked.expect("it is blocked");
        assert_eq!(blocked.basis, BlockedBasis::Probe, "{held:?}");
        let age = held.age.expect("its creation was seen");
        assert!(age >= blocked.duration, "{held:?}");
        // The moment of the observation lies between `start` and `end`.
        assert!(end - age >= before && start - blocked.duration <= after, "{held:?}");
    }
    let site = site_in(&seen, "main.twig");
    assert_eq!((site.created, site.exited), (ids.len() as u64, 0), "{site:?}");
    let stack = site.creation_stack.expect("the creator's stack");
    let names: Vec<&str> = seen
        .stacks
        .frames_of(stack)
        .iter()
        .map(|frame| seen.stacks.lookup(*frame).expect("a name").function)
        .collect();
    assert_eq!(names[..3], ["main.twig", "main.branch", "main.trunk"], "{names:?}");
}

fn site_in<'a>(seen: &'a Observation, function: &str) -> &'a Site {
    let name = |site: &Site| seen.stacks.lookup(site.created_by?).ok().map(|frame| frame.function);
    let site = seen.sites.iter().find(|site| name(site) == Some(function));
    site.expect("the creation site was seen")
}

/// All of them are counted, though a sample sees but a few.
fn goroutines_between_looks_are_counted(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    let mut attach = attach(&target, Probing::All);
    until(&mut attach, "attached", all_attached);
    target.command("start 2").expect("start");
    thread::sleep(Duration::from_millis(300));
    let busy = attach.next().expect("observation");
    let created = number(&target.command("stop").expect("stop"));
    let seen = attach.next().expect("observation");
    assert!(all_attached(&seen), "{:?}", seen.coverage);
    assert_eq!(seen.coverage.events_dropped, 0, "{:?}", seen.coverage);
    let rates = busy.rates.expect("rates");
    assert!(rates.created_per_second > 0.0 && rates.exited_per_second > 0.0, "{rates:?}");
    let of = |site: &&Site| {
        let frame = site.created_by.and_then(|site| seen.stacks.lookup(site).ok());
        frame.is_some_and(|frame| frame.function == "main.createUntil")
    };
    let sites: Vec<&Site> = seen.sites.iter().filter(of).collect();
    let (came, went) =
        sites.iter().fold((0, 0), |(c, e), site| (c + site.created, e + site.exited));
    assert_eq!((came, went), (created, created), "{sites:?}");
    assert!(sites.iter().all(|site| site.median_lifetime().is_some()), "{sites:?}");
}

/// A target that parks all the time loses its park probe, says so, and is left to run.
fn a_busy_probe_is_shed(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    target.command("pingpong").expect("pingpong");
    let mut attach = attach(&target, Probing::Auto);
    let measured = |seen: &Observation| {
        let park = seen.coverage.probes.iter().find(|probe| probe.event == ProbeEvent::Park);
        matches!(park.and_then(|park| park.reason.as_ref()), Some(ProbeReason::OverBudget { .. }))
    };
    let seen = until(&mut attach, "shed", measured);
    assert_eq!(state(&seen, "park"), ProbeState::Shed, "{:?}", seen.coverage);
    let code = Code::read(target.path()).expect("code");
    let seen = until(&mut attach, "kept", |seen| state(seen, "create") == ProbeState::Attached);
    assert_eq!(state(&seen, "exit"), ProbeState::Attached, "{:?}", seen.coverage);
    let left = breakpoints(&target, &code).expect("breakpoints");
    assert!(left.len() < 5, "{left:?}: the park probe is still there");
    drop(attach);
    let left = breakpoints(&target, &code).expect("breakpoints");
    assert!(left.is_empty(), "left behind: {left:x?}");
}

/// Somebody ends the processes that hold the probes: that is seen, said, and no reason to stop.
fn lost_probes_are_missed(version: &str) {
    let target = Target::start(version, "exe", "churn").expect("target");
    let code = Code::read(target.path()).expect("code");
    let instructions = Instructions::of(&target, &code).expect("instructions");
    let mut agent = Command::new(agent::binary().expect("agent"))
        .args(["--pid", &target.pid().to_string(), "--probes", "all"])
        .args(["--interval", "100ms", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agent");
    // One line a sample.
    let lines = BufReader::new(agent.stderr.take().expect("stderr")).lines();
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let counting = thread::spawn(move || {
        for _ in lines.map_while(Result::ok) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let start = Instant::now();
    while instructions.probed().expect("memory").len() < 5 {
        assert!(start.elapsed() < PATIENCE, "never attached");
        thread::sleep(Duration::from_millis(5));
    }
    let go_on = |by: usize| {
        let before = looks.load(Ordering::Relaxed);
        while looks.load(Ordering::Relaxed) < before + by {
            assert!(start.elapsed() < PATIENCE, "it does not go on");
            thread::sleep(Duration::from_millis(5));
        }
    };
    // The breakpoint is there before the agent was told so; a sample that began after it was.
    go_on(2);
    let holders = Holders::of(agent.id()).expect("/proc").expect("a server");
    assert_eq!(holders.holders.len(), 5);
    // They were there before the agent's filter, which would refuse them to give this up, and to end as they should.
    let status = |pid: &str| fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let field = |pid: &str, key: &str| {
        let status = status(pid);
        status.lines().find_map(|line| line.strip_prefix(key)).expect(key).trim().to_owned()
    };
    for holder in &holders.holders {
        let holder = holder.to_string();
        assert_eq!(field(&holder, "CapPrm:"), "0000000000000000");
        assert_eq!(field(&holder, "Seccomp:"), field("self", "Seccomp:"));
    }
    for pid in holders.holders.iter().chain([&holders.server]) {
        let pid = Pid::from_raw(i32::try_from(*pid).expect("a pid"));
        signal::kill(pid, Signal::SIGKILL).expect("kill");
    }
    instructions.until_unprobed().expect("no probe");
    while !holders.are_gone() {
        assert!(start.elapsed() < PATIENCE, "{holders:?} do not end");
        thread::sleep(Duration::from_millis(5));
    }
    // The look that is under way may have begun before; the one behind it has not.
    go_on(3);
    signal::kill(Pid::from_raw(i32::try_from(agent.id()).expect("a pid")), Signal::SIGINT)
        .expect("interrupt");
    let output = agent.wait_with_output().expect("output");
    counting.join().expect("the last lines");
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let probes = report["coverage"]["probes"].as_array().expect("probes");
    assert_eq!(probes.len(), 5);
    for probe in probes {
        assert_eq!(probe["state"], "unavailable", "{probe}");
        let why = probe["reason"].as_str().expect("a reason");
        assert!(why.contains("(leak-agent-hold) was ended by somebody else"), "{why}");
    }
    assert!(report["totals"]["goroutines"].as_u64() > Some(0), "{report}");
}
