//! Quantities that go together, and which goes first.

use std::time::Duration;

use super::correlation::correlation;
use super::curve::Curve;
use crate::model::{Quantity, QuantityTrend, Relation};

/// Steps that two curves are compared by.
const MIN_STEPS: usize = 10;
const MAX_STEPS: usize = 128;
/// How alike they are (Pearson's correlation), at least; and with few steps, in standard errors.
const MIN_ALIKE: f64 = 0.8;
const MIN_ERRORS: f64 = 3.5;
/// How much more alike they must be some time apart than at the same time.
const BETTER: f64 = 0.1;
/// Parts of the window that one may follow the other by, at most.
const MAX_LAG: usize = 4;
/// Of things that are counted one by one there are so many to each at most.
const MAX_EACH: f64 = 4.0;
/// How far the ratio of two rates may be from a whole number.
const NEAR: f64 = 0.02;
/// By how many two counts may differ at any sample, and by which part of all that came: they are not read at one
/// instant.
const MAX_APART: f64 = 2.0;
const MAX_PART: f64 = 0.02;
/// What is told.
const MAX_RELATIONS: usize = 3;

/// What goes together for sure, the most alike first. Both of a pair rise for sure, or are rates.
pub(super) fn relations(courses: &[(QuantityTrend, Curve)]) -> Vec<Relation> {
    let moves =
        |(trend, _): &&(QuantityTrend, Curve)| trend.quantity.is_rate() || trend.outlook.is_ok();
    let moving: Vec<_> = courses.iter().filter(moves).collect();
    let mut found: Vec<Relation> = Vec::new();
    for (at, one) in moving.iter().enumerate() {
        found.extend(moving[at + 1..].iter().filter_map(|other| relation(one, other)));
    }
    found.sort_by(|a, b| b.alike.total_cmp(&a.alike));
    found.truncate(MAX_RELATIONS);
    found
}

fn relation(one: &(QuantityTrend, Curve), other: &(QuantityTrend, Curve)) -> Option<Relation> {
    let (((a, _), (b, _)), ((c, _), (d, _))) = (one.1.ends()?, other.1.ends()?);
    let (start, end) = (a.max(c), b.min(d));
    let steps = one.1.points().len().min(other.1.points().len()).min(MAX_STEPS);
    if steps < MIN_STEPS || end <= start {
        return None;
    }
    let step = (end - start) / (steps - 1) as f64;
    let of = |of: &(QuantityTrend, Curve)| {
        let values = of.1.evenly(start, end, steps);
        if of.0.quantity.is_rate() { values } else { changes(&values) }
    };
    let (changes_of_one, changes_of_other) = (of(one), of(other));
    // A rate has a value more than a number has changes.
    let count = changes_of_one.len().min(changes_of_other.len());
    let tail = |values: &[f64]| values[values.len() - count..].to_vec();
    let (x, y) = (tail(&changes_of_one), tail(&changes_of_other));
    let (lag, alike) = best(&x, &y)?;
    let (leads, follows) = if lag < 0 { (other, one) } else { (one, other) };
    let relation = |alike: f64, lag: usize| Relation {
        leads: leads.0.quantity,
        follows: follows.0.quantity,
        each: each(&leads.0, &follows.0),
        lag: Duration::try_from_secs_f64(lag as f64 * step).unwrap_or_default(),
        alike,
    };
    let pairs = (count - lag.unsigned_abs()) as f64;
    if alike >= MIN_ALIKE.max(MIN_ERRORS / pairs.sqrt()) {
        return Some(relation(alike, lag.unsigned_abs()));
    }
    let together = in_step(one, other).or_else(|| in_step(other, one))?;
    Some(together)
}

/// Two counts that rise by as many, or one by so many for each of the other, at all times: what comes evenly has no
/// changes to compare.
fn in_step(one: &(QuantityTrend, Curve), other: &(QuantityTrend, Curve)) -> Option<Relation> {
    let counts = [Quantity::Goroutines, Quantity::Descriptors];
    if ![one, other].iter().all(|of| counts.contains(&of.0.quantity)) {
        return None;
    }
    let ratio = each(&one.0, &other.0)?;
    let whole = ratio.round();
    if !(1.0..=MAX_EACH).contains(&whole) || (ratio - whole).abs() > NEAR * whole {
        return None;
    }
    let ((start, _), (end, _)) = one.1.ends()?;
    let steps = one.1.points().len();
    let (x, y) = (one.1.evenly(start, end, steps), other.1.evenly(start, end, steps));
    let came = y.last()? - y.first()?;
    let apart = MAX_APART.max(MAX_PART * came);
    let is_near =
        x.iter().zip(&y).all(|(x_at, y_at)| ((y_at - y[0]) - whole * (x_at - x[0])).abs() <= apart);
    is_near.then(|| Relation {
        leads: one.0.quantity,
        follows: other.0.quantity,
        each: Some(ratio),
        lag: Duration::ZERO,
        alike: correlation(&x, &y),
    })
}

/// How many come of one for each of the other; `None` of rates, which come and go.
fn each(leads: &QuantityTrend, follows: &QuantityTrend) -> Option<f64> {
    let both = !leads.quantity.is_rate() && !follows.quantity.is_rate();
    let each = follows.growth.per_second / leads.growth.per_second;
    (both && each.is_finite() && each > 0.0).then_some(each)
}

/// By how many steps the second follows the first (below 0 the first follows), and how alike they are then.
fn best(x: &[f64], y: &[f64]) -> Option<(isize, f64)> {
    let most = isize::try_from(x.len() / MAX_LAG).ok()?;
    let at = |lag: isize| {
        let by = lag.unsigned_abs();
        let (first, second) = if lag < 0 { (y, x) } else { (x, y) };
        correlation(&first[..first.len() - by], &second[by..])
    };
    let together = at(0);
    let apart = (-most..=most).map(|lag| (lag, at(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(if apart.1 > together + BETTER { apart } else { (0, together) })
}

fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}
