//! Snapshots and probes together: what only an eye on every event knows, within its budget.
#![allow(clippy::expect_used)]

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::Source;
use leak_agent::collect::attach::{Attach, Options, Probing};
use leak_agent::model::{BlockedBasis, Observation, ProbeState, Site};
use leak_agent_tests::code::Code;
use leak_agent_tests::probed::breakpoints;
use leak_agent_tests::{Target, agent, each_version, target::until_all_parts_went_on};
use nix::time::{ClockId, clock_gettime};

each_version!(times_are_exact);
each_version!(goroutines_between_looks_are_counted);
each_version!(a_busy_probe_is_shed);
each_version!(survives_the_death_of_the_agent);

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

fn attach(target: &Target, probes: Probing) -> Attach {
    let mut options = Options::default();
    options.probes = probes;
    Attach::open(target.pid(), &options).expect("attach")
}

fn state(seen: &Observation, event: &str) -> ProbeState {
    let probe = seen.coverage.probes.iter().find(|probe| probe.event == event);
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
    seen.coverage.probes.len() == 3
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
        let held = seen.goroutines.iter().find(|goroutine| goroutine.goid == *id);
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

/// All of them are counted, though a look sees but a few.
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
        let park = seen.coverage.probes.iter().find(|probe| probe.event == "park");
        park.and_then(|park| park.reason.as_deref()).is_some_and(|why| why.contains("hits/s"))
    };
    let seen = until(&mut attach, "shed", measured);
    assert_eq!(state(&seen, "park"), ProbeState::Shed, "{:?}", seen.coverage);
    let code = Code::read(target.path()).expect("code");
    let seen = until(&mut attach, "kept", |seen| state(seen, "create") == ProbeState::Attached);
    assert_eq!(state(&seen, "exit"), ProbeState::Attached, "{:?}", seen.coverage);
    let left = breakpoints(&target, &code).expect("breakpoints");
    assert!(left.len() < 3, "{left:?}: the park probe is still there");
    drop(attach);
    let left = breakpoints(&target, &code).expect("breakpoints");
    assert!(left.is_empty(), "left behind: {left:x?}");
}

/// How often the agent is killed in each version.
const DEATHS: u64 = 5;

fn survives_the_death_of_the_agent(version: &str) {
    let agent = agent::binary().expect("agent");
    let mut target = Target::start(version, "exe", "stress").expect("target");
    let code = Code::read(target.path()).expect("code");
    for death in 1..=DEATHS {
        let mut child = Command::new(&agent)
            .args(["--pid", &target.pid().to_string(), "--probes", "all"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("agent");
        // The same moments in each run, so that a failure comes back.
        let moment = death.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 400;
        thread::sleep(Duration::from_millis(moment));
        child.kill().expect("kill");
        child.wait().expect("wait");
    }
    // The kernel takes probes out after their holder is gone.
    let start = Instant::now();
    while !breakpoints(&target, &code).expect("breakpoints").is_empty() {
        assert!(start.elapsed() < PATIENCE, "a probe was left behind");
        thread::sleep(Duration::from_millis(20));
    }
    let before = target.alive().expect("alive");
    until_all_parts_went_on(&mut target, &before).expect("well");
}
