//! How a count grows: a robust slope with its confidence, the shape of the curve, a forecast.

use std::time::Duration;

use crate::model::{Forecast, Growth, GrowthPattern};

/// More points than this are thinned before slopes are taken between all pairs.
const POINTS: usize = 128;

/// How improbable a rest must be before a count is said to have stopped.
const STOPPED_BY_CHANCE: f64 = 0.01;

/// What fills up to a bound adds less than this part of the first half's rate in the second.
const STEADY: f64 = 0.7;

/// What is further away than this is not told.
const FAR: Duration = Duration::from_hours(24 * 30);

/// Seconds in the hour that a forecast looks ahead.
const HOUR: f64 = 3600.0;

/// The growth of a count over seconds; `None` for fewer than three points or no time between them.
pub(super) fn growth(points: &[(f64, f64)]) -> Option<Growth> {
    let points = thinned(points);
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 3 || last.0 <= first.0 {
        return None;
    }
    let (per_second, low, high) = slope(&points)?;
    let line = r2(&points, |&(_, count)| count);
    let curve = if points.iter().all(|&(_, count)| count >= 1.0) {
        r2(&points, |&(_, count)| count.ln())
    } else {
        0.0
    };
    let pattern = shape(&points, (low, high), line, curve);
    let r2 = if pattern == GrowthPattern::Exponential { curve } else { line };
    let growing = pattern.rises();
    // A curve that doubles and doubles leads beyond all numbers within the hour: the line through
    // its end is what can be said.
    let forecast = growing.then(|| Forecast {
        in_1h: ahead(last.1, per_second),
        low: ahead(last.1, low),
        high: ahead(last.1, high),
    });
    Some(Growth { per_second, low, high, pattern, r2, forecast })
}

fn ahead(now: f64, per_second: f64) -> u64 {
    (now + per_second * HOUR).max(0.0).round() as u64
}

/// Whether the second half of the time adds about as much as the first, or more.
pub(super) fn is_steady(points: &[(f64, u64)]) -> bool {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return false };
    let middle = f64::midpoint(first.0, last.0);
    let before = points.iter().rev().find(|point| point.0 <= middle);
    let Some(before) = before.filter(|before| last.0 > before.0 && before.0 > first.0) else {
        return false;
    };
    // The two parts are seldom of equal length: collections come when they come.
    let rate = |from: &(f64, u64), to: &(f64, u64)| (to.1 as f64 - from.1 as f64) / (to.0 - from.0);
    rate(before, last) >= STEADY * rate(first, before)
}

/// When what is left is used up if the growth goes on, at the earliest and at the latest within the growth's
/// interval; `None` where that is far away.
pub(super) fn reached_in(left: f64, growth: &Growth) -> Option<(Duration, Option<Duration>)> {
    let after = |per_second: f64| {
        let after = Duration::try_from_secs_f64(left / per_second).ok();
        after.filter(|after| *after <= FAR)
    };
    Some((after(growth.high)?, after(growth.low)))
}

/// Evenly chosen points, the first and last among them.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    let last = points.len() - 1;
    (0..POINTS).map(|at| points[at * last / (POINTS - 1)]).collect()
}

