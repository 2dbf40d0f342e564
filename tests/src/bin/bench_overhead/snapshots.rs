//! What looking costs the target when there are no probes: caches and memory shared with a reader.

use anyhow::Result;
use leak_agent_tests::bench::figure::Figure;
use serde::Serialize;
use serde_json::{Value, json};

use crate::pair::Pair;
use crate::pingpong::{WORK, turn};
use crate::watcher::Watcher;
use crate::{Plan, place, table};

/// Goroutines that a sample has to read, besides those of the ping-pong.
const HELD: u32 = 10_000;
/// As often as the agent looks at all.
const INTERVAL_MS: f64 = 20.0;

/// What is compared.
#[derive(Debug, Default, Serialize)]
pub struct Looks {
    /// How often the ball was passed, by the second of the target's own processor time.
    pub passes_per_cpu_second: Pair,
    /// How many samples there were a second.
    pub per_second: Figure,
    /// What one sample a second would cost the target, in percent of its processor time.
    pub one_a_second_percent: Figure,
    /// By how much the target is slower during a sample, in percent.
    pub slowed_percent: Figure,
}

/// Measures all.
pub fn measure(plan: Plan) -> Result<Value> {
    table::title("snapshots of 10,000 goroutines, one after another, no probes");
    let mut target = place::target("exe")?;
    target.command(&format!("spawn {HELD} 5"))?;
    target.command(&format!("pingpong {WORK}"))?;
    let mut looks = Looks::default();
    let interval = format!("{INTERVAL_MS}ms");
    for _ in 0..plan.rounds {
        let off = turn(&mut target, plan.window)?.by_cpu;
        let agent = Watcher::start(target.pid(), &["--probes", "off", "--interval", &interval])?;
        let on = turn(&mut target, plan.window)?.by_cpu;
        let report = agent.stop()?;
        let of = |name: &str| report["window"][name].as_f64().unwrap_or_default();
        let per_second = of("observations") / of("seconds");
        looks.passes_per_cpu_second.add(off, on);
        looks.per_second.add(per_second);
        looks.one_a_second_percent.add(100.0 * (1.0 - on / off) / per_second);
        let took = report["overhead"]["snapshot_seconds"].as_f64().unwrap_or_default();
        looks.slowed_percent.add(100.0 * (1.0 - on / off) / (per_second * took));
    }
    table::looks(&looks);
    Ok(json!(looks))
}
