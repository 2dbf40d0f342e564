//! `cargo xtask bench memory`: what it costs to know a heap, and what the target feels of that.
//!
//! Each size has a target of its own. What is compared is measured in turns, so that whatever disturbs the machine
//! disturbs both; ratios are those of each round.

mod holders;
mod size;
mod table;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use leak_agent_tests::agent;
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::machine::{CALM_PERCENT, busy_percent};
use serde_json::json;

use size::{Peer, Size};

/// The megabytes of the targets' heaps, where nothing else is asked for.
const SIZES: [u32; 2] = [1_000, 10_000];

fn main() -> ExitCode {
    match asked().and_then(|(sizes, goref)| bench(&sizes, goref)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// From `--goref PATH 1000 10000`.
fn asked() -> Result<(Vec<u32>, Option<PathBuf>)> {
    let (mut sizes, mut goref) = (Vec::new(), None);
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--goref" {
            let path = PathBuf::from(args.next().context("--goref needs the path of grf")?);
            if !path.is_file() {
                bail!("{} is no file", path.display());
            }
            goref = Some(path);
        } else {
            sizes.push(arg.parse().with_context(|| format!("{arg} is no number of megabytes"))?);
        }
    }
    Ok((if sizes.is_empty() { SIZES.to_vec() } else { sizes }, goref))
}

fn bench(sizes: &[u32], goref: Option<PathBuf>) -> Result<()> {
    let busy = busy_percent()?;
    table::machine(busy);
    let peer = match goref {
        Some(grf) => Some(Peer::new(grf)?),
        None => {
            println!("Without goref: --goref PATH/grf measures beside it.");
            None
        }
    };
    let agent = agent::binary()?;
    let mut measured = Vec::new();
    for &megabytes in sizes {
        let size = Size::measure(&agent, peer.as_ref(), megabytes)?;
        table::size(&size);
        measured.push(size);
    }
    let calm = busy <= CALM_PERCENT;
    if !calm {
        println!("\nThe machine was not calm: compare ratios only.");
    }
    file::write(
        "memory",
        &json!({
            "schema": "leak-agent/bench-memory/v1",
            "calm": calm,
            "busy_percent": busy,
            "sizes": measured,
        }),
    )
}
