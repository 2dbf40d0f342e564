//! How a count grows: a robust slope with its confidence, the shape of the curve, a forecast.

use super::correlation::correlation;
use super::curve::Curve;
use super::line::Line;
use super::season::season;
use crate::model::{Estimate, Forecast, Growth, GrowthPattern};

/// How improbable a rest must be before a count is said to have stopped.
const STOPPED_BY_CHANCE: f64 = 0.01;

/// Waves that are lower than two of these are no waves of a count, nor of bytes.
const GRAIN: f64 = 1.0;

/// Seconds in the hour that a forecast looks ahead.
pub(super) const HOUR: f64 = 3600.0;

/// The growth of a curve; `None` for fewer than three points or no time between them.
pub(in crate::analyze) fn growth(curve: &Curve) -> Option<Growth> {
    let points = curve.points();
    curve.ends()?;
    if points.len() < 3 {
        return None;
    }
    let (per_second, low, high) = slope(points);
    let line = r2(points, |&(_, count)| count);
    let curved = if points.iter().all(|&(_, count)| count >= 1.0) {
        r2(points, |&(_, count)| count.ln())
    } else {
        0.0
    };
    let mut pattern = shape(points, (low, high), line, curved);
    if pattern.rises() && season(curve, GRAIN).is_some_and(|wave| wave.beneath.low <= 0.0) {
        // It came back to where it was, each time.
        pattern = GrowthPattern::Oscillating;
    }
    let r2 = if pattern == GrowthPattern::Exponential { curved } else { line };
    let growth = Growth { per_second, low, high, pattern, r2, forecast: None };
    // A curve that doubles and doubles leads beyond all numbers within the hour: the line through
    // its end is what can be said.
    let line = Line::through(points, &growth).filter(|_| pattern.rises());
    let forecast = line.map(|line| {
        let Estimate { likely, low, high } = line.ahead(HOUR);
        let [in_1h, low, high] = [likely, low, high].map(|count| count.max(0.0).round() as u64);
        Forecast { in_1h, low, high }
    });
    Some(Growth { forecast, ..growth })
}

/// The median of the slopes between all pairs (Theil 1950, Sen 1968), and the bounds of its 95 %
/// confidence interval by Kendall's variance.
fn slope(points: &[(f64, f64)]) -> (f64, f64, f64) {
    if points.iter().all(|&(_, count)| count == points[0].1) {
        // Most groups of a large program stand still.
        return (0.0, 0.0, 0.0);
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (at, &(time, count)) in points.iter().enumerate() {
        slopes
            .extend(points[at + 1..].iter().map(|&(later, then)| (then - count) / (later - time)));
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
    (at(pairs / 2.0), at((pairs - spread) / 2.0), at((pairs + spread) / 2.0))
}

/// How much of the variance a straight line explains.
fn r2(points: &[(f64, f64)], value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let times: Vec<f64> = points.iter().map(|point| point.0).collect();
    let values: Vec<f64> = points.iter().map(value).collect();
    correlation(&times, &values).powi(2)
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

    fn each_second(counts: impl IntoIterator<Item = u32>) -> Curve {
        Curve::through(counts.into_iter().enumerate().map(|(t, c)| (t as f64, f64::from(c))))
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
        assert_eq!(growth(&Curve::through([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)])), None);
    }

    #[test]
    fn a_long_history_is_thinned_and_keeps_its_ends() {
        let growth = of((0..5000).map(|t| 2 * t));
        assert!((growth.per_second - 2.0).abs() < 1e-6);
    }
}
