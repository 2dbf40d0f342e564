//! One size: our snapshot and the target's own profiles, in turns.

use std::time::Instant;

use anyhow::{Result, ensure};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::Observe;
use leak_agent_tests::bench::figure::{Figure, milliseconds};
use leak_agent_tests::bench::machine::busy_percent;
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Target, agent};
use serde::Serialize;

use crate::{gaps, gaps::Gaps, weigh};

/// The version of Go that the targets are built with.
pub const GO: &str = "1.26.6";
/// Rounds for up to 100,000 goroutines; for more, where each takes seconds.
const ROUNDS: (usize, usize) = (9, 5);
/// More goroutines than that, and the rounds are fewer, without debug=2: it takes minutes, and pprof
/// cuts it off anyway.
const MANY: u32 = 100_000;
/// How often the agent is weighed.
const WEIGHINGS: usize = 3;

/// What a target holds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shape {
    /// How many goroutines.
    pub goroutines: u32,
    /// Frames of its own that each is blocked below.
    pub depth: u32,
}

/// What was measured with one target.
#[derive(Debug, Serialize)]
pub struct Size {
    /// What it holds.
    #[serde(flatten)]
    pub shape: Shape,
    /// How much of the machine others used just before.
    pub busy_percent: f64,
    /// Our first snapshot, in which every stack is read and named.
    pub ours_ms: Figure,
    /// The one after it, in which nobody has run since.
    pub again_ms: Figure,
    /// What the target takes to profile itself, by `debug=`: 0, 1, 2.
    pub debug_ms: [Figure; 3],
    /// `debug_ms` over `ours_ms`, round by round.
    pub ratios: [Figure; 3],
    /// What `leak-agent check` takes at its peak.
    pub check_rss_bytes: Figure,
    /// The worst scheduling gaps in the target.
    pub gaps: Gaps,
}

impl Size {
    /// Starts a target, and measures.
    pub fn measure(shape: Shape) -> Result<Self> {
        let Shape { goroutines, depth } = shape;
        let args = [goroutines.to_string(), depth.to_string()];
        let mut target = Target::start_with(GO, "exe", "blocked", &args)?;
        let pprof = Endpoint::of(&target.command("pprof")?)?;
        let busy_percent = busy_percent()?;

        let (mut ours_ms, mut again_ms) = (Figure::default(), Figure::default());
        let mut debug_ms: [Figure; 3] = Default::default();
        let many = goroutines > MANY;
        for _ in 0..if many { ROUNDS.1 } else { ROUNDS.0 } {
            let mut attach = Attach::open(target.pid(), &Options::default())?;
            ours_ms.add(ours(&mut attach, goroutines)?);
            again_ms.add(ours(&mut attach, goroutines)?);
            drop(attach);
            for (level, figure) in debug_ms.iter_mut().enumerate() {
                if level < 2 || !many {
                    figure.add(theirs(&pprof, level)?);
                }
            }
        }
        let gaps = gaps::measure(&mut target, &pprof, many)?;

        let agent = agent::binary()?;
        let mut check_rss_bytes = Figure::default();
        for _ in 0..WEIGHINGS {
            check_rss_bytes.add(weigh::check(&agent, target.pid())?);
        }
        let ratios = debug_ms.each_ref().map(|theirs| ours_ms.ratios(theirs));
        Ok(Self { shape, busy_percent, ours_ms, again_ms, debug_ms, ratios, check_rss_bytes, gaps })
    }
}

/// One snapshot of ours, in milliseconds.
fn ours(attach: &mut Attach, goroutines: u32) -> Result<f64> {
    let start = Instant::now();
    let seen = attach.next()?;
    let took = milliseconds(start.elapsed());
    let read = seen.coverage.goroutines_read;
    ensure!(read >= u64::from(goroutines), "only {read} of {goroutines} were read");
    Ok(took)
}

/// One profile of the target's own, read to its end, in milliseconds.
fn theirs(pprof: &Endpoint, level: usize) -> Result<f64> {
    let start = Instant::now();
    let bytes = pprof.read(&format!("goroutine?debug={level}"), &mut std::io::sink())?;
    ensure!(bytes > 0, "debug={level} is empty");
    Ok(milliseconds(start.elapsed()))
}
