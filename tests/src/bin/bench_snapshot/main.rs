//! `cargo xtask bench snapshot`: our snapshot against the target's own pprof, in one run.
//!
//! Each size has a target of its own. What is compared is measured in turns, round by round, so
//! that whatever disturbs the machine disturbs all alike; the ratios are those of each round.

mod attach;
mod gaps;
mod rounds;
mod table;
mod weigh;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use leak_agent_tests::bench::machine::{CALM_PERCENT, busy_percent};
use serde::Serialize;
use serde_json::json;

use rounds::Size;

/// How many goroutines the targets have, when nothing else is asked for.
const SIZES: [u32; 5] = [10_000, 30_000, 100_000, 300_000, 1_000_000];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match args.split_first() {
        Some((flag, command)) if flag == weigh::FLAG => weigh::weigh(command),
        _ => sizes(&args).and_then(|sizes| bench(&sizes)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn sizes(args: &[String]) -> Result<Vec<u32>> {
    if args.is_empty() {
        return Ok(SIZES.to_vec());
    }
    let size = |arg: &String| match arg.replace('_', "").parse() {
        Ok(size @ 1..=4_000_000) => Ok(size),
        _ => bail!("{arg} is no number of goroutines from 1 to 4,000,000"),
    };
    args.iter().map(size).collect()
}

fn bench(sizes: &[u32]) -> Result<()> {
    let busy = busy_percent()?;
    table::machine(busy);
    let attaches = attach::measure()?;
    table::attaches(&attaches);
    let mut measured: Vec<Size> = Vec::new();
    table::head();
    for &size in sizes {
        let size = Size::measure(size)?;
        table::size(&size);
        measured.push(size);
    }
    table::rest(&measured);
    let busiest = measured.iter().map(|size| size.busy_percent).fold(busy, f64::max);
    let calm = busiest <= CALM_PERCENT;
    if !calm {
        table::not_calm(busiest);
    }
    write(&json!({
        "schema": "leak-agent/bench-snapshot/v1",
        "calm": calm,
        "busy_percent": busiest,
        "attach": attaches,
        "sizes": measured,
    }))
}

/// Leaves the figures where other programs find them.
fn write(figures: &impl Serialize) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("snapshot.json");
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(figures)?))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nAll figures: target/bench/snapshot.json");
    Ok(())
}
