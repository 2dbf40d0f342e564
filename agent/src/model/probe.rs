//! Probes: whether they are attached, since when, and why not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a probe watches.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProbeEvent {
    /// Goroutines are created.
    Create,
    /// Goroutines begin to wait.
    Park,
    /// Goroutines end.
    Exit,
    /// Descriptors are opened: files, connections.
    Open,
    /// Objects of more than 32 KiB are allocated, in programs that keep no memory profile.
    Allocate,
}

impl ProbeEvent {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The state of one probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeCoverage {
    /// What it watches.
    pub event: ProbeEvent,
    /// Whether it is attached.
    pub state: ProbeState,
    /// Why it is not, or was not always.
    pub reason: Option<ProbeReason>,
    /// For how long it was attached in all, so that its counts are of these seconds alone.
    pub covered_seconds: f64,
    /// When it was attached and when not, spell by spell, the latest last.
    pub history: Vec<ProbeSpell>,
    /// How many spells there were before those.
    pub history_left_out: u64,
}

/// A time in which a probe's state was the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeSpell {
    /// Which.
    pub state: ProbeState,
    /// Since when, in seconds after the source's first observation.
    pub from_seconds: f64,
    /// Until when; `None` for the one that goes on.
    pub until_seconds: Option<f64>,
}

/// Whether a probe is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeState {
    /// It is.
    Attached,
    /// It is, for seconds at most, which tell whether the budget can pay for it.
    Burst,
    /// It was, and was detached to keep the budget.
    Shed,
    /// It cannot be.
    Unavailable,
}

/// Why a probe is not attached, or not all the while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeReason {
    /// It is, but was shed before.
    ShedBefore {
        /// How often.
        times: u64,
    },
    /// It is a burst, which tells whether the budget can pay for the probe.
    Burst,
    /// No burst has told yet how often it is hit.
    NotMeasured,
    /// It would cost more than the budget allows.
    OverBudget {
        /// How often it would be hit, a second.
        hits_per_second: f64,
        /// What that would cost, as a part of a core.
        cost: f64,
        /// What the budget leaves for it, as a part of a core.
        allowed: f64,
        /// Bursts so far.
        bursts: u64,
    },
    /// Only creations were asked for.
    OnlyCreations,
    /// What it watches is not looked at.
    NotLookedAt,
    /// The program keeps a memory profile, which says it.
    KeepsProfile,
    /// Plugins are loaded, whose goroutines pass the probes by.
    Plugins,
    /// It could not be attached, or was lost.
    #[serde(untagged)]
    Failed(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reasons_are_read_back_and_so_are_those_that_were_kept_as_text() {
        let over =
            ProbeReason::OverBudget { hits_per_second: 9e3, cost: 0.02, allowed: 0.01, bursts: 2 };
        for reason in [over, ProbeReason::NotMeasured, ProbeReason::Failed("no such file".into())] {
            let text = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<ProbeReason>(&text).unwrap(), reason, "{text}");
        }
        let text = "\"9000 hits/s would cost 2.0 % of a core\"";
        let reason = serde_json::from_str::<ProbeReason>(text).unwrap();
        assert_eq!(reason, ProbeReason::Failed("9000 hits/s would cost 2.0 % of a core".into()));
    }
}
