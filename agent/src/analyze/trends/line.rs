//! A line through points, and how far off what it foretells may be.

use std::time::Duration;

use crate::model::{Estimate, Growth, Reached};

/// What is further away than this is not told.
const FAR: Duration = Duration::from_hours(24 * 30);
/// Halvings that find a moment within a month to a microsecond.
const HALVINGS: u32 = 42;
/// The variance of the slope through a random walk, in that of its mean rate.
const OF_WALK: f64 = 1.2;
/// What steps leave of their variance at least when they even each other out.
const LEAST_LEFT: f64 = 0.05;
/// The normal distribution's quantile of a 95 % interval.
const NORMAL: f64 = 1.959_964;

/// A line, with the 95 % interval of what it foretells. The interval widens with the time ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The mean of the points' times, in seconds, and the value there.
    middle: (f64, f64),
    /// The last point's time.
    last: f64,
    per_second: f64,
    /// Half of the interval of the slope.
    slope_half: f64,
    /// Half of the interval of one value around the line.
    noise_half: f64,
    /// How far the number wanders from its line by itself in a second, as half of an interval.
    wander_half: f64,
}

impl Line {
    /// With the slope of a growth through its points; `None` for fewer than three.
    pub(super) fn through(points: &[(f64, f64)], growth: &Growth) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        if points.len() < 3 || last.0 <= first.0 {
            return None;
        }
        let n = points.len() as f64;
        let mean = points.iter().map(|point| point.0).sum::<f64>() / n;
        let above = |&(at, value): &(f64, f64)| value - growth.per_second * (at - mean);
        let mut levels: Vec<f64> = points.iter().map(above).collect();
        let level = median(&mut levels)?;
        let rest: Vec<f64> = points.iter().map(|point| above(point) - level).collect();
        let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
        let deviation = (squares / (n - 2.0)).sqrt();
        // What goes on from sample to sample tells less than so many points that know nothing of each other.
        let effective = effective(&rest).clamp(4.0_f64.min(n), n);
        let quantile = student(effective - 2.0);
        let spread: f64 = points.iter().map(|point| (point.0 - mean).powi(2)).sum();
        let wander = wander(points);
        let by_wander = (OF_WALK * wander / (last.0 - first.0)).sqrt();
        let by_rest = deviation / (spread * effective / n).sqrt();
        let by_pairs = (growth.high - growth.low) / (2.0 * NORMAL);
        Some(Self {
            middle: (mean, level),
            last: last.0,
            per_second: growth.per_second,
            slope_half: quantile * by_rest.max(by_pairs).max(by_wander),
            noise_half: quantile * deviation * (1.0 + 1.0 / effective).sqrt(),
            wander_half: quantile * wander.sqrt(),
        })
    }

    /// The value so many seconds after the last point.
    pub(super) fn ahead(&self, seconds: f64) -> Estimate {
        let likely = self.middle.1 + self.per_second * (self.last + seconds - self.middle.0);
        let half = self.half(seconds);
        Estimate { likely, low: likely - half, high: likely + half }
    }

    fn half(&self, seconds: f64) -> f64 {
        let of_slope = self.slope_half * (self.last + seconds - self.middle.0);
        self.noise_half.hypot(of_slope).hypot(self.wander_half * seconds.sqrt())
    }

    /// When the line is by so much above where it is at the last point; `None` where that is far away, or never.
    pub(super) fn reached(&self, left: f64) -> Option<Reached> {
        let far = FAR.as_secs_f64();
        let upper = |seconds: f64| self.per_second * seconds + self.half(seconds);
        let lower = |seconds: f64| self.per_second * seconds - self.half(seconds);
        if self.per_second <= 0.0 || upper(far) < left {
            return None;
        }
        let time = |seconds: f64| {
            Duration::try_from_secs_f64(seconds.max(0.0)).ok().filter(|time| *time <= FAR)
        };
        let likely = left / self.per_second;
        // The lower bound rises for ever, or may never get there.
        let comes = self.per_second > self.slope_half && lower(far) >= left;
        Some(Reached {
            // What is searched for is found to a microsecond.
            earliest: time(first(upper, left, far).min(likely))?,
            likely: time(likely),
            latest: comes.then(|| first(lower, left, far).max(likely)).and_then(time),
        })
    }
}

/// The first moment at which a function that rises has a value, from 0 to `far`, where it has it.
fn first(function: impl Fn(f64) -> f64, value: f64, far: f64) -> f64 {
    let (mut before, mut after) = (0.0, far);
    if function(before) >= value {
        return before;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(before, after);
        if function(middle) >= value {
            after = middle;
        } else {
            before = middle;
        }
    }
    after
}

/// The middle one; of an even number the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// As how many values that know nothing of each other these count, by how alike neighbours are (the first
/// autocorrelation).
pub(super) fn effective(rest: &[f64]) -> f64 {
    let n = rest.len() as f64;
    let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
    if squares <= 0.0 {
        return n;
    }
    let alike: f64 = rest.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let alike = (alike / squares).clamp(0.0, 0.9);
    n * (1.0 - alike) / (1.0 + alike)
}

/// The variance that a number gathers in a second that goes on from where it is, as one does to which chance adds; about
/// none of one that noise moves around its line, whose steps even each other out.
fn wander(points: &[(f64, f64)]) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 0.0 };
    let steps: Vec<f64> = points.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    let mean = (last.1 - first.1) / steps.len() as f64;
    let rest: Vec<f64> = steps.iter().map(|step| step - mean).collect();
    long_variance(&rest) * rest.len() as f64 / (last.0 - first.0)
}

/// The variance of the mean of values around 0, times their number: with what each has in common with the one before
/// it (Newey and West 1987, of one lag without a weight).
pub(super) fn long_variance(rest: &[f64]) -> f64 {
    let n = rest.len() as f64;
    let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
    let neighbours: f64 = rest.windows(2).map(|pair| pair[0] * pair[1]).sum();
    (squares + 2.0 * neighbours).max(LEAST_LEFT * squares) / n
}

/// Student's quantile of a two-sided 95 % interval, from 2 degrees of freedom on to within 3 % (Cornish and Fisher's
/// expansion).
fn student(freedom: f64) -> f64 {
    let (freedom, z) = (freedom.max(2.0), NORMAL);
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_quantiles() {
        for (freedom, expected) in [(2.0, 4.303), (5.0, 2.571), (10.0, 2.228), (100.0, 1.984)] {
            let found = student(freedom);
            assert!((found - expected).abs() <= 0.035 * expected, "{freedom}: {found}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn values_that_follow_each_other_count_as_fewer() {
        let walk: Vec<f64> = (0..30).map(|at| f64::from(at) - 14.5).collect();
        assert!(effective(&walk) < 5.0);
        let turns: Vec<f64> = (0..30).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert!(effective(&turns) >= 30.0);
        assert!(effective(&[0.0; 9]) >= 9.0);
    }
}
