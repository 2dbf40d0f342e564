//! What was usual of a program: how often its quantities had which size, as far back as is remembered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trend::Quantity;

/// How often each quantity of a program had which size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    /// By quantity.
    pub quantities: BTreeMap<Quantity, Sizes>,
}

/// How often a quantity had which size, in steps of a twelfth. When there are many, all of them count half, so that
/// what was long ago counts less and less.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes(BTreeMap<u16, u32>);

/// Steps from a size to its double.
const STEPS: f64 = 8.0;
/// Samples that are counted before all count half.
const MAX_COUNTED: u32 = 20_000;

impl Sizes {
    /// Counts one more. `unit` is the least that makes a difference.
    pub fn add(&mut self, size: f64, unit: f64) {
        // `as` makes 0 of what is no number.
        let step = (STEPS * (size.max(0.0) / unit + 1.0).log2()).round() as u16;
        let count = self.0.entry(step).or_default();
        *count = count.saturating_add(1);
        if self.counted() > MAX_COUNTED {
            self.0.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
    }

    /// How many are counted.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The size that this part of all that are counted is at most; `None` of none, and where that is no size.
    #[must_use]
    pub fn quantile(&self, part: f64, unit: f64) -> Option<f64> {
        let rank = part * f64::from(self.counted());
        let mut below = 0.0;
        let step = self.0.iter().find(|(_, count)| {
            below += f64::from(**count);
            below >= rank
        });
        let size = step.map(|(step, _)| ((f64::from(*step) / STEPS).exp2() - 1.0) * unit);
        // What was kept may say anything.
        size.filter(|size| size.is_finite())
    }
}

/// What is usual of a quantity, and what there is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Which.
    pub quantity: Quantity,
    /// Nine in ten samples were from here.
    pub low: f64,
    /// To here.
    pub high: f64,
    /// By how many samples that is known.
    pub samples: u64,
    /// What there is.
    pub now: f64,
    /// Whether that is far more than usual.
    pub is_above: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_back_to_within_a_step() {
        for size in [0.0, 1.0, 50.0, 412.0, 1e6] {
            let mut sizes = Sizes::default();
            sizes.add(size, 1.0);
            let back = sizes.quantile(0.5, 1.0).expect("one is counted");
            assert!((back - size).abs() <= 0.05 * (size + 1.0), "{size}: {back}");
        }
        assert_eq!(Sizes::default().quantile(0.5, 1.0), None);
    }

    #[test]
    fn what_was_long_ago_counts_ever_less_in_bounded_memory() {
        let mut sizes = Sizes::default();
        for size in [10.0, 1000.0] {
            for _ in 0..2 * MAX_COUNTED {
                sizes.add(size, 1.0);
            }
        }
        assert!(sizes.counted() <= MAX_COUNTED);
        assert!(sizes.quantile(0.3, 1.0).expect("counted") > 900.0);
        for size in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
            sizes.add(size, 1.0);
        }
        assert!(sizes.0.len() <= 6);
    }
}
