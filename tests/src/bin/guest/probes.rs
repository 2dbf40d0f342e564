//! Probes on this kernel and processor: what they see of a target is what it did.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use leak_agent::collect::attach::probes::{Event, Method, Site, Sizes, State};
use leak_agent::host::probes::uprobe_multi;
use leak_agent_tests::Target;
use leak_agent_tests::code::Code;
use leak_agent_tests::holders::{Holders, complaints};
use leak_agent_tests::probed::{Instructions, Probed, breakpoints};

/// Every way in which this kernel can hold a probe.
pub fn methods() -> Vec<Method> {
    if uprobe_multi().is_yes() {
        vec![Method::UprobeMulti, Method::PerfEvent]
    } else {
        vec![Method::PerfEvent]
    }
}

/// Creations, parks, exits and the creator's stack, twice over.
pub fn see_what_happens(path: &Path, method: Method) -> Result<()> {
    let mut target = Target::start_at(path.to_owned(), &[] as &[&str])?;
    let sizes = Sizes::for_goroutines(2_000);
    let mut probed = Probed::load(&target, sizes, Some(method))?;
    for round in 1..=2 {
        probed.attach_all()?;
        ensure!(breakpoints(&target, &probed.code)?.len() == 5, "not all probes are there");
        target.command("churn on")?;
        thread::sleep(Duration::from_millis(300));
        target.command("churn off")?;
        churned(&probed)?;
        target.command("spawn 20 3")?;
        spawned(&probed, &mut target, 20 * round)?;
        probed.detach_all()?;
        ensure!(breakpoints(&target, &probed.code)?.is_empty(), "probes were left behind");
    }
    let counters = probed.probes.counters()?;
    // This target opens nothing, and has no large objects.
    let not_here = [Event::Open, Event::Allocate];
    let happened = Event::ALL.iter().filter(|event| !not_here.contains(event));
    ensure!(happened.copied().all(|event| counters.hits(event) > 0), "{counters:?}");
    ensure!(counters.bad_reads + counters.lost_stacks == 0, "{counters:?}");
    Ok(())
}

/// The agent is killed at any moment, and its probes go with it.
pub fn go_with_the_agent(path: &Path) -> Result<()> {
    const DEATHS: u64 = 8;
    let target = Target::start_at(path.to_owned(), &[] as &[&str])?;
    let instructions = Instructions::of(&target, &Code::read(path)?)?;
    for death in 1..=DEATHS {
        let mut agent = Command::new("leak-agent")
            .args(["--pid", &target.pid().to_string(), "--probes", "all"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the agent")?;
        // Emulated, all of this takes long: some die at their start, the others while they attach
        // the rest of their probes, or have all.
        if death % 4 != 0 {
            while instructions.probed()?.is_empty() {
                ensure!(agent.try_wait()?.is_none(), "the agent ended by itself");
                thread::sleep(Duration::from_millis(1));
            }
        }
        thread::sleep(Duration::from_millis(death * 13 % 50));
        let holders = Holders::of(agent.id())?;
        agent.kill()?;
        agent.wait()?;
        instructions.until_unprobed()?;
        for _ in 0..1000 {
            if holders.as_ref().is_none_or(Holders::are_gone) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        ensure!(holders.as_ref().is_none_or(Holders::are_gone), "{holders:?} are left behind");
    }
    let complaints = complaints();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

const CONTROL: &str = "example.org/leak-agent/targets/internal/control";

/// All that were created have ended, or do so now.
fn churned(probed: &Probed) -> Result<()> {
    let mut site = None;
    for _ in 0..500 {
        let sites = probed.sites_in(&format!("{CONTROL}.churnUntil"))?;
        site = sites.into_iter().next();
        if site.is_some_and(|site: Site| site.created > 0 && site.created == site.exited) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(anyhow::anyhow!("goroutines do not end: {site:?}"))
}

/// As many as were asked for live, parked, and are who the target says they are.
fn spawned(probed: &Probed, target: &mut Target, count: u64) -> Result<()> {
    let sites = probed.sites_in(&format!("{CONTROL}.spawn"))?;
    let site = sites.first().context("no site")?;
    ensure!((site.created, site.exited) == (count, 0), "{site:?}");
    let names: Vec<String> =
        site.creator().iter().map(|pc| probed.code.name_of(*pc)).collect::<Result<_>>()?;
    let ends = [names.first(), names.iter().rev().nth(2), names.iter().rev().nth(1)];
    let ends = ends.map(|name| name.map(String::as_str).unwrap_or_default());
    ensure!(ends == [&format!("{CONTROL}.spawn"), "main.main", "runtime.main"], "{names:?}");
    let dump = target.dump()?;
    for slot in probed.slots()?.iter().filter(|slot| slot.gopc == site.gopc) {
        ensure!(slot.state() == State::Parked && slot.parent == 1, "{slot:?}");
        ensure!(slot.created_ns > 0 && slot.parked_ns >= slot.created_ns, "{slot:?}");
        ensure!(
            dump.goroutines.iter().any(|goroutine| goroutine.goid == slot.goid),
            "the target has no such goroutine: {slot:?}"
        );
    }
    Ok(())
}
