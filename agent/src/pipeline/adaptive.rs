//! The interval that a monitor chooses by itself: by how fast what it watches changes.
//!
//! No clock in here: the same samples give the same intervals.

use std::time::Duration;

use crate::model::{Assessment, Memory};

/// The interval is never shorter, and never longer.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A sample may take this part of the interval at most.
const SAMPLE_PART: u32 = 20;
/// A change of this part from one sample to the next is fast, and one of less than this part is slow.
const FAST: f64 = 0.05;
const SLOW: f64 = 0.01;
/// So many slow changes one after the other make the interval longer.
const CALM: u32 = 3;
/// Of fewer or less, each is no part of anything.
const MIN_GOROUTINES: u64 = 100;
const MIN_BYTES: u64 = 32 << 20;
const MIN_DESCRIPTORS: u64 = 50;

/// What is compared from sample to sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    goroutines: Option<u64>,
    /// What collections find reachable, or where nobody knows that, what is resident.
    bytes: Option<u64>,
    descriptors: Option<u64>,
    findings: usize,
}

impl Figures {
    pub(super) fn of(assessment: &Assessment) -> Self {
        let memory = assessment.memory.as_ref().map(|account| &account.now);
        let live = memory.and_then(Memory::live_bytes);
        let resident = memory.and_then(|now| Some(now.process?.rss_bytes));
        let held = assessment.resources.as_ref().and_then(|account| account.now.descriptors);
        Self {
            goroutines: assessment.goroutines(),
            bytes: live.or(resident),
            descriptors: held.map(|usage| usage.count),
            findings: assessment.judgement.as_ref().map_or(0, |it| it.findings.len()),
        }
    }

    /// The largest part by which any of them has changed since; a finding more or less is a fast change.
    fn change_since(&self, before: &Self) -> f64 {
        if self.findings != before.findings {
            return FAST;
        }
        let part = |now: Option<u64>, before: Option<u64>, least: u64| match (now, before) {
            (Some(now), Some(before)) => {
                now.abs_diff(before) as f64 / now.max(before).max(least) as f64
            }
            _ => 0.0,
        };
        part(self.goroutines, before.goroutines, MIN_GOROUTINES)
            .max(part(self.bytes, before.bytes, MIN_BYTES))
            .max(part(self.descriptors, before.descriptors, MIN_DESCRIPTORS))
    }
}

/// Chooses it.
#[derive(Clone, Debug)]
pub(super) struct Adaptive {
    interval: Duration,
    before: Option<Figures>,
    calm: u32,
}

impl Adaptive {
    /// Begins with an interval.
    pub(super) fn from(interval: Duration) -> Self {
        Self { interval: interval.clamp(SHORTEST, LONGEST), before: None, calm: 0 }
    }

    /// The interval after a sample that found this and took so long.
    pub(super) fn after(&mut self, figures: Figures, took: Duration) -> Duration {
        let change = self.before.replace(figures).map(|before| figures.change_since(&before));
        match change {
            Some(change) if change >= FAST => {
                self.interval /= 2;
                self.calm = 0;
            }
            Some(change) if change < SLOW => self.calm += 1,
            _ => self.calm = 0,
        }
        if self.calm >= CALM {
            self.interval = self.interval * 3 / 2;
            self.calm = 0;
        }
        self.interval = self.interval.clamp(SHORTEST, LONGEST);
        self.interval.max(took.saturating_mul(SAMPLE_PART))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(intervals: &[Duration]) -> Vec<f64> {
        intervals.iter().map(Duration::as_secs_f64).collect()
    }

    /// The intervals after samples with these numbers of goroutines, each of which took no time.
    fn with(goroutines: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        let mut adaptive = Adaptive::from(Duration::from_secs(10));
        let figures = |count| Figures { goroutines: Some(count), ..Figures::default() };
        let counts = goroutines.into_iter();
        counts.map(|count| adaptive.after(figures(count), Duration::ZERO)).collect()
    }

    #[test]
    fn what_changes_fast_is_sampled_often_and_never_more_than_once_a_second() {
        let doubling = with((0..8).map(|sample| 1000 << sample));
        assert_eq!(seconds(&doubling), [10.0, 5.0, 2.5, 1.25, 1.0, 1.0, 1.0, 1.0]);
        // Of few goroutines a handful more is no change.
        assert!(with([10, 14, 10, 14]).iter().all(|it| *it >= Duration::from_secs(10)));
    }

    #[test]
    fn what_rests_is_sampled_seldom_and_at_least_once_a_minute() {
        let resting = with(std::iter::repeat_n(5000, 40));
        assert_eq!(seconds(&resting[..4]), [10.0, 10.0, 10.0, 15.0]);
        assert_eq!(resting[39], LONGEST);
        // Neither fast nor slow.
        let steady =
            with((0..20_u32).map(|sample| (5000.0 * 1.03_f64.powi(sample.cast_signed())) as u64));
        assert!(steady.iter().all(|it| *it == Duration::from_secs(10)), "{steady:?}");
    }

    #[test]
    fn a_finding_that_comes_is_a_change_and_a_slow_sample_takes_its_part() {
        let mut adaptive = Adaptive::from(Duration::from_secs(60));
        let took = Duration::from_millis(100);
        let found = |findings| Figures { findings, ..Figures::default() };
        assert_eq!(adaptive.after(found(0), took), Duration::from_secs(60));
        assert_eq!(adaptive.after(found(1), took), Duration::from_secs(30));
        assert_eq!(adaptive.after(found(0), took), Duration::from_secs(15));
        assert_eq!(adaptive.after(found(1), Duration::from_secs(2)), Duration::from_secs(40));
        // What the next sample takes is its own.
        assert_eq!(adaptive.after(found(1), took), Duration::from_millis(7500));
    }
}
