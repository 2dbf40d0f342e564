//! Nothing that the agent does, and no way in which it can die, harms the target.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::Observe;
use leak_agent_tests::code::Code;
use leak_agent_tests::holders::{Complaint, Holders, complaints};
use leak_agent_tests::probed::Instructions;
use leak_agent_tests::scale::times;
use leak_agent_tests::{Target, agent, each_version, target::until_all_parts_went_on};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

each_version!(survives_attaching_again_and_again);
each_version!(survives_the_death_of_the_agent);

/// A seventh of a thousand, and one to be sure: there are seven versions.
const CYCLES: usize = 143;

fn survives_attaching_again_and_again(version: &str) {
    let mut target = Target::start(version, "exe", "stress").expect("target");
    for cycle in 0..CYCLES {
        let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
        let seen = attach.next().expect("observation");
        assert!(seen.coverage.goroutines_read > 0, "cycle {cycle}: {:?}", seen.coverage);
    }
    assert_well(&mut target);
}

/// Killed as users kill: at any moment of its start, of its watching, and of its end.
fn survives_the_death_of_the_agent(version: &str) {
    let binary = agent::binary().expect("agent");
    let mut target = Target::start(version, "exe", "stress").expect("target");
    let code = Code::read(target.path()).expect("code");
    let instructions = Instructions::of(&target, &code).expect("instructions");
    let before = complaints();
    let (mut agents, mut servers) = (BTreeSet::new(), BTreeSet::new());
    // Two hundred over all seven versions, or in each.
    for death in 1..=times(29, 200) {
        // The same moments in each run, so that a failure comes back; spread by a multiplicative
        // hash.
        let moment = Duration::from_micros(death.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 400_000);
        // Within the budget probes come and go, which `stress` leaves little of; else they stay.
        let probes = if death % 2 == 0 { "auto" } else { "all" };
        let mut child = Command::new(&binary)
            .args(["--pid", &target.pid().to_string(), "--probes", probes])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("agent");
        agents.insert(child.id());
        if death % 4 == 1 {
            // Told to end, and killed while it takes its probes out.
            until_probed(&instructions);
            let id = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
            signal::kill(id, Signal::SIGTERM).expect("terminate");
            thread::sleep(moment / 5);
        } else {
            thread::sleep(moment);
            assert!(child.try_wait().expect("wait").is_none(), "the agent ended by itself");
        }
        let holders = Holders::of(child.id()).expect("/proc");
        child.kill().expect("kill");
        child.wait().expect("wait");
        instructions
            .until_unprobed()
            .unwrap_or_else(|error| panic!("death {death} at {moment:?}: {error:#}"));
        servers.extend(holders.as_ref().map(|holders| holders.server));
        let start = Instant::now();
        while holders.as_ref().is_some_and(|holders| !holders.are_gone()) {
            assert!(start.elapsed() < PATIENCE, "{holders:?} are left behind");
            thread::sleep(Duration::from_millis(5));
        }
    }
    assert!(servers.len() > 5, "too few were killed with probes: {servers:?}");
    assert_well(&mut target);
    let ours = |it: &Complaint| it.is_holder || agents.contains(&it.pid);
    let new = complaints().into_iter().filter(|it| ours(it) && !before.contains(it));
    assert_eq!(new.collect::<Vec<_>>(), []);
}

/// Waits for the first probe, which may be there but for a moment.
fn until_probed(instructions: &Instructions) {
    let start = Instant::now();
    while instructions.probed().expect("memory").is_empty() {
        assert!(start.elapsed() < PATIENCE, "never attached");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every part of the target goes on, nothing was found wrong, and nobody traces or stops it.
fn assert_well(target: &mut Target) {
    let before = target.alive().expect("alive");
    until_all_parts_went_on(target, &before).expect("well");
    let tasks = fs::read_dir(format!("/proc/{}/task", target.pid())).expect("tasks");
    for task in tasks {
        // A thread may end while it is looked at.
        let Ok(status) = fs::read_to_string(task.expect("task").path().join("status")) else {
            continue;
        };
        assert!(status.contains("TracerPid:\t0\n"), "{status}");
        assert!(!status.contains("State:\tT") && !status.contains("State:\tt"), "{status}");
    }
}
