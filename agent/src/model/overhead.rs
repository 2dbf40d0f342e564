//! What the agent cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the agent cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// The agent's own CPU, in percent of one core, over the window.
    pub agent_cpu_percent: Option<f64>,
    /// What the target paid, in percent of one core, as estimated. 0 with snapshots alone, which
    /// run none of the target's threads.
    pub target_cpu_percent_estimate: Option<f64>,
    /// What one hit of a probe is taken to cost the target; `None` without probes.
    pub hit: Option<HitCost>,
    /// The agent's resident memory.
    pub agent_rss_bytes: Option<u64>,
    /// Each pause of the target, in milliseconds. Empty: nothing was ever paused.
    pub pauses_ms: Vec<f64>,
    /// How long the last snapshot took.
    pub snapshot: Option<Duration>,
}

impl Overhead {
    /// Adds what the target paid beside sampling, within a window. Of a window without a length nothing is known.
    pub fn charge(&mut self, paid: Duration, window: Duration) {
        let percent = 100.0 * paid.as_secs_f64() / window.as_secs_f64();
        if let Some(estimate) =
            self.target_cpu_percent_estimate.as_mut().filter(|_| percent.is_finite())
        {
            *estimate += percent;
        }
    }
}

/// What one hit of a probe is taken to cost the target, and where that comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitCost {
    /// What the budget is kept with.
    pub taken: Duration,
    /// What a hit costs in an empty loop on this host; `None` if that was not measured.
    pub in_a_loop: Option<Duration>,
    /// How much more it costs in a real server, whose caches are cold.
    pub factor: f64,
    /// Why it is not the one times the other.
    pub note: Option<HitNote>,
}

/// Why what a hit is taken to cost is not what was measured times the factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum HitNote {
    /// It was measured, and is not believed: the nearest cost that is believed was taken.
    NotBelieved,
    /// It could not be measured.
    NotMeasured {
        /// Why.
        why: String,
    },
    /// In words of its own, as recordings hold it of before this was a value.
    #[serde(untagged)]
    Text(String),
    /// One of a later version's recording, which this one does not know.
    #[serde(untagged)]
    Unknown {},
}
