//! `cargo xtask bench analyze`: how long a judgement takes, and how that grows with its input.
//!
//! The observations are made up, as no machine of ours runs such a process. The peer is the least
//! that anybody who groups goroutines has to do: one pass over them with a hash map of the standard
//! library, by stack and creation site.

mod made_up;

use std::collections::HashMap;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use leak_agent::analyze::{CodeFiles, Settings, Window, judge};
use leak_agent::model::Observation;
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::machine::busy_percent;
use serde::Serialize;
use serde_json::json;

use made_up::MadeUp;

/// Goroutines, and groups that they are in.
const SIZES: [(u32, u32); 4] =
    [(10_000, 1_000), (100_000, 10_000), (300_000, 30_000), (1_000_000, 100_000)];
/// Looks before the one that is timed, so that there is a history to weigh.
const SAMPLES: u32 = 28;
/// Rounds of which the median counts.
const ROUNDS: usize = 5;

/// What was measured of one size.
#[derive(Serialize)]
struct Measured {
    goroutines: u32,
    groups: usize,
    findings: usize,
    /// Taking in a sample, and judging the window.
    push_seconds: f64,
    judge_seconds: f64,
    peer_seconds: f64,
    /// Both over the peer.
    ratio: f64,
    nanoseconds_a_goroutine: f64,
    /// What the window and the judgement hold.
    analysis_bytes: u64,
    /// What one observation holds.
    observation_bytes: u64,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let busy = busy_percent()?;
    println!("the machine is {busy:.0} % busy with other things\n");
    println!(
        "{:>10} {:>8} {:>9} {:>9} {:>9} {:>7} {:>6} {:>10} {:>12}",
        "goroutines", "groups", "push", "judge", "peer", "ratio", "ns/g", "analysis", "observation"
    );
    let mut all = Vec::new();
    for (goroutines, groups) in SIZES {
        let measured = measure(goroutines, groups)?;
        println!(
            "{:>10} {:>8} {:>7.1}ms {:>7.1}ms {:>7.1}ms {:>7.2} {:>6.0} {:>7.0}MiB {:>9.0}MiB",
            measured.goroutines,
            measured.groups,
            measured.push_seconds * 1e3,
            measured.judge_seconds * 1e3,
            measured.peer_seconds * 1e3,
            measured.ratio,
            measured.nanoseconds_a_goroutine,
            mib(measured.analysis_bytes),
            mib(measured.observation_bytes),
        );
        all.push(measured);
    }
    file::write("analyze", &json!({ "busy_percent": busy, "sizes": all }))
}

fn measure(goroutines: u32, groups: u32) -> Result<Measured> {
    let before = resident()?;
    let made_up = MadeUp::new(goroutines, groups);
    let mut sample = made_up.sample(SAMPLES);
    let observation_bytes = resident()?.saturating_sub(before);
    let (settings, mut sources) = (Settings::default(), CodeFiles::default());
    let mut window = Window::default();
    for number in 0..SAMPLES {
        made_up.turn_to(&mut sample, number);
        window.push(&sample);
    }
    let (mut pushes, mut judgements, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = (0, 0);
    for round in 0..ROUNDS {
        made_up.turn_to(&mut sample, SAMPLES + round as u32);
        pushes.push(timed(|| window.push(&sample)).0);
        let (took, assessment) = timed(|| judge(&window, &settings, &mut sources));
        judgements.push(took);
        let assessment = assessment.context("a window that was pushed to can be judged")?;
        let findings = assessment.judgement.map_or(0, |judgement| judgement.findings.len());
        found = (assessment.groups.len(), findings);
        peers.push(timed(|| peer(&sample)).0);
    }
    let held = resident()?.saturating_sub(before + observation_bytes);
    let [push, judge, peer] = [pushes, judgements, peers].map(median);
    let sum = (push + judge).as_secs_f64();
    Ok(Measured {
        goroutines,
        groups: found.0,
        findings: found.1,
        push_seconds: push.as_secs_f64(),
        judge_seconds: judge.as_secs_f64(),
        peer_seconds: peer.as_secs_f64(),
        ratio: sum / peer.as_secs_f64(),
        nanoseconds_a_goroutine: sum * 1e9 / f64::from(goroutines),
        analysis_bytes: held,
        observation_bytes,
    })
}

/// Groups by stack and creation site, and counts.
fn peer(sample: &Observation) -> usize {
    let mut groups: HashMap<_, u64> = HashMap::new();
    for goroutine in &sample.goroutines {
        *groups.entry((goroutine.stack, goroutine.created_by)).or_default() += 1;
    }
    std::hint::black_box(groups).len()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What this process holds.
fn resident() -> Result<u64> {
    let status =
        fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kib.context("VmRSS is missing from /proc/self/status")? * 1024)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
