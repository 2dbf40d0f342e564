//! Whether a number of things rises as leaks do.

use crate::analyze::trends::{Curve, growth};
use crate::model::{Growth, GrowthPattern};

/// Of so many points something can be said to grow.
const MIN_POINTS: usize = 5;
/// Parts of the window by time, and in how many of them there must have come more.
const PARTS: usize = 6;
const MIN_PARTS: usize = 4;
/// Where many come at once, again and again, and none goes, this is enough for a suspicion.
const MIN_STEPS: usize = 3;
/// What was lost again, at most, as a part of what came.
const MAX_LOST: f64 = 0.25;
/// A number that rises although many of them go is told from load by how straight it rises.
const STRAIGHT: f64 = 0.95;
/// And by how much.
const MIN_THROUGH_CHURN: u64 = 20;

/// A number that rises all the while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    pub(super) growth: Growth,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Whether hardly any were lost again, and hardly any went of those that came, if that is known, and more came in most
    /// parts of the time.
    pub(super) stay: bool,
}

/// How much more there must be, and by which points that is told.
pub(super) fn rise(points: &[(f64, u64)], churn: Option<(u64, u64)>, least: u64) -> Option<Rise> {
    let (first, last) = (points.first()?, points.last()?);
    let more = last.1.saturating_sub(first.1);
    if points.len() < MIN_POINTS || more < least {
        return None;
    }
    let curve = Curve::counted(points);
    let growth = growth(&curve)?;
    let goes_on = growth.pattern.rises() && growth.low > 0.0 && curve.is_steady();
    let lost: u64 = points.windows(2).map(|pair| pair[0].1.saturating_sub(pair[1].1)).sum();
    let parts = rising_parts(points);
    let is_stepped = growth.pattern == GrowthPattern::Stepped && lost == 0 && parts >= MIN_STEPS;
    if !goes_on || (parts < MIN_PARTS && !is_stepped) {
        return None;
    }
    let goes_down = lost as f64 > MAX_LOST * (more + lost) as f64;
    let comes_and_goes = churn.is_some_and(|(came, gone)| gone * 2 > came);
    let is_straight = growth.pattern == GrowthPattern::Linear && growth.r2 >= STRAIGHT;
    if (goes_down || comes_and_goes) && !(is_straight && more >= MIN_THROUGH_CHURN) {
        return None;
    }
    let stays = churn.is_none_or(|(came, gone)| gone * 4 <= came) && !goes_down;
    let stay = stays && parts >= MIN_PARTS;
    Some(Rise { growth, from: first.1, to: last.1, stay })
}

/// In how many parts of the time the number became larger.
fn rising_parts(points: &[(f64, u64)]) -> usize {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 0 };
    let length = (last.0 - first.0) / PARTS as f64;
    let until = |part: usize| {
        let end = first.0 + length * part as f64;
        // The end of the last part is the last point, whatever rounding makes of it.
        let before = points.iter().rev().find(|point| part == PARTS || point.0 <= end);
        before.map_or(first.1, |point| point.1)
    };
    (1..=PARTS).filter(|&part| until(part) > until(part - 1)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: impl IntoIterator<Item = u64>, churn: Option<(u64, u64)>) -> Option<Rise> {
        let points: Vec<_> =
            counts.into_iter().enumerate().map(|(at, count)| (at as f64, count)).collect();
        rise(&points, churn, 5)
    }

    #[test]
    fn what_comes_and_stays_rises() {
        let rise = of((0..31).map(|at| 10 + 2 * at), Some((60, 0))).expect("it rises");
        assert_eq!((rise.from, rise.to, rise.stay), (10, 70, true));
        assert!((rise.growth.per_second - 2.0).abs() < 0.01);
        assert!(of((0..31).map(|at| at / 4), Some((7, 0))).expect("slowly").stay);
        let through_churn = of((0..31).map(|at| 10 + 2 * at), Some((600, 540)));
        assert!(!through_churn.expect("it rises").stay);
    }

    #[test]
    fn a_few_steps_are_suspect_and_no_more() {
        let steps =
            |every: u64, by: u64| of((0..31).map(|at| 10 + at / every * by), Some((3 * by, 0)));
        let rise = steps(8, 100).expect("three steps");
        assert_eq!((rise.growth.pattern, rise.to, rise.stay), (GrowthPattern::Stepped, 310, false));
        assert_eq!(steps(16, 100), None, "one step is none");
    }

    #[test]
    fn pools_bursts_and_sawteeth_do_not() {
        let none =
            |counts: Vec<u64>, churn| assert_eq!(of(counts.clone(), churn), None, "{counts:?}");
        none((0..31).map(|at| (at * 10).min(100)).collect(), Some((100, 0)));
        none((0..31).map(|at| if at < 20 { 5 } else { 80 }).collect(), Some((75, 0)));
        none((0..31).map(|at| 10 + at % 6 * 10).collect(), Some((300, 290)));
        none((0..31).map(|at| 10 + at / 2).collect(), Some((300, 285)));
        none((0..31).map(|at| 100 - 50_u64.saturating_sub(at * at)).collect(), Some((50, 0)));
        none(vec![1, 2, 30], None);
        none((0..31).map(|_| 7).collect(), Some((0, 0)));
    }
}
