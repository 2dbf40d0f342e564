//! Probes, in words.

use crate::model::ProbeState;

/// Whether a probe is attached, and if not, why: `in a burst`, `shed`.
#[must_use]
pub const fn probe_state(state: ProbeState) -> &'static str {
    match state {
        ProbeState::Attached => "attached",
        ProbeState::Burst => "in a burst",
        ProbeState::Shed => "shed",
        ProbeState::Unavailable => "unavailable",
    }
}
