//! What a reader does to the target: the longest time for which a goroutine that always wants to
//! run did not.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::Observe;
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::bench::gap::worst;
use leak_agent_tests::bench::machine::compute;
use leak_agent_tests::endpoint::Endpoint;
use serde::Serialize;

/// For how long each is watched at a time; a longer time has a longer worst gap.
const WATCHED: Duration = Duration::from_secs(1);
/// How often each is watched.
const TURNS: usize = 5;

/// Worst gaps in milliseconds, one for each turn.
#[derive(Debug, Default, Serialize)]
pub struct Gaps {
    /// While nobody looks.
    pub idle_ms: Figure,
    /// While another process computes, and looks at nothing: what sharing the machine costs.
    pub neighbour_ms: Figure,
    /// While our first snapshots follow one another: later ones read less.
    pub ours_ms: Figure,
    /// While profiles with debug=1 do.
    pub debug1_ms: Figure,
    /// During one profile with debug=2.
    pub debug2_ms: Figure,
}

/// Watches the target in turns.
pub fn measure(target: &mut Target, pprof: &Endpoint, many: bool) -> Result<Gaps> {
    let (mut gaps, pid) = (Gaps::default(), target.pid());
    let debug = |page| pprof.read(page, &mut std::io::sink()).map(|_| ());
    target.command("gap start")?;
    for _ in 0..TURNS {
        gaps.idle_ms.add(worst(target, || {
            thread::sleep(WATCHED);
            Ok(())
        })?);
        gaps.neighbour_ms.add(worst(target, || {
            again_and_again(|| {
                compute();
                Ok(())
            })
        })?);
        let ours = || {
            Attach::open(pid, &Options::default())?.next()?;
            Ok(())
        };
        gaps.ours_ms.add(worst(target, || again_and_again(ours))?);
        let debug1 = || debug("goroutine?debug=1");
        gaps.debug1_ms.add(worst(target, || again_and_again(debug1))?);
        if !many {
            gaps.debug2_ms.add(worst(target, || debug("goroutine?debug=2"))?);
        }
    }
    target.command("gap stop")?;
    Ok(gaps)
}

fn again_and_again(mut action: impl FnMut() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        action()?;
    }
    Ok(())
}
