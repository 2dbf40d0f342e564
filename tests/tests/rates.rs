//! Creations and exits a second: counted throughout, counted in bursts, and of a program that executes
//! itself anew.
#![allow(clippy::expect_used)]

use std::thread;
use std::time::{Duration, Instant};

use leak_agent::collect::attach::{Attach, Options, Probing};
use leak_agent::model::{Observation, ProbeEvent, ProbeSpell, ProbeState, RateBasis};
use leak_agent_tests::Observe;
use leak_agent_tests::Target;
use leak_agent_tests::code::Code;
use leak_agent_tests::probed::breakpoints;

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(90);

fn attach(target: &Target, probes: Probing) -> Attach {
    let mut options = Options::default();
    options.probes = probes;
    Attach::open(target.pid(), &options).expect("attach")
}

/// Looks until something is seen.
fn until(attach: &mut Attach, what: &str, mut is: impl FnMut(&Observation) -> bool) -> Observation {
    let start = Instant::now();
    loop {
        match attach.next() {
            Ok(seen) if is(&seen) => return seen,
            Ok(seen) => assert!(start.elapsed() < PATIENCE, "never {what}: {:?}", seen.coverage),
            Err(error) => {
                assert!(error.is_passing() && start.elapsed() < PATIENCE, "not {what}: {error}");
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// How many bursts of the creation probe are over. They may be shorter than it takes to look.
fn bursts(seen: &Observation) -> usize {
    let probe = seen.coverage.probes.iter().find(|probe| probe.event == ProbeEvent::Create);
    let spells = &probe.expect("every probe is accounted for").history;
    let is_over =
        |spell: &&ProbeSpell| spell.state == ProbeState::Burst && spell.until_seconds.is_some();
    spells.iter().filter(is_over).count()
}

/// A target that creates more than the budget lets be counted: what a burst counted stays known, and
/// marked for what it is, in between.
fn what_bursts_counted_is_an_estimate(version: &str) {
    let mut target = Target::start(version, "exe", "churn").expect("target");
    let start = Instant::now();
    target.command("flow 4000").expect("flow");
    let mut attach = attach(&target, Probing::Auto);
    let mut estimated = false;
    let seen = until(&mut attach, "seen in bursts", |seen| {
        let Some(rates) = seen.rates_so_far else { return false };
        // Never back to what snapshots see, and never called exact again.
        assert!(!estimated || rates.basis == RateBasis::Estimate, "{rates:?}");
        estimated |= rates.basis == RateBasis::Estimate;
        let recent = seen.rates.expect("as well known");
        assert!(!estimated || recent.basis == RateBasis::Estimate, "{recent:?}");
        estimated && bursts(seen) >= 2
    });
    let created: f64 = {
        let said = target.command("stop").expect("stop");
        said.rsplit('=').next().and_then(|count| count.parse().ok()).expect("a number")
    };
    let truth = created / start.elapsed().as_secs_f64();
    let rates = seen.rates_so_far.expect("estimated");
    // The machine may be busy: the rate itself may not be steady.
    let near = |rate: f64| rate > truth / 2.0 && rate < truth * 2.0;
    assert!(near(rates.created_per_second), "{rates:?}, in truth {truth}");
    assert!(near(rates.exited_per_second), "{rates:?}, in truth {truth}");
    let (low, high) = rates.created_interval.expect("an estimate has one");
    assert!(low < rates.created_per_second && rates.created_per_second < high, "{rates:?}");
    let sites = seen.sites.iter().filter_map(|site| site.rate());
    let here = sites.max_by(|a, b| a.per_second.total_cmp(&b.per_second)).expect("a site");
    assert_eq!(here.basis, RateBasis::Estimate);
    assert!(near(here.per_second), "{here:?}, in truth {truth}");
}

/// The same process and executable, and yet another program: it is seen from its own beginning, with
/// probes of its own.
fn a_program_that_executes_itself_anew_is_another(version: &str) {
    let mut target = Target::start_with(version, "exe", "again", &["50"]).expect("target");
    let code = Code::read(target.path()).expect("code");
    let mut attach = attach(&target, Probing::All);
    let counted = |seen: &Observation| {
        seen.coverage.probes.len() == 5
            && seen.coverage.probes.iter().all(|probe| probe.state == ProbeState::Attached)
            && seen.rates_so_far.is_some_and(|rates| {
                rates.basis == RateBasis::Exact && rates.created_per_second > 1.0
            })
    };
    let before = until(&mut attach, "counted", counted);
    assert_eq!(before.target.id.generation, 0);
    for generation in 1..=2 {
        // The process is older than that.
        thread::sleep(Duration::from_secs(2));
        let since = Instant::now();
        target.renew("again").expect("READY again");
        let mut first = true;
        let seen = until(&mut attach, "counted anew", |seen| {
            assert_eq!(seen.target.id.generation, generation);
            assert_eq!(seen.rates_so_far.is_none(), first, "{:?}", seen.rates_so_far);
            assert!(!first || seen.elapsed.is_zero());
            let age = seen.uptime.expect("the host tells");
            assert!(age < since.elapsed() + Duration::from_secs(1), "of the process, not of it");
            first = false;
            counted(seen)
        });
        let rates = seen.rates.expect("counted");
        assert_eq!(rates.basis, RateBasis::Exact);
        let sites = seen.sites.iter().filter(|site| site.created > 0);
        let names: Vec<_> = sites
            .filter_map(|site| Some(seen.stacks.lookup(site.created_by?).ok()?.function.to_owned()))
            .collect();
        assert!(names.iter().any(|name| name == "main.forget"), "{names:?}");
    }
    assert_eq!(breakpoints(&target, &code).expect("breakpoints").len(), 5);
    drop(attach);
    let left = breakpoints(&target, &code).expect("breakpoints");
    assert!(left.is_empty(), "left behind: {left:x?}");
}

/// A program that is none of Go's cannot be read, which is said and is not the end of the process.
fn what_cannot_be_read_is_said(version: &str) {
    let mut target = Target::start_with(version, "exe", "again", &["50"]).expect("target");
    let mut attach = attach(&target, Probing::Off);
    attach.next().expect("a sample");
    target.send("again /bin/sleep").expect("sent");
    let start = Instant::now();
    let error = loop {
        match attach.next() {
            Err(error) if !error.is_passing() => break error,
            seen => assert!(start.elapsed() < PATIENCE, "{seen:?}"),
        }
        thread::sleep(Duration::from_millis(200));
    };
    let why = std::error::Error::source(&error).expect("a reason").to_string();
    assert!(why.contains("not a Go program"), "{why}");
}

macro_rules! versions {
    ($($check:ident)*) => {
        $(mod $check {
            #[test]
            fn go1_21() {
                super::$check("1.21.13");
            }

            #[test]
            fn go1_27() {
                super::$check("1.27.3");
            }
        })*
    };
}

versions!(
    what_bursts_counted_is_an_estimate
    a_program_that_executes_itself_anew_is_another
    what_cannot_be_read_is_said
);
