//! The time that profiles are asked for of.

use std::fmt;
use std::time::Duration;

use crate::model::Timestamp;

/// No step is shorter: stores keep times in milliseconds, and programs are profiled every few seconds.
const MIN_STEP: Duration = Duration::from_secs(1);

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; later than it begins.
    pub until: Timestamp,
}

impl Range {
    /// How long it is.
    #[must_use]
    pub fn duration(self) -> Duration {
        let ns = self.until.unix_ns().saturating_sub(self.from.unix_ns());
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
    }

    /// From the first of these times to the last; `None` where there are none.
    pub(super) fn over(times: impl Iterator<Item = Timestamp>) -> Option<Self> {
        times.fold(None, |range, at| match range {
            None => Some(Self { from: at, until: at }),
            Some(Self { from, until }) => Some(Self { from: from.min(at), until: until.max(at) }),
        })
    }

    /// A step of which it has about so many, in whole seconds.
    pub(super) fn step(self, steps: u32) -> Duration {
        let seconds = self.duration().as_secs().div_ceil(u64::from(steps.max(1)));
        Duration::from_secs(seconds).max(MIN_STEP)
    }

    /// The part of it in which these times are, if that is less than half of it.
    pub(super) fn narrowed(
        self,
        times: impl Iterator<Item = Timestamp>,
        step: Duration,
    ) -> Option<Self> {
        let Self { from: first, until: last } = Self::over(times)?;
        // A step tells of one of its times alone.
        let step_ns = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
        let narrower = Self {
            from: Timestamp::from_unix_ns(first.unix_ns().saturating_sub(step_ns)).max(self.from),
            until: Timestamp::from_unix_ns(last.unix_ns().saturating_add(step_ns)).min(self.until),
        };
        let is_less = narrower.duration() < self.duration() / 2;
        (step > MIN_STEP && is_less).then_some(narrower)
    }
}

/// `between 2026-11-29T07:00:00Z and 2026-11-29T08:00:00Z`.
impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = |at: Timestamp| format!("{:.0}", time(at));
        write!(out, "between {} and {}", second(self.from), second(self.until))
    }
}

/// A time as stores read it.
pub(super) fn rfc3339(at: Timestamp) -> String {
    time(at).to_string()
}

fn time(at: Timestamp) -> jiff::Timestamp {
    // Every number of nanoseconds that 64 bits hold is a time.
    jiff::Timestamp::from_nanosecond(at.unix_ns().into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ns(second * 1_000_000_000)
    }

    #[test]
    fn a_range_has_as_many_steps_as_are_asked_for() {
        let hour = Range { from: at(0), until: at(3600) };
        assert_eq!(hour.step(60), Duration::from_secs(60));
        assert_eq!(hour.step(7), Duration::from_secs(515));
        assert_eq!(Range { from: at(0), until: at(5) }.step(60), MIN_STEP);
        assert_eq!(hour.to_string(), "between 1970-01-01T00:00:00Z and 1970-01-01T01:00:00Z");
    }

    #[test]
    fn a_range_in_which_little_happened_is_narrowed() {
        let hour = Range { from: at(0), until: at(3600) };
        let narrowed = |times: &[i64]| {
            hour.narrowed(times.iter().map(|&second| at(second)), Duration::from_secs(60))
        };
        assert_eq!(narrowed(&[1000, 1090]), Some(Range { from: at(940), until: at(1150) }));
        assert_eq!(narrowed(&[3590, 3550]), Some(Range { from: at(3490), until: at(3600) }));
        assert_eq!(narrowed(&[10, 1800]), None);
        assert_eq!(narrowed(&[]), None);
        assert_eq!(hour.narrowed([at(7)].into_iter(), MIN_STEP), None);
    }
}
