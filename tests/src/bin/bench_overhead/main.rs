//! `cargo xtask bench overhead`: what the agent costs its target, off and on in turns, or at two
//! targets alike at the same time.
//!
//! Targets have one processor to themselves, the load and the agent have the others: what is measured
//! is what a target pays. The ratios are those of each round, so that whatever disturbs the machine
//! disturbs both sides alike.

mod hit;
mod http;
mod own;
mod pair;
mod pingpong;
mod place;
mod server;
mod snapshots;
mod table;
mod watcher;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::machine::{CALM_PERCENT, busy_percent};
use serde_json::{Value, json};

/// The version of Go that the targets are built with.
const GO: &str = "1.26.6";

/// How long and how often.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// One turn of a server or a ping-pong with the agent, or without it.
    window: Duration,
    /// Rounds, each with a turn of either.
    rounds: usize,
    /// For how long the agent's own processor time is measured.
    own: Duration,
}

const FULL: Plan =
    Plan { window: Duration::from_secs(10), rounds: 6, own: Duration::from_secs(20) };
const QUICK: Plan = Plan { window: Duration::from_secs(4), rounds: 3, own: Duration::from_secs(8) };

/// A part of the bench: its name, and the function that measures and prints it.
type Part = (&'static str, fn(Plan) -> Result<Value>);

const PARTS: [Part; 6] = [
    ("hit", |_| hit::measure()),
    ("server", server::saturated),
    ("rates", server::at_rates),
    ("pingpong", pingpong::measure),
    ("snapshots", snapshots::measure),
    ("own", |plan| own::measure(plan.own)),
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match parts(&args).and_then(|(plan, parts)| bench(plan, &parts)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is to be measured: what is named, or all of it.
fn parts(args: &[String]) -> Result<(Plan, Vec<Part>)> {
    let (mut plan, mut named) = (FULL, Vec::new());
    for arg in args {
        if arg == "--quick" {
            plan = QUICK;
        } else if let Some(part) = PARTS.iter().find(|(name, _)| name == arg) {
            named.push(*part);
        } else {
            let names = PARTS.map(|(name, _)| name);
            bail!("{arg} is neither --quick nor one of the parts {}", names.join(", "));
        }
    }
    if named.is_empty() {
        named.extend(PARTS);
    }
    Ok((plan, named))
}

fn bench(plan: Plan, parts: &[Part]) -> Result<()> {
    place::take_the_rest()?;
    let mut busiest = busy_percent()?;
    table::machine(busiest);
    let mut figures = serde_json::Map::new();
    for (name, measure) in parts {
        busiest = busiest.max(busy_percent()?);
        figures.insert((*name).to_owned(), measure(plan)?);
    }
    let calm = busiest <= CALM_PERCENT;
    if !calm {
        table::not_calm(busiest);
    }
    file::write(
        "overhead",
        &json!({
            "schema": "leak-agent/bench-overhead/v1",
            "calm": calm,
            "busy_percent": busiest,
            "window_seconds": plan.window.as_secs_f64(),
            "rounds": plan.rounds,
            "figures": figures,
        }),
    )
}
