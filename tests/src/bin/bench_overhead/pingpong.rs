//! Two goroutines that park about a million times a second, with the agent and without it; and what
//! is left of it all once it has gone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::probed::Probed;
use serde::Serialize;
use serde_json::{Value, json};

use crate::pair::Pair;
use crate::watcher::{Watcher, cpu_of};
use crate::{Plan, place, table};

/// Rounds of work between two hand-overs, such that there are about a million parks a second.
pub const WORK: u32 = 600;
/// A turn with every park probed, and one before and after.
const PROBED: Duration = Duration::from_millis(700);
/// How often that is done.
const CYCLES: usize = 5;

/// What is compared.
#[derive(Debug, Default, Serialize)]
pub struct Ball {
    /// How often the ball was passed, by the second.
    pub passes_per_second: Pair,
    /// By the second of the target's own processor time.
    pub passes_per_cpu_second: Pair,
    /// Speed with every park probed, over that before.
    pub probed: Figure,
    /// Speed once the probe had gone, over that before it came.
    pub restored: Figure,
}

/// Measures all.
pub fn measure(plan: Plan) -> Result<Value> {
    table::title(
        "channel ping-pong, about a million parks a second (bars: passes 0.98, restored 1)",
    );
    let mut target = place::target("exe")?;
    target.command(&format!("pingpong {WORK}"))?;
    let mut ball = Ball::default();
    for round in 0..plan.rounds {
        let (off, on) = if round % 2 == 0 {
            let off = turn(&mut target, plan.window)?;
            (off, watched(&mut target, plan)?)
        } else {
            let on = watched(&mut target, plan)?;
            (turn(&mut target, plan.window)?, on)
        };
        ball.passes_per_second.add(off.by_second, on.by_second);
        ball.passes_per_cpu_second.add(off.by_cpu, on.by_cpu);
    }
    let mut probed = Probed::load(&target, table_sizes(), None)?;
    for _ in 0..CYCLES {
        let before = turn(&mut target, PROBED)?.by_cpu;
        probed.attach_all()?;
        ball.probed.add(turn(&mut target, PROBED)?.by_cpu / before);
        probed.detach_all()?;
        ball.restored.add(turn(&mut target, PROBED)?.by_cpu / before);
    }
    table::ball(&ball);
    Ok(json!(ball))
}

/// Room for what these targets have.
pub fn table_sizes() -> leak_agent::collect::attach::probes::Sizes {
    leak_agent::collect::attach::probes::Sizes::for_goroutines(100)
}

/// Passes in a turn.
pub struct Turn {
    pub by_second: f64,
    pub by_cpu: f64,
}

fn watched(target: &mut Target, plan: Plan) -> Result<Turn> {
    let agent = Watcher::start(target.pid(), &[])?;
    let turn = turn(target, plan.window)?;
    agent.stop()?;
    Ok(turn)
}

/// Counts for a while.
pub fn turn(target: &mut Target, window: Duration) -> Result<Turn> {
    let pid = target.pid();
    let (passes, start, cpu) = (passes(target)?, Instant::now(), cpu_of(pid)?);
    thread::sleep(window);
    let cpu = cpu_of(pid)? - cpu;
    let took = start.elapsed();
    let passed = self::passes(target)? - passes;
    Ok(Turn { by_second: passed / took.as_secs_f64(), by_cpu: passed / cpu.as_secs_f64() })
}

fn passes(target: &mut Target) -> Result<f64> {
    let answer = target.command("passes")?;
    let count = answer.strip_prefix("passes=").and_then(|count| count.parse().ok());
    count.with_context(|| format!("{answer:?} is no count"))
}
