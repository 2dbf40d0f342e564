//! How often something happens, and how well that is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// How a rate is known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RateBasis {
    /// Probes have counted every one since they were attached.
    Exact,
    /// Counted while probes were attached, which was not all the time.
    Estimate,
    /// Some were not seen: snapshots do not see who comes and goes between two of them, or probes
    /// are known to miss some.
    #[default]
    LowerBound,
}

impl RateBasis {
    /// How a sum of both is known.
    #[must_use]
    pub const fn lesser(self, other: Self) -> Self {
        match (self, other) {
            (Self::LowerBound, _) | (_, Self::LowerBound) => Self::LowerBound,
            (Self::Estimate, _) | (_, Self::Estimate) => Self::Estimate,
            (Self::Exact, Self::Exact) => Self::Exact,
        }
    }

    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How often something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// By the second.
    pub per_second: f64,
    /// How that is known.
    pub basis: RateBasis,
    /// An estimate's 95 % interval, by the second; `None` for what is none.
    pub interval: Option<(f64, f64)>,
}

impl Rate {
    /// Both together, as of two places: no better known than the less known of them.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let basis = self.basis.lesser(other.basis);
        let bounds = |rate: Self| rate.interval.unwrap_or((rate.per_second, rate.per_second));
        let ((a, b), (c, d)) = (bounds(self), bounds(other));
        Self {
            per_second: self.per_second + other.per_second,
            basis,
            interval: (basis == RateBasis::Estimate).then_some((a + c, b + d)),
        }
    }
}

/// Goroutines created and exited, by the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Goroutines created.
    pub created_per_second: f64,
    /// Goroutines exited.
    pub exited_per_second: f64,
    /// How both are known.
    #[serde(default)]
    pub basis: RateBasis,
    /// An estimate's 95 % interval of the creations.
    #[serde(default)]
    pub created_interval: Option<(f64, f64)>,
    /// An estimate's 95 % interval of the exits.
    #[serde(default)]
    pub exited_interval: Option<(f64, f64)>,
}

impl Rates {
    /// Lower bounds.
    #[must_use]
    pub const fn at_least(created_per_second: f64, exited_per_second: f64) -> Self {
        Self {
            created_per_second,
            exited_per_second,
            basis: RateBasis::LowerBound,
            created_interval: None,
            exited_interval: None,
        }
    }

    /// Both, known alike.
    #[must_use]
    pub const fn of(created: Rate, exited: Rate) -> Self {
        Self {
            created_per_second: created.per_second,
            exited_per_second: exited.per_second,
            basis: created.basis,
            created_interval: created.interval,
            exited_interval: exited.interval,
        }
    }

    /// An estimate or a lower bound is raised to what was seen with certainty. What was counted exactly
    /// stays as it is.
    #[must_use]
    pub fn no_less_than(self, seen: &Self) -> Self {
        let raised = |rate: Rate, least: f64| {
            if rate.basis == RateBasis::Exact {
                return rate;
            }
            let per_second = rate.per_second.max(least);
            let interval = rate
                .interval
                .map(|(low, high)| (low.max(least).min(per_second), high.max(per_second)));
            Rate { per_second, interval, ..rate }
        };
        Self::of(
            raised(self.created(), seen.created_per_second),
            raised(self.exited(), seen.exited_per_second),
        )
    }

    /// Creations.
    #[must_use]
    pub const fn created(&self) -> Rate {
        Rate {
            per_second: self.created_per_second,
            basis: self.basis,
            interval: self.created_interval,
        }
    }

    /// Exits.
    #[must_use]
    pub const fn exited(&self) -> Rate {
        Rate {
            per_second: self.exited_per_second,
            basis: self.basis,
            interval: self.exited_interval,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_raises_what_is_not_exact() {
        let seen = Rates::at_least(20.0, 0.0);
        let raised = |basis, interval| {
            let rate = Rate { per_second: 10.0, basis, interval };
            Rates::of(rate, rate).no_less_than(&seen).created()
        };
        assert_eq!(raised(RateBasis::Exact, None).per_second, 10.0);
        assert_eq!(raised(RateBasis::LowerBound, None).per_second, 20.0);
        let estimate = raised(RateBasis::Estimate, Some((8.0, 30.0)));
        assert_eq!((estimate.per_second, estimate.interval), (20.0, Some((20.0, 30.0))));
    }

    #[test]
    fn a_sum_is_as_well_known_as_its_lesser_part() {
        let exact = Rate { per_second: 2.0, basis: RateBasis::Exact, interval: None };
        let estimate =
            Rate { per_second: 10.0, basis: RateBasis::Estimate, interval: Some((8.0, 12.0)) };
        assert_eq!(exact.plus(exact).basis, RateBasis::Exact);
        let both = exact.plus(estimate);
        assert_eq!((both.per_second, both.interval), (12.0, Some((10.0, 14.0))));
        let bound = Rate { per_second: 1.0, basis: RateBasis::LowerBound, interval: None };
        assert_eq!((both.plus(bound).basis, both.plus(bound).interval), (bound.basis, None));
    }
}
