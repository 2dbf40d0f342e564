//! A quantity over time: what every analysis of trends is handed.

/// More points than this are thinned before slopes are taken between all pairs.
const POINTS: usize = 128;

/// What fills up to a bound adds less than this part of the first half's rate in the second.
const STEADY: f64 = 0.7;
/// What adds less than this part may as well be about to end.
const GOING_ON: f64 = 0.45;

/// A quantity over time, oldest first: seconds since the first sample, and how much there was. All are
/// finite, times only rise, and there are at most 128 points.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::analyze) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// Through these points, of which evenly chosen ones stay, the first and last among them. One that is not
    /// later than the one before it is left out.
    pub(in crate::analyze) fn through(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut all: Vec<(f64, f64)> = Vec::new();
        for (at, much) in points {
            let is_later = all.last().is_none_or(|before| at > before.0);
            if at.is_finite() && much.is_finite() && is_later {
                all.push((at, much));
            }
        }
        if all.len() > POINTS {
            let last = all.len() - 1;
            all = (0..POINTS).map(|at| all[at * last / (POINTS - 1)]).collect();
        }
        Self(all)
    }

    /// The same of whole numbers.
    pub(in crate::analyze) fn counted(points: &[(f64, u64)]) -> Self {
        Self::through(points.iter().map(|&(at, count)| (at, count as f64)))
    }

    pub(in crate::analyze) fn points(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// The first point and the last; `None` where there is no time between them.
    pub(in crate::analyze) fn ends(&self) -> Option<((f64, f64), (f64, f64))> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        (last.0 > first.0).then_some((*first, *last))
    }

    /// The part from a moment on.
    pub(super) fn since(&self, seconds: f64) -> Self {
        Self(self.0.iter().copied().filter(|point| point.0 >= seconds).collect())
    }

    /// The part before the last `points`.
    pub(super) fn without_last(&self, points: usize) -> Self {
        Self(self.0[..self.0.len().saturating_sub(points)].to_vec())
    }

    /// The same without some of its points, by their places, which rise.
    pub(super) fn without(&self, places: &[usize]) -> Self {
        let kept = self.0.iter().enumerate().filter(|(at, _)| places.binary_search(at).is_err());
        Self(kept.map(|(_, point)| *point).collect())
    }

    /// The values at `steps` moments, evenly from `start` to `end` within its own time, on lines from point to point.
    pub(super) fn evenly(&self, start: f64, end: f64, steps: usize) -> Vec<f64> {
        let mut next = 1;
        let value = |step: usize| {
            let at = start + (end - start) * step as f64 / (steps.max(2) - 1) as f64;
            while next + 1 < self.0.len() && self.0[next].0 < at {
                next += 1;
            }
            match self.0.get(next) {
                Some(after) => {
                    let before = self.0[next - 1];
                    let part = ((at - before.0) / (after.0 - before.0)).clamp(0.0, 1.0);
                    before.1 + part * (after.1 - before.1)
                }
                None => self.0.first().map_or(0.0, |only| only.1),
            }
        };
        (0..steps).map(value).collect()
    }

    /// Whether the second half of the time adds about as much as the first, or more.
    pub(in crate::analyze) fn is_steady(&self) -> bool {
        self.keeps(STEADY)
    }

    /// Whether the second half of the time adds about half as much as the first, or more: it may be about to end, or go on.
    pub(in crate::analyze) fn goes_on(&self) -> bool {
        self.keeps(GOING_ON)
    }

    /// Whether the second half of the time adds this part of what the first does, or more.
    fn keeps(&self, part: f64) -> bool {
        let Some((first, last)) = self.ends() else { return false };
        let middle = f64::midpoint(first.0, last.0);
        let before = self.0.iter().rev().find(|point| point.0 <= middle);
        let Some(before) = before.filter(|before| before.0 > first.0) else { return false };
        // The two parts are seldom of equal length: collections come when they come.
        let rate = |from: (f64, f64), to: (f64, f64)| (to.1 - from.1) / (to.0 - from.0);
        rate(*before, last) >= part * rate(first, *before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_no_later_is_left_out() {
        let nan = f64::NAN;
        let points =
            [(0.0, 1.0), (nan, 2.0), (1.0, nan), (1.0, 3.0), (1.0, 4.0), (0.5, 5.0), (2.0, 6.0)];
        assert_eq!(Curve::through(points).points(), [(0.0, 1.0), (1.0, 3.0), (2.0, 6.0)]);
    }

    #[test]
    fn a_long_history_keeps_its_ends() {
        let curve = Curve::through((0..5000).map(|at| (f64::from(at), f64::from(at))));
        assert_eq!(curve.points().len(), POINTS);
        assert_eq!(curve.ends(), Some(((0.0, 0.0), (4999.0, 4999.0))));
    }

    #[test]
    fn even_steps_lie_on_the_lines_between_points() {
        let curve = Curve::through([(0.0, 0.0), (1.0, 10.0), (4.0, 40.0)]);
        assert_eq!(curve.evenly(0.0, 4.0, 5), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(Curve::through([(2.0, 7.0)]).evenly(0.0, 1.0, 2), [7.0, 7.0]);
        assert_eq!(Curve::default().evenly(0.0, 1.0, 2), [0.0, 0.0]);
    }
}
