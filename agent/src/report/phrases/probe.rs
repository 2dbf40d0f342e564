//! Probes, in words.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::{HitCost, HitNote, ProbeReason, ProbeState};

use super::super::format;

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

/// Why a probe is not attached, or not all the while.
#[must_use]
pub fn probe_reason(reason: &ProbeReason) -> Cow<'_, str> {
    match reason {
        ProbeReason::ShedBefore { times: 1 } => "shed once before".into(),
        ProbeReason::ShedBefore { times } => {
            format!("shed {} times before", format::count(*times)).into()
        }
        ProbeReason::Burst => {
            "there for seconds at most, to learn whether the budget can pay for it".into()
        }
        ProbeReason::NotMeasured => "not measured yet".into(),
        &ProbeReason::OverBudget { hits_per_second, cost, allowed, bursts } => format!(
            "{hits_per_second:.0} hits/s would cost {:.1} % of a core, {:.2} % are allowed \
             (--budget); bursts so far: {bursts}",
            100.0 * cost,
            100.0 * allowed,
        )
        .into(),
        ProbeReason::OnlyCreations => "not asked for (--probes create)".into(),
        ProbeReason::NotLookedAt => {
            "memory and resources are not looked at (--goroutines-only)".into()
        }
        ProbeReason::KeepsProfile => {
            "not needed: the program keeps a memory profile, which says who allocated".into()
        }
        ProbeReason::Plugins => {
            "plugins are loaded: each has its own copies of the runtime's functions, and passes by \
             probes in the program's"
                .into()
        }
        ProbeReason::Failed(why) => why.into(),
    }
}

/// What a hit of a probe is taken to cost, and why: `1.2µs a hit (0.6µs in a loop here, times 2)`.
#[must_use]
pub fn hit_cost(hit: &HitCost) -> String {
    let micros = |time: Duration| format!("{:.2}µs", time.as_secs_f64() * 1e6);
    let from = match (hit_note(hit), hit.in_a_loop) {
        (Some(note), _) => note,
        (None, Some(time)) => {
            format!("{} in a loop here, times {}", micros(time), hit.factor).into()
        }
        (None, None) => "assumed".into(),
    };
    format!("{} a hit ({from})", micros(hit.taken))
}

/// Why that is not what was measured times the factor.
#[must_use]
pub fn hit_note(hit: &HitCost) -> Option<Cow<'_, str>> {
    Some(match hit.note.as_ref()? {
        HitNote::NotBelieved => {
            let in_a_loop = hit.in_a_loop.unwrap_or_default();
            format!("{in_a_loop:?} in a loop is not believed beyond these bounds").into()
        }
        HitNote::NotMeasured { why } => format!("could not be measured: {why}").into(),
        HitNote::Text(text) => text.into(),
        HitNote::Unknown {} => "for a reason that this version of leak-agent does not know".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_hit_says_where_it_comes_from() {
        let measured = HitCost {
            taken: Duration::from_nanos(1_180),
            in_a_loop: Some(Duration::from_nanos(590)),
            factor: 2.0,
            note: None,
        };
        assert_eq!(hit_cost(&measured), "1.18µs a hit (0.59µs in a loop here, times 2)");
        let strange = HitCost { note: Some(HitNote::NotBelieved), ..measured };
        assert_eq!(
            hit_cost(&strange),
            "1.18µs a hit (590ns in a loop is not believed beyond these bounds)"
        );
        let why = HitNote::NotMeasured { why: "no permission".to_owned() };
        let assumed = HitCost { in_a_loop: None, note: Some(why), ..strange };
        assert_eq!(hit_cost(&assumed), "1.18µs a hit (could not be measured: no permission)");
    }
}
