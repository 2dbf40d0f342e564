//! What probes may cost the target, as people write it.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A target that does less than this share of a core is taken to do so much: the shares of next to
/// nothing are next to nothing, and a hit or two would be too many.
const LEAST: f64 = 0.1;

/// A walk of a heap may take so long, whatever the budget.
const MIN_WALK: Duration = Duration::from_secs(1);
/// And no longer.
const MAX_WALK: Duration = Duration::from_secs(60);

/// How much of the target's CPU time probes may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    share: f64,
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Target,
    Core,
    Nothing,
}

impl Default for Budget {
    fn default() -> Self {
        Self { share: 0.01, of: Of::Target }
    }
}

impl Budget {
    /// Whatever it costs.
    pub const UNLIMITED: Self = Self { share: 0.0, of: Of::Nothing };

    /// The seconds of CPU that may be spent in a time in which the target used `cpu`.
    pub(super) fn allows(self, cpu: Duration, passed: Duration) -> f64 {
        let passed = passed.as_secs_f64();
        match self.of {
            Of::Target => self.share * cpu.as_secs_f64().max(LEAST * passed),
            Of::Core => self.share * passed,
            // More than all of its processors can spend.
            Of::Nothing => 1e6 * passed,
        }
    }

    /// For how long a walk of a heap, which takes a core of the agent's, may go on: 10 s where probes may take 1 %
    /// (of a core, or of what the target takes), less or more in proportion, from 1 s to 60 s.
    #[must_use]
    pub fn walk_limit(self) -> Duration {
        match self.of {
            Of::Nothing => MAX_WALK,
            Of::Target | Of::Core => {
                Duration::from_secs_f64((self.share * 1000.0).clamp(0.0, 60.0)).max(MIN_WALK)
            }
        }
    }

    /// How far apart snapshots must be that each cost a target `cost` of its time, if it does as little as any target is
    /// taken to do: what it really does is not asked for, so that a quiet one pays no more than a busy one.
    #[must_use]
    pub fn interval_for(self, cost: Duration) -> Duration {
        let share = self.allows(Duration::ZERO, Duration::from_secs(1));
        let seconds = cost.as_secs_f64() / share;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    pub(super) const fn has_no_limit(self) -> bool {
        matches!(self.of, Of::Nothing)
    }
}

/// What is no budget.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "a budget is written like 1% (of the target's CPU time) or 0.5%core (of one core), up to 100%"
)]
pub struct NoBudget;

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        let (percent, of) = match text.trim().strip_suffix("core") {
            Some(percent) => (percent, Of::Core),
            None => (text.trim(), Of::Target),
        };
        let percent: f64 = percent
            .trim()
            .strip_suffix('%')
            .ok_or(NoBudget)?
            .trim()
            .parse()
            .map_err(|_| NoBudget)?;
        if (0.0..=100.0).contains(&percent) {
            Ok(Self { share: percent / 100.0, of })
        } else {
            Err(NoBudget)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_share_of_the_targets_time_or_of_a_core() {
        let allows = |text: &str, cpu| {
            text.parse::<Budget>().map(|budget| budget.allows(Duration::from_millis(cpu), SECOND))
        };
        assert_eq!(allows("1%", 2000), Ok(0.02));
        assert_eq!(allows("0.5 % core", 2000), Ok(0.005));
        assert_eq!(allows("1%", 3), Ok(0.001), "an idle target counts as a tenth of a core");
        assert_eq!(allows("0%", 2000), Ok(0.0));
    }

    #[test]
    fn what_is_no_budget() {
        for text in ["", "1", "%", "core", "-1%", "101%", "NaN%", "1%cores", "one%"] {
            assert_eq!(text.parse::<Budget>(), Err(NoBudget), "{text}");
        }
    }
}
