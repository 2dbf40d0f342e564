//! Samples that stand apart from those before and after them.

use super::curve::Curve;
use super::line::median;
use crate::model::Outlier;

/// Fewer points tell nothing.
const MIN_POINTS: usize = 8;
/// So many times further from its neighbours' line than points usually are. (Of a normal distribution's values
/// one in a million is.)
const APART: f64 = 5.0;
/// The standard deviation in median absolute deviations of a normal distribution.
const DEVIATION: f64 = 1.4826;
/// What stands apart is at least this part of what there is.
const MIN_PART: f64 = 0.05;
/// Where more than this part stands apart, nothing does: they belong to it.
const MAX_PART: f64 = 0.1;

/// The places of samples that stand apart, first to last, and what they are. `grain` is the least that the quantity
/// changes by.
///
/// One sample only, between two that agree: what stays is a step, and no outlier. Neither the first nor the last is
/// one, since nobody knows what was before or comes next.
pub(super) fn outliers(curve: &Curve, grain: f64) -> (Vec<usize>, Vec<Outlier>) {
    let points = curve.points();
    let most = (points.len() as f64 * MAX_PART).max(1.0) as usize;
    if points.len() < MIN_POINTS {
        return Default::default();
    }
    let mut usual: Vec<f64> = points.windows(3).map(|three| bent(three).1.abs()).collect();
    let usual = median(&mut usual).unwrap_or_default() * DEVIATION;
    let mut found: Vec<(usize, Outlier)> = Vec::new();
    for (at, three) in points.windows(3).enumerate() {
        let (expected, bend) = bent(three);
        let level = three[0].1.abs().max(three[2].1.abs());
        let least = (APART * usual).max(MIN_PART * level).max(2.0 * grain);
        let returns = (three[2].1 - three[0].1).abs() < bend.abs() / 2.0;
        if bend.abs() > least && returns {
            let outlier = Outlier { at_seconds: three[1].0, value: three[1].1, expected };
            found.push((at + 1, outlier));
        }
    }
    if found.len() > most {
        return Default::default();
    }
    found.into_iter().unzip()
}

/// What the line between its neighbours makes of the middle one of three points, and how far that is above it.
fn bent(three: &[(f64, f64)]) -> (f64, f64) {
    let [before, it, after] = [three[0], three[1], three[2]];
    let part = (it.0 - before.0) / (after.0 - before.0);
    let expected = before.1 + part * (after.1 - before.1);
    (expected, it.1 - expected)
}
