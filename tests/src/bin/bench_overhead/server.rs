//! A net/http server with a goroutine a request, with the agent and without it.

use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::collect::attach::probes::Event;
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::probed::Probed;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::{CLIENTS, Clients};
use crate::pingpong::table_sizes;
use crate::watcher::{Watcher, cpu_of};
use crate::{Plan, place, table};

/// A turn with everything probed, and one before it; and how often.
const PROBED: Duration = Duration::from_secs(1);
const CYCLES: usize = 5;
/// Requests a second where the load is not all that the server can take.
const RATES: [u32; 2] = [1_000, 5_000];

/// One figure without the agent, with it, and the one over the other, round by round.
#[derive(Debug, Default, Serialize)]
pub struct Pair {
    pub off: Figure,
    pub on: Figure,
    /// `on` over `off`.
    pub ratio: Figure,
}

impl Pair {
    /// Takes in a round.
    pub fn add(&mut self, off: f64, on: f64) {
        self.off.add(off);
        self.on.add(on);
        self.ratio.add(on / off);
    }
}

/// What is compared of a server.
#[derive(Debug, Default, Serialize)]
pub struct Load {
    /// Requests a second that were asked for; `None` for as many as can be.
    pub asked_per_second: Option<u32>,
    pub requests_per_second: Pair,
    /// Requests a second of the server's own processor time: that it is given less says nothing.
    pub requests_per_cpu_second: Pair,
    pub p50_ms: Pair,
    pub p99_ms: Pair,
    /// What the agent said of its probes in each round.
    pub coverage: Vec<Value>,
    /// What it estimated to cost the server, in percent of a core.
    pub estimate_percent: Figure,
    /// What a hit costs in this server, with every event probed and no budget, in nanoseconds.
    pub hit_ns: Figure,
    /// What it costs in a loop, as the agent measured.
    pub loop_ns: Figure,
}

/// As much as the server can take.
pub fn saturated(plan: Plan) -> Result<Value> {
    table::title(&format!(
        "net/http server, a goroutine a request, {CLIENTS} connections, saturated \
         (bars: requests 0.99, p99 1.01)"
    ));
    let mut server = Server::start()?;
    let mut load = server.measure(plan, None)?;
    server.hits(&mut load)?;
    table::load(&load);
    Ok(json!(load))
}

/// At some rates.
pub fn at_rates(plan: Plan) -> Result<Value> {
    let mut loads = Vec::new();
    for rate in RATES {
        table::title(&format!("the same at {rate} requests a second (bar: p99 1.01)"));
        let load = Server::start()?.measure(plan, Some(rate))?;
        table::load(&load);
        loads.push(load);
    }
    Ok(json!(loads))
}

/// The target, serving.
struct Server {
    target: Target,
    clients: Clients,
}

/// One turn's figures: requests a second, by the second of CPU, p50, p99.
type Turn = [f64; 4];

impl Server {
    fn start() -> Result<Self> {
        let mut target = place::target("exe")?;
        let clients = Clients::connect(&target.command("serve")?)?;
        Ok(Self { target, clients })
    }

    fn measure(&mut self, plan: Plan, rate: Option<u32>) -> Result<Load> {
        // Until the heap has its size and everything was once called.
        self.clients.ask(plan.window / 2, rate)?;
        let mut load = Load { asked_per_second: rate, ..Load::default() };
        for round in 0..plan.rounds {
            // Whatever the first turn of a round leaves behind, both have it equally often.
            let (off, (on, report)) = if round % 2 == 0 {
                let off = self.turn(plan, rate)?;
                (off, self.watched(plan, rate)?)
            } else {
                let on = self.watched(plan, rate)?;
                (self.turn(plan, rate)?, on)
            };
            let Load { requests_per_second, requests_per_cpu_second, p50_ms, p99_ms, .. } =
                &mut load;
            let pairs = [requests_per_second, requests_per_cpu_second, p50_ms, p99_ms];
            for (pair, (off, on)) in pairs.into_iter().zip(off.into_iter().zip(on)) {
                pair.add(off, on);
            }
            let estimate = report["overhead"]["target_cpu_percent_estimate"].as_f64();
            load.estimate_percent.add(estimate.context("the agent estimates nothing")?);
            let in_a_loop = report["overhead"]["hit_cost"]["loop_seconds"].as_f64();
            load.loop_ns.add(in_a_loop.context("the agent measured no hit")? * 1e9);
            load.coverage.push(report["coverage"]["probes"].clone());
        }
        Ok(load)
    }

    /// What the processor time of a request grows by when everything is probed, hit by hit.
    fn hits(&mut self, load: &mut Load) -> Result<()> {
        let mut probed = Probed::load(&self.target, table_sizes(), None)?;
        for _ in 0..CYCLES {
            let (before, _) = self.request_cost()?;
            let count = |probed: &Probed| -> Result<f64> {
                let counters = probed.probes.counters()?;
                Ok(Event::ALL.iter().map(|event| counters.hits(*event)).sum::<u64>() as f64)
            };
            probed.attach_all()?;
            let counted = count(&probed)?;
            let (with, requests) = self.request_cost()?;
            let hits = (count(&probed)? - counted) / requests;
            probed.detach_all()?;
            load.hit_ns.add((with - before) / hits);
        }
        Ok(())
    }

    /// The server's processor time a request in nanoseconds, and how many requests there were.
    fn request_cost(&mut self) -> Result<(f64, f64)> {
        let before = cpu_of(self.target.pid())?;
        let requests = self.clients.ask(PROBED, None)?.answers();
        let cpu = cpu_of(self.target.pid())? - before;
        Ok((cpu.as_secs_f64() * 1e9 / requests, requests))
    }

    /// With the agent, from its first look on.
    fn watched(&mut self, plan: Plan, rate: Option<u32>) -> Result<(Turn, Value)> {
        let agent = Watcher::start(self.target.pid(), &[])?;
        let turn = self.turn(plan, rate)?;
        Ok((turn, agent.stop()?))
    }

    fn turn(&mut self, plan: Plan, rate: Option<u32>) -> Result<Turn> {
        let before = cpu_of(self.target.pid())?;
        let served = self.clients.ask(plan.window, rate)?;
        let cpu = cpu_of(self.target.pid())? - before;
        let by_cpu = served.answers() / cpu.as_secs_f64();
        Ok([served.per_second(), by_cpu, served.quantile_ms(0.5)?, served.quantile_ms(0.99)?])
    }
}
