//! `cargo xtask bench proof`: a proof of leaks by `leak-agent check --proof`, from exec to exit, beside what Go's own
//! `goroutineleak` profile takes of the same process, in turn and in the same run.

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
use leak_agent_tests::bench::process;
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Scratch, Target, agent};
use serde::Serialize;
use serde_json::{Value, json};

/// The first version of Go that has the profile in every build.
const GO: &str = "1.27.3";
/// Goroutines that leak, and megabytes of heap, where nothing else is asked for.
const SIZES: [(u32, u32); 6] =
    [(10_000, 10), (100_000, 10), (1_000_000, 10), (10_000, 300), (10_000, 1000), (10_000, 3000)];
/// Rounds of each.
const ROUNDS: usize = 5;
/// For how long it is watched while nobody asks.
const WATCHED: Duration = Duration::from_secs(1);
/// A proof that takes longer is refused: none may be.
const MAX_PAUSE: &str = "5s";

/// What was measured with one target.
#[derive(Debug, Default, Serialize)]
struct Size {
    goroutines: u32,
    heap_megabytes: u32,
    /// Goroutines that were proven to leak.
    proven: Figure,
    /// The agent's process, from exec to exit.
    wall_ms: Figure,
    /// Its processor time, of all threads.
    cpu_ms: Figure,
    /// What was resident of it at most.
    peak_megabytes: Figure,
    /// From the scan of the running program to the verdict.
    proof_ms: Figure,
    /// For how long the target stood.
    pause_ms: Figure,
    /// Heap in use that was marked, in each second of the whole attempt: twice, running and held.
    gigabytes_per_second: Figure,
    /// Go's own profile, read to its end.
    profile_ms: Figure,
    /// `profile_ms` over `wall_ms`, round by round: beside the proof the agent starts, looks twice, and reports.
    ratios: Figure,
    /// `profile_ms` over `proof_ms`, round by round.
    proof_ratios: Figure,
    /// The longest time for which a goroutine that always wants to run did not, while nobody asks...
    gap_idle_ms: Figure,
    /// ... during a proof...
    gap_proof_ms: Figure,
    /// ... and during Go's profile.
    gap_profile_ms: Figure,
}

