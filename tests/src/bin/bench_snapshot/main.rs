//! `cargo xtask bench snapshot`: our snapshot against the target's own pprof, in one run.
//!
//! Each size has a target of its own. What is compared is measured in turns, round by round, so
//! that whatever disturbs the machine disturbs all alike; the ratios are those of each round.

mod attach;
mod gaps;
mod rounds;
mod table;
mod weigh;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::machine::{CALM_PERCENT, busy_percent};
use serde_json::json;

use rounds::{Shape, Size};

/// What the targets hold when nothing else is asked for: goroutines, and frames of its own that each
/// is blocked below (four of the runtime's come on top). With those, background goroutines of real
/// servers have about 3, and their connections' 10.
const SHAPES: [Shape; 7] = [
    Shape { goroutines: 10_000, depth: 5 },
    Shape { goroutines: 30_000, depth: 5 },
    Shape { goroutines: 100_000, depth: 5 },
    Shape { goroutines: 100_000, depth: 10 },
    Shape { goroutines: 100_000, depth: 20 },
    Shape { goroutines: 300_000, depth: 5 },
    Shape { goroutines: 1_000_000, depth: 5 },
];
/// The depth where only a number of goroutines is asked for.
const DEPTH: u32 = 5;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match args.split_first() {
        Some((flag, command)) if flag == weigh::FLAG => weigh::weigh(command),
        _ => shapes(&args).and_then(|shapes| bench(&shapes)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// From `100000`, or with another depth `100000x20`.
fn shapes(args: &[String]) -> Result<Vec<Shape>> {
    if args.is_empty() {
        return Ok(SHAPES.to_vec());
    }
    let shape = |arg: &String| {
        let (goroutines, depth) = match arg.split_once('x') {
            Some((goroutines, depth)) => (goroutines.parse(), depth.parse()),
            None => (arg.parse(), Ok(DEPTH)),
        };
        match (goroutines, depth) {
            (Ok(goroutines @ 1..=4_000_000), Ok(depth @ 1..=1000)) => {
                Ok(Shape { goroutines, depth })
            }
            _ => bail!("{arg} is no number of goroutines, such as 100000, or 100000x20 frames"),
        }
    };
    args.iter().map(shape).collect()
}

fn bench(shapes: &[Shape]) -> Result<()> {
    let busy = busy_percent()?;
    table::machine(busy);
    let attaches = attach::measure()?;
    table::attaches(&attaches);
    let mut measured: Vec<Size> = Vec::new();
    table::head();
    for &shape in shapes {
        let size = Size::measure(shape)?;
        table::size(&size);
        measured.push(size);
    }
    table::rest(&measured);
    let busiest = measured.iter().map(|size| size.busy_percent).fold(busy, f64::max);
    let calm = busiest <= CALM_PERCENT;
    if !calm {
        table::not_calm(busiest);
    }
    let figures = json!({
        "schema": "leak-agent/bench-snapshot/v1",
        "calm": calm,
        "busy_percent": busiest,
        "attach": attaches,
        "sizes": measured,
    });
    file::write("snapshot", &figures)
}
