//! Nothing that the agent does, and no way in which it can die, harms the target.
#![allow(clippy::expect_used)]

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use leak_agent::collect::Source;
use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::{Target, agent, each_version, target::until_all_parts_went_on};

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

/// How often the agent is killed in each version.
const DEATHS: u64 = 15;

fn survives_the_death_of_the_agent(version: &str) {
    let agent = agent::binary().expect("agent");
    let mut target = Target::start(version, "exe", "stress").expect("target");
    // The same moments in each run, so that a failure comes back; spread by a multiplicative hash.
    for death in 1..=DEATHS {
        let moment = Duration::from_micros(death.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 250_000);
        let mut child = Command::new(&agent)
            .args(["--pid", &target.pid().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("agent");
        thread::sleep(moment);
        assert!(child.try_wait().expect("wait").is_none(), "the agent ended by itself");
        child.kill().expect("kill");
        child.wait().expect("wait");
    }
    assert_well(&mut target);
}

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
