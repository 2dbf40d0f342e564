//! What the agent itself costs: its CPU and memory.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::host::memory::resident_bytes;
use crate::model::{HitCost, Overhead};

/// Measures from when it was started.
pub(super) struct Cost {
    started: Instant,
    cpu_at_start: Duration,
}

impl Cost {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), cpu_at_start: cpu().unwrap_or_default() }
    }

    /// The cost since the start, the last snapshot having taken `snapshot`, and hits of probes
    /// `probes` of the target's time, at `hit` each.
    pub(super) fn so_far(
        &self,
        snapshot: Duration,
        probes: Duration,
        hit: Option<HitCost>,
    ) -> Overhead {
        let elapsed = self.started.elapsed().as_secs_f64();
        let percent =
            |spent: Duration| (elapsed > 0.0).then(|| 100.0 * spent.as_secs_f64() / elapsed);
        Overhead {
            agent_cpu_percent: cpu()
                .and_then(|now| percent(now.saturating_sub(self.cpu_at_start)))
                // Attaching costs once; a share of so short a time says nothing.
                .filter(|_| elapsed >= 1.0),
            // Reading memory runs none of the target's threads: only probes cost it anything.
            target_cpu_percent_estimate: percent(probes),
            hit,
            agent_rss_bytes: resident_bytes(),
            pauses_ms: Vec::new(),
            snapshot: Some(snapshot),
        }
    }
}

fn cpu() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    u64::try_from(micros).ok().map(Duration::from_micros)
}
