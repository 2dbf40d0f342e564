//! Repeated measurements of one thing, and what they come to.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::json;

/// Measurements of one thing, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// Adds a measurement.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; the mean of the two middle ones for an even number. `None` without any.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The least one; `None` without any.
    #[must_use]
    pub fn least(&self) -> Option<f64> {
        self.0.iter().copied().min_by(f64::total_cmp)
    }

    /// Half of what the middle half of the measurements spans, in percent of the median.
    #[must_use]
    pub fn spread_percent(&self) -> Option<f64> {
        let span = self.quantile(0.75)? - self.quantile(0.25)?;
        Some(50.0 * span / self.median()?)
    }

    /// By how much `other` is larger, pair by pair: what disturbed the machine disturbed both.
    #[must_use]
    pub fn ratios(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(ours, theirs)| theirs / ours).collect())
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = share * sorted.len().checked_sub(1)? as f64;
        let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        Some(below + (above - below) * at.fract())
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (least, median, spread) = (self.least(), self.median(), self.spread_percent());
        json!({ "least": least, "median": median, "spread_percent": spread, "all": self.0 })
            .serialize(serializer)
    }
}

/// A time as figures have it.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        Figure(values.to_vec())
    }

    #[test]
    fn one_outlier_moves_neither_median_nor_spread() {
        let calm = figure(&[10.0, 12.0, 11.0, 900.0, 10.5]);
        assert_eq!(calm.median(), Some(11.0));
        assert_eq!(calm.spread_percent(), Some(50.0 * 1.5 / 11.0));
        assert_eq!(calm.least(), Some(10.0));
        assert_eq!(figure(&[1.0, 2.0]).median(), Some(1.5));
        assert_eq!(figure(&[]).median(), None);
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let (ours, theirs) = (figure(&[1.0, 10.0]), figure(&[3.0, 30.0]));
        assert_eq!(ours.ratios(&theirs).median(), Some(3.0));
    }
}
