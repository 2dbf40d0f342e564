//! What the agent takes of a processor itself: 10,000 goroutines, a sample a second.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use serde::Serialize;
use serde_json::{Value, json};

use crate::watcher::Watcher;
use crate::{GO, table};

/// How often.
const TURNS: usize = 3;
/// Attaching costs once, and is not what a second costs.
const SETTLED: Duration = Duration::from_secs(3);

/// The agent's own cost.
#[derive(Debug, Default, Serialize)]
pub struct Own {
    /// In percent of a core, all probes attached.
    pub cpu_percent: Figure,
    /// Without probes.
    pub without_probes_percent: Figure,
    /// What it says itself, in which attaching is included.
    pub said_percent: Figure,
    /// What it says of its memory.
    pub rss_bytes: Figure,
}

/// Measures for so long a turn.
pub fn measure(window: Duration) -> Result<Value> {
    table::title("the agent's own CPU at 10,000 goroutines, a sample a second (bar: below 1 %)");
    let target = Target::start_with(GO, "exe", "blocked", &["10000", "5"])?;
    let mut own = Own::default();
    for _ in 0..TURNS {
        let (percent, report) = turn(&target, &[], window)?;
        own.cpu_percent.add(percent);
        let of = |name: &str| report["overhead"][name].as_f64().context("not in the report");
        own.said_percent.add(of("agent_cpu_percent")?);
        own.rss_bytes.add(of("agent_rss_bytes")?);
        own.without_probes_percent.add(turn(&target, &["--probes", "off"], window)?.0);
    }
    table::own(&own);
    Ok(json!(own))
}

fn turn(target: &Target, args: &[&str], window: Duration) -> Result<(f64, Value)> {
    let agent = Watcher::start(target.pid(), args)?;
    thread::sleep(SETTLED);
    let (start, before) = (Instant::now(), agent.cpu()?);
    thread::sleep(window);
    let cpu = agent.cpu()? - before;
    let percent = 100.0 * cpu.as_secs_f64() / start.elapsed().as_secs_f64();
    Ok((percent, agent.stop()?))
}
