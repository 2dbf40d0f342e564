//! `cargo xtask bench check`: `leak-agent check` as a whole process, from exec to exit and its report
//! included, against the target's own `debug=1` profile, in turn and in the same run.
//!
//! The ratios are those of each round: whatever disturbs the machine disturbs both.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use leak_agent_tests::bench::figure::{Figure, milliseconds};
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::gap::worst;
use leak_agent_tests::bench::machine::{CALM_PERCENT, busy_percent};
use leak_agent_tests::bench::process::{self, Run};
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Target, agent};
use serde::Serialize;
use serde_json::json;

/// The version of Go that the targets are built with.
const GO: &str = "1.26.6";
/// Frames of its own that each goroutine is blocked below.
const DEPTH: &str = "5";
/// Goroutines of the targets, where nothing else is asked for: the first shows what a start costs.
const SIZES: [u32; 4] = [10, 10_000, 100_000, 1_000_000];
/// Rounds; fewer where each takes seconds.
const ROUNDS: (usize, usize) = (15, 7);
const MANY: u32 = 100_000;
/// For how long worst gaps are watched at a time.
const WATCHED: Duration = Duration::from_secs(1);
/// How often they are.
const TURNS: usize = 3;

/// What was measured with one target.
#[derive(Debug, Serialize)]
struct Size {
    goroutines: u32,
    /// The agent's process, from exec to exit.
    check_ms: Figure,
    /// Its processor time, of all threads.
    check_cpu_ms: Figure,
    /// The target's profile, read to its end.
    debug1_ms: Figure,
    /// `debug1_ms` over `check_ms`, round by round.
    ratios: Figure,
    /// The longest time for which a goroutine that always wants to run did not, in a second in which
    /// nobody reads...
    gap_idle_ms: Figure,
    /// ... and in one in which the agent checks again and again.
    gap_check_ms: Figure,
}

fn main() -> ExitCode {
    let outcome = sizes().and_then(|sizes| bench(&sizes));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn sizes() -> Result<Vec<u32>> {
    let asked: Result<Vec<u32>, _> = env::args().skip(1).map(|size| size.parse()).collect();
    let asked = asked.context("a number of goroutines is needed, such as 100000")?;
    Ok(if asked.is_empty() { SIZES.to_vec() } else { asked })
}

fn bench(sizes: &[u32]) -> Result<()> {
    let busy = busy_percent()?;
    println!("Medians, ± half the span of the middle half. Others use {busy:.0} % of the machine.");
    println!(
        "\n{:>11} {:>16} {:>9} {:>12} {:>16} {:>9} {:>8} {:>8} {:>14} {:>14}",
        "goroutines",
        "check, ms",
        "least",
        "its CPU, ms",
        "debug=1, ms",
        "least",
        "ratio",
        "of least",
        "gap idle, ms",
        "gap check, ms"
    );
    let agent = agent::binary()?;
    let mut measured = Vec::new();
    for &goroutines in sizes {
        let size = measure(&agent, goroutines)?;
        print(&size);
        measured.push(size);
    }
    let calm = busy <= CALM_PERCENT;
    if !calm {
        println!("\nThe machine was not calm: compare ratios only.");
    }
    file::write(
        "check",
        &json!({
            "schema": "leak-agent/bench-check/v1",
            "calm": calm,
            "busy_percent": busy,
            "sizes": measured,
        }),
    )
}

fn measure(agent: &Path, goroutines: u32) -> Result<Size> {
    let args = [goroutines.to_string(), DEPTH.to_owned()];
    let mut target = Target::start_with(GO, "exe", "blocked", &args)?;
    let pprof = Endpoint::of(&target.command("pprof")?)?;
    let pid = target.pid();
    let (mut check_ms, mut check_cpu_ms) = (Figure::default(), Figure::default());
    let mut debug1_ms = Figure::default();
    // The first of each is not counted.
    check(agent, pid)?;
    debug1(&pprof)?;
    for _ in 0..if goroutines > MANY { ROUNDS.1 } else { ROUNDS.0 } {
        let run = check(agent, pid)?;
        check_ms.add(milliseconds(run.wall));
        check_cpu_ms.add(milliseconds(run.cpu));
        debug1_ms.add(debug1(&pprof)?);
    }
    let (mut gap_idle_ms, mut gap_check_ms) = (Figure::default(), Figure::default());
    target.command("gap start")?;
    for _ in 0..TURNS {
        gap_idle_ms.add(worst(&mut target, || {
            thread::sleep(WATCHED);
            Ok(())
        })?);
        gap_check_ms.add(worst(&mut target, || {
            let start = Instant::now();
            while start.elapsed() < WATCHED {
                check(agent, pid)?;
            }
            Ok(())
        })?);
    }
    target.command("gap stop")?;
    let ratios = check_ms.ratios(&debug1_ms);
    Ok(Size { goroutines, check_ms, check_cpu_ms, debug1_ms, ratios, gap_idle_ms, gap_check_ms })
}

/// One profile of the target's own, read to its end.
fn debug1(pprof: &Endpoint) -> Result<f64> {
    let start = Instant::now();
    let bytes = pprof.read("goroutine?debug=1", &mut io::sink())?;
    ensure!(bytes > 0, "debug=1 is empty");
    Ok(milliseconds(start.elapsed()))
}

/// Runs `leak-agent check` on a process, its report thrown away.
fn check(agent: &Path, pid: u32) -> Result<Run> {
    process::run(Command::new(agent).args([
        "check",
        "--fail-on",
        "never",
        "--pid",
        &pid.to_string(),
    ]))
}

fn print(size: &Size) {
    let of_least = size.debug1_ms.least().zip(size.check_ms.least()).map(|(a, b)| a / b);
    println!(
        "{:>11} {:>16} {:>9} {:>12} {:>16} {:>9} {:>8} {:>8} {:>14} {:>14}",
        size.goroutines,
        spread(&size.check_ms),
        number(size.check_ms.least()),
        number(size.check_cpu_ms.median()),
        spread(&size.debug1_ms),
        number(size.debug1_ms.least()),
        number(size.ratios.median()),
        number(of_least),
        number(size.gap_idle_ms.median()),
        number(size.gap_check_ms.median()),
    );
}

fn spread(figure: &Figure) -> String {
    let percent = figure.spread_percent().map_or_else(String::new, |it| format!(" ±{it:.0} %"));
    format!("{}{percent}", number(figure.median()))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}