fn main() -> ExitCode {
    match sizes().and_then(|sizes| bench(&sizes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `GOROUTINESxMEGABYTES` each.
fn sizes() -> Result<Vec<(u32, u32)>> {
    let size = |text: String| -> Result<(u32, u32)> {
        let (goroutines, megabytes) = text.split_once('x').with_context(|| {
            format!("{text:?}: GOROUTINESxMEGABYTES is needed, such as 10000x300")
        })?;
        Ok((goroutines.parse()?, megabytes.parse()?))
    };
    let asked = env::args().skip(1).map(size).collect::<Result<Vec<_>>>()?;
    Ok(if asked.is_empty() { SIZES.to_vec() } else { asked })
}

fn bench(sizes: &[(u32, u32)]) -> Result<()> {
    let busy = busy_percent()?;
    println!("Medians of {ROUNDS}. Others use {busy:.0} % of the machine.\n");
    println!(
        "{:>10} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9} {:>6} {:>11} {:>6} {:>8} {:>9} {:>10} {:>10}",
        "goroutines",
        "heap, MB",
        "wall, ms",
        "CPU, ms",
        "peak, MB",
        "proof, ms",
        "pause, ms",
        "GB/s",
        "profile, ms",
        "ratio",
        "of proof",
        "gap, idle",
        "gap, proof",
        "gap, prof."
    );
    let agent = agent::binary()?;
    let mut measured = Vec::new();
    for &size in sizes {
        let size = measure(&agent, size)?;
        print(&size);
        measured.push(size);
    }
    let calm = busy <= CALM_PERCENT;
    if !calm {
        println!("\nThe machine was not calm: compare ratios only.");
    }
    let report = json!({
        "schema": "leak-agent/bench-proof/v1",
        "calm": calm,
        "busy_percent": busy,
        "sizes": measured,
    });
    file::write("proof", &report)
}

fn measure(agent: &Path, (goroutines, heap_megabytes): (u32, u32)) -> Result<Size> {
    let args = [goroutines.to_string(), heap_megabytes.to_string()];
    let mut target = Target::start_with(GO, "exe", "leaked", &args)?;
    let pprof = Endpoint::of(&target.command("pprof")?)?;
    let pid = target.pid();
    let mut size = Size { goroutines, heap_megabytes, ..Size::default() };
    target.command("gap start")?;
    for _ in 0..ROUNDS {
        let idle = worst(&mut target, || {
            thread::sleep(WATCHED);
            Ok(())
        })?;
        size.gap_idle_ms.add(idle);
        let gap = worst(&mut target, || prove(agent, pid, goroutines, &mut size))?;
        size.gap_proof_ms.add(gap);
        let gap = worst(&mut target, || {
            let start = Instant::now();
            let bytes = pprof.read("goroutineleak", &mut io::sink())?;
            ensure!(bytes > 0, "the profile is empty");
            size.profile_ms.add(milliseconds(start.elapsed()));
            Ok(())
        })?;
        size.gap_profile_ms.add(gap);
    }
    target.command("gap stop")?;
    size.ratios = size.wall_ms.ratios(&size.profile_ms);
    size.proof_ratios = size.proof_ms.ratios(&size.profile_ms);
    Ok(size)
}

/// One proof, which must find all that leaks.
fn prove(agent: &Path, pid: u32, goroutines: u32, size: &mut Size) -> Result<()> {
    let mut command = Command::new(agent);
    command.args(["check", "--proof", "auto", "--max-pause", MAX_PAUSE, "--fail-on", "never"]);
    let scratch = Scratch::new("bench-proof");
    let file = scratch.file("report.json");
    command.args(["--format", "json", "--output", &file, "--pid", &pid.to_string()]);
    let (run, peak) = process::run_weighed(&mut command)?;
    let report: Value = serde_json::from_slice(&std::fs::read(file)?).context("the report")?;
    let proof = &report["coverage"]["proof"];
    ensure!(proof["state"] == "done", "nothing was proven: {proof:#}");
    let proven = proof["proven"].as_u64().context("a count")?;
    // A stale word of a thread that has just become idle may hide some at one moment.
    ensure!(proven * 10 >= u64::from(goroutines) * 9, "too few were proven: {proof:#}");
    size.proven.add(proven as f64);
    let number = |key: &str| proof[key].as_f64().with_context(|| format!("{key} is missing"));
    let (seconds, marked) = (number("seconds")?, number("marked_bytes")?);
    size.wall_ms.add(milliseconds(run.wall));
    size.cpu_ms.add(milliseconds(run.cpu));
    size.peak_megabytes.add(peak as f64 / f64::from(1 << 20));
    size.proof_ms.add(seconds * 1e3);
    size.pause_ms.add(number("pause_seconds")? * 1e3);
    size.gigabytes_per_second.add(2.0 * marked / seconds / 1e9);
    Ok(())
}

fn print(size: &Size) {
    let number = |figure: &Figure, digits: usize| {
        figure.median().map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    println!(
        "{:>10} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9} {:>6} {:>11} {:>6} {:>8} {:>9} {:>10} {:>10}",
        size.goroutines,
        size.heap_megabytes,
        number(&size.wall_ms, 0),
        number(&size.cpu_ms, 0),
        number(&size.peak_megabytes, 0),
        number(&size.proof_ms, 0),
        number(&size.pause_ms, 1),
        number(&size.gigabytes_per_second, 2),
        number(&size.profile_ms, 0),
        number(&size.ratios, 2),
        number(&size.proof_ratios, 2),
        number(&size.gap_idle_ms, 1),
        number(&size.gap_proof_ms, 1),
        number(&size.gap_profile_ms, 1),
    );
}