/// The median of the slopes between all pairs (Theil 1950, Sen 1968), and the bounds of its 95 %
/// confidence interval by Kendall's variance.
fn slope(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    if points.iter().all(|&(_, count)| count == points[0].1) {
        // Most groups of a large program stand still.
        return Some((0.0, 0.0, 0.0));
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (at, &(time, count)) in points.iter().enumerate() {
        for &(later, then) in &points[at + 1..] {
            if later > time {
                slopes.push((then - count) / (later - time));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let pairs = slopes.len() as f64;
    let n = points.len() as f64;
    let spread = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let last = slopes.len() - 1;
    // The one of a rank, without sorting all: there is a curve for each of many groups.
    let mut at = |rank: f64| {
        let rank = (rank.max(0.0) as usize).min(last);
        *slopes.select_nth_unstable_by(rank, f64::total_cmp).1
    };
    Some((at(pairs / 2.0), at((pairs - spread) / 2.0), at((pairs + spread) / 2.0)))
}

/// How much of the variance a straight line explains.
fn r2(points: &[(f64, f64)], value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let n = points.len() as f64;
    let mean_t = points.iter().map(|point| point.0).sum::<f64>() / n;
    let mean_v = points.iter().map(&value).sum::<f64>() / n;
    let (mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0);
    for point in points {
        let (t, v) = (point.0 - mean_t, value(point) - mean_v);
        tt += t * t;
        tv += t * v;
        vv += v * v;
    }
    if tt <= 0.0 || vv <= 0.0 { 0.0 } else { (tv * tv / (tt * vv)).clamp(0.0, 1.0) }
}

fn shape(points: &[(f64, f64)], (low, high): (f64, f64), line: f64, curve: f64) -> GrowthPattern {
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let (least, most) = values
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), &value| (least.min(value), most.max(value)));
    let range = most - least;
    if range == 0.0 {
        return GrowthPattern::Flat;
    }
    let (first, last) = (values[0], values[values.len() - 1]);
    let ups = values.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let downs = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let fallen: f64 = values.windows(2).map(|pair| (pair[0] - pair[1]).max(0.0)).sum();
    // What it climbed it lost again, more or less.
    if fallen > range * 0.9 && downs >= 2 && ups >= 2 && (last - first).abs() < fallen {
        return GrowthPattern::Oscillating;
    }
    if high < 0.0 || last < first {
        return GrowthPattern::Shrinking;
    }
    if has_stopped(points) {
        return GrowthPattern::Plateau;
    }
    if curve > 0.95 && curve > line + 0.02 && last >= first.max(1.0) * 3.0 {
        return GrowthPattern::Exponential;
    }
    if ups * 3 <= values.len() && ups <= 8 && range >= 3.0 * ups as f64 {
        return GrowthPattern::Stepped;
    }
    if low > 0.0 || (line > 0.7 && last > first) {
        return GrowthPattern::Linear;
    }
    GrowthPattern::Flat
}

/// Whether a count that grew has stood still for much longer than from one rise to the next.
fn has_stopped(points: &[(f64, f64)]) -> bool {
    let rises: Vec<f64> =
        points.windows(2).filter(|pair| pair[1].1 > pair[0].1).map(|pair| pair[1].0).collect();
    let Some(&last) = rises.last() else { return false };
    let (start, end) = (points[0].0, points[points.len() - 1].0);
    // The first rise came some time after the start, which is a gap like any other.
    let gap = (last - start) / rises.len() as f64;
    let is_quiet = end - last > 3.0 * gap.max((end - start) / points.len() as f64);
    // Rises that come by chance, as deadlocks do, leave such a gap now and then: all of them fall into the time
    // before it with this probability.
    let by_chance = ((last - start) / (end - start)).powf(rises.len() as f64);
    is_quiet && by_chance < STOPPED_BY_CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_second(counts: impl IntoIterator<Item = u32>) -> Vec<(f64, f64)> {
        counts.into_iter().enumerate().map(|(t, c)| (t as f64, f64::from(c))).collect()
    }

    fn of(counts: impl IntoIterator<Item = u32>) -> Growth {
        growth(&each_second(counts)).expect("points enough")
    }

    #[test]
    fn a_line_with_one_wild_point_keeps_its_slope() {
        let mut counts: Vec<u32> = (0..30).map(|t| 100 + 5 * t).collect();
        counts[10] = 9000;
        let growth = of(counts);
        assert!((growth.per_second - 5.0).abs() < 0.1, "{growth:?}");
        assert!(growth.low > 4.5 && growth.high < 5.5, "{growth:?}");
    }

    #[test]
    fn shapes() {
        for (expected, counts) in [
            (GrowthPattern::Flat, vec![7; 30]),
            (GrowthPattern::Linear, (0..30).map(|t| 10 + 3 * t).collect()),
            (GrowthPattern::Linear, (0..30).map(|t| t / 5).collect()),
            (GrowthPattern::Exponential, (0..30).map(|t| 1 << (t / 3)).collect()),
            (GrowthPattern::Stepped, (0..30).map(|t| t / 5 * 200).collect()),
            (GrowthPattern::Plateau, (0..30).map(|t: u32| t.min(20) * 8).collect()),
            (GrowthPattern::Oscillating, (0..30).map(|t| 50 + (t % 10) * 9).collect()),
            (GrowthPattern::Shrinking, (0..30).map(|t| 90 - 3 * t).collect()),
        ] {
            assert_eq!(of(counts.clone()).pattern, expected, "{counts:?}");
        }
    }

    #[test]
    fn a_gap_that_chance_leaves_is_no_plateau() {
        // Seven rises in 19 seconds, then none for eleven.
        let counts =
            (0..31).map(|t| 100 + [1, 2, 4, 9, 12, 17, 19].iter().filter(|&&at| at <= t).count());
        let counts: Vec<u32> = counts.map(|count| count as u32).collect();
        assert_ne!(of(counts).pattern, GrowthPattern::Plateau);
    }

    #[test]
    fn a_forecast_is_for_what_grows_alone() {
        let line = of((0..30).map(|t| 10 + 3 * t)).forecast.expect("it grows");
        assert_eq!(line.in_1h, 97 + 3 * 3600);
        assert!(line.low <= line.in_1h && line.in_1h <= line.high);
        assert_eq!(of((0..30).map(|t: u32| t.min(20))).forecast, None);
    }

    #[test]
    fn too_few_points_are_no_growth() {
        assert_eq!(growth(&each_second([1, 9])), None);
        assert_eq!(growth(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }

    #[test]
    fn a_long_history_is_thinned_and_keeps_its_ends() {
        let growth = of((0..5000).map(|t| 2 * t));
        assert!((growth.per_second - 2.0).abs() < 1e-6);
    }
}
