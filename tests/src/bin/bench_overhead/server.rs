//! A net/http server with a goroutine a request, with the agent and without it, at the same time.
//!
//! A machine that is shared becomes a tenth faster or slower from one second to the next: turns of
//! one server show nothing smaller. So there are two alike, which share one processor and the load,
//! and the agent watches first the one and then the other. What disturbs one disturbs both.

use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::collect::attach::probes::Event;
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::probed::Probed;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::{CLIENTS, Clients, Served};
use crate::pair::Pair;
use crate::pingpong::table_sizes;
use crate::place::Copied;
use crate::watcher::{Watcher, cpu_of};
use crate::{Plan, place, table};

/// A turn with everything probed; and how often.
const PROBED: Duration = Duration::from_secs(1);
const CYCLES: usize = 5;
/// Requests a second where the load is not all that the server can take.
const RATES: [u32; 2] = [1_000, 5_000];

/// What is compared of a server.
#[derive(Debug, Default, Serialize)]
pub struct Load {
    /// Requests a second that were asked for of either; `None` for as many as can be.
    pub asked_per_second: Option<u32>,
    /// Requests by the second of the server's own processor time: what it would serve a second on a
    /// processor of its own.
    pub requests_per_cpu_second: Pair,
    pub p50_ms: Pair,
    pub p99_ms: Pair,
    /// The same with neither of them watched: what these figures can tell at all.
    pub unwatched: Figure,
    /// What the agent said of its probes in each round.
    pub coverage: Vec<Value>,
    /// What it estimated to cost the server, in percent of a core.
    pub estimate_percent: Figure,
    /// Requests by CPU second with every event probed and no budget, over those without.
    pub probed: Figure,
    /// What a hit costs in this server then, in nanoseconds.
    pub hit_ns: Figure,
    /// What it costs in a loop, as the agent measured.
    pub loop_ns: Figure,
}

/// As much as the server can take.
pub fn saturated(plan: Plan) -> Result<Value> {
    table::title(&format!(
        "net/http server, a goroutine a request, {CLIENTS} clients, saturated \
         (bars: requests 0.99, p99 1.01)"
    ));
    let mut twins = Twins::start()?;
    let mut load = twins.measure(plan, None)?;
    twins.hits(&mut load)?;
    table::load(&load);
    Ok(json!(load))
}

/// At some rates.
pub fn at_rates(plan: Plan) -> Result<Value> {
    let mut loads = Vec::new();
    for rate in RATES {
        table::title(&format!("the same at {rate} requests a second (bar: p99 1.01)"));
        let load = Twins::start()?.measure(plan, Some(rate))?;
        table::load(&load);
        loads.push(load);
    }
    Ok(json!(loads))
}

/// Two targets alike, serving. Their executables are two files: a probe in one file has the kernel
/// look at every process that runs it.
struct Twins {
    targets: [Target; 2],
    clients: Clients,
    /// Until the target has ended.
    _copy: Copied,
}

/// One server's figures in a turn: requests by the second of CPU, p50, p99.
type Turn = [f64; 3];

impl Twins {
    fn start() -> Result<Self> {
        let (copied, copy) = place::copied("exe")?;
        let mut targets = [place::target("exe")?, copied];
        let [one, other] = &mut targets;
        let addresses = [one.command("serve")?, other.command("serve")?];
        Ok(Self { clients: Clients::connect(&addresses)?, targets, _copy: copy })
    }

    fn measure(&mut self, plan: Plan, rate: Option<u32>) -> Result<Load> {
        // Until the heap has its size and everything was once called.
        self.turn(plan.window / 2, rate)?;
        let mut load = Load { asked_per_second: rate, ..Load::default() };
        for _ in 0..plan.rounds {
            let [[one, ..], [other, ..]] = self.turn(plan.window, rate)?;
            load.unwatched.add(one / other);
            let first = self.watched(plan, rate, 0, &mut load)?;
            let second = self.watched(plan, rate, 1, &mut load)?;
            let Load { requests_per_cpu_second, p50_ms, p99_ms, .. } = &mut load;
            for (at, pair) in [requests_per_cpu_second, p50_ms, p99_ms].into_iter().enumerate() {
                let (ons, offs) = ([first[0][at], second[1][at]], [first[1][at], second[0][at]]);
                pair.add_swapped(offs, ons);
            }
        }
        Ok(load)
    }

    /// What a request's processor time grows by when everything is probed, hit by hit.
    fn hits(&mut self, load: &mut Load) -> Result<()> {
        let mut probed = Probed::load(&self.targets[0], table_sizes(), None)?;
        let count = |probed: &Probed| -> Result<f64> {
            let counters = probed.probes.counters()?;
            Ok(Event::ALL.iter().map(|event| counters.hits(*event)).sum::<u64>() as f64)
        };
        for _ in 0..CYCLES {
            probed.attach_all()?;
            let before = count(&probed)?;
            let (served, [with, without]) = self.ask(PROBED, None)?;
            let hits = count(&probed)? - before;
            probed.detach_all()?;
            let [requests, others] = served.map(|served| served.answers());
            let (with, without) = (with.as_secs_f64() / requests, without.as_secs_f64() / others);
            load.probed.add(without / with);
            load.hit_ns.add((with - without) * 1e9 * requests / hits);
        }
        Ok(())
    }

    /// With the agent at one of them, from its first sample on.
    fn watched(
        &mut self,
        plan: Plan,
        rate: Option<u32>,
        which: usize,
        load: &mut Load,
    ) -> Result<[Turn; 2]> {
        let agent = Watcher::start(self.targets[which].pid(), &[])?;
        let turns = self.turn(plan.window, rate)?;
        let report = agent.stop()?;
        let estimate = report["overhead"]["target_cpu_percent_estimate"].as_f64();
        load.estimate_percent.add(estimate.context("the agent estimates nothing")?);
        let in_a_loop = report["overhead"]["hit_cost"]["loop_seconds"].as_f64();
        load.loop_ns.add(in_a_loop.context("the agent measured no hit")? * 1e9);
        load.coverage.push(report["coverage"]["probes"].clone());
        Ok(turns)
    }

    fn turn(&mut self, window: Duration, rate: Option<u32>) -> Result<[Turn; 2]> {
        let ([one, other], [its_cpu, others_cpu]) = self.ask(window, rate)?;
        Ok([figures(&one, its_cpu)?, figures(&other, others_cpu)?])
    }

    /// What they answered, and the processor time that either took for it.
    fn ask(&mut self, window: Duration, rate: Option<u32>) -> Result<([Served; 2], [Duration; 2])> {
        let [one, other] = [self.targets[0].pid(), self.targets[1].pid()];
        let before = [cpu_of(one)?, cpu_of(other)?];
        let served = self.clients.ask(window, rate)?;
        Ok((served, [cpu_of(one)? - before[0], cpu_of(other)? - before[1]]))
    }
}

fn figures(served: &Served, cpu: Duration) -> Result<Turn> {
    let by_cpu = served.answers() / cpu.as_secs_f64();
    Ok([by_cpu, served.quantile_ms(0.5)?, served.quantile_ms(0.99)?])
}
