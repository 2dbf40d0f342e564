//! When the rate of a quantity changed: change points of a line in pieces, by binary segmentation.

use super::curve::Curve;
use super::line::{effective, long_variance};
use crate::model::Turn;

/// Points that a piece has at least.
const MIN_PIECE: usize = 5;
/// Changes that are looked for in one window.
const MAX_TURNS: usize = 4;
/// By how much two lines must be better than one: twice the Bayesian information criterion's price of three more
/// parameters (two of a line, one of where it begins), since the best of many places is taken.
const PRICE: f64 = 2.0 * 3.0;
/// The change of the rate in its standard errors. That is the largest among as many as there are places, so that two
/// would come by chance.
const SURE: f64 = 3.5;
/// Samples of which the errors are twice as uncertain.
const FEW: f64 = 3.0;
/// A rate that changed by less than this part of the larger one has not.
const MIN_CHANGE: f64 = 0.25;

/// When the rate changed for sure, first to last. `grain` is the least that the quantity changes by.
pub(super) fn turns(curve: &Curve, grain: f64) -> Vec<Turn> {
    let points = curve.points();
    let mut places = Vec::new();
    let mut pieces = vec![(0, points.len())];
    while let Some((start, end)) = pieces.pop() {
        if places.len() == MAX_TURNS {
            break;
        }
        if let Some(place) = split(&points[start..end], grain) {
            places.push(start + place);
            pieces.extend([(start, start + place), (start + place, end)]);
        }
    }
    places.sort_unstable();
    // Each once more, between its neighbours: what lay behind a larger one may look otherwise beside it.
    let ends = |at: usize| {
        let start = at.checked_sub(1).map_or(0, |before| places[before]);
        (start, places.get(at + 1).copied().unwrap_or(points.len()))
    };
    let turn = |at: usize| {
        let (start, end) = ends(at);
        let piece = &points[start..end];
        let place = places[at] - start;
        is_turn(piece, place, grain).then(|| told(piece, place))
    };
    (0..places.len()).filter_map(turn).collect()
}

/// Where a piece is best made two; `None` where it is one line.
fn split(piece: &[(f64, f64)], grain: f64) -> Option<usize> {
    let last = piece.len().checked_sub(MIN_PIECE)?;
    let sums = Sums::of(piece);
    let both = |place: usize| sums.fit(0, place).rest + sums.fit(place, piece.len()).rest;
    let place = (MIN_PIECE..=last).min_by(|&a, &b| both(a).total_cmp(&both(b)))?;
    is_turn(piece, place, grain).then_some(place)
}

/// Whether two lines are better than one by more than chance, and their rates differ.
fn is_turn(piece: &[(f64, f64)], place: usize, grain: f64) -> bool {
    let sums = Sums::of(piece);
    let n = piece.len() as f64;
    let [one, before, after] =
        [sums.fit(0, piece.len()), sums.fit(0, place), sums.fit(place, piece.len())];
    let rest = |at: usize| {
        let fit = if at < place { before } else { after };
        piece[at].1 - fit.at(piece[at].0)
    };
    let rests: Vec<f64> = (0..piece.len()).map(rest).collect();
    // A count is only known to a whole number.
    let noise = n * grain * grain / 12.0;
    let gain = ((one.rest + noise) / (before.rest + after.rest + noise)).ln();
    let counted = effective(&rests);
    if counted * gain < PRICE * counted.ln() {
        return false;
    }
    let larger = before.per_second.abs().max(after.per_second.abs());
    let change = (after.per_second - before.per_second).abs();
    // Few samples know their own deviation less well.
    let sure = SURE * (1.0 + FEW / n);
    change >= MIN_CHANGE * larger && change > sure * error(piece, place, grain)
}

/// The standard error of the difference between the mean rates before and after a place. Steps that even each other
/// out, as the noise of a level does, count for less than those of a number that goes on from where it is.
fn error(piece: &[(f64, f64)], place: usize, grain: f64) -> f64 {
    let rate = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
    let mut rates: Vec<f64> = piece.windows(2).map(rate).collect();
    let (early, late) = rates.split_at_mut(place);
    let counts = (early.len() as f64, late.len() as f64);
    for part in [early, late] {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        part.iter_mut().for_each(|rate| *rate -= mean);
    }
    let n = rates.len() as f64;
    let step = (piece[piece.len() - 1].0 - piece[0].0) / n;
    let least = (grain / step).powi(2) / 12.0 / n;
    (long_variance(&rates).max(least) * (1.0 / counts.0 + 1.0 / counts.1)).sqrt()
}

fn told(piece: &[(f64, f64)], place: usize) -> Turn {
    let sums = Sums::of(piece);
    let (before, after) = (sums.fit(0, place), sums.fit(place, piece.len()));
    // Where the lines meet, if that is between the two points; a jump has no such place.
    let meet = (before.level - after.level) / (after.per_second - before.per_second);
    let meet = if meet.is_finite() { meet } else { piece[place].0 };
    Turn {
        at_seconds: meet.clamp(piece[place - 1].0, piece[place].0),
        before_per_second: before.per_second,
        after_per_second: after.per_second,
    }
}

/// A line by least squares: its value at second 0, its slope, the sum of the squares of what it leaves.
#[derive(Clone, Copy, Debug)]
struct Fit {
    level: f64,
    per_second: f64,
    rest: f64,
}

impl Fit {
    fn at(&self, seconds: f64) -> f64 {
        self.level + self.per_second * seconds
    }
}

/// Sums over all points up to each, from which any piece has its line at once.
struct Sums(Vec<[f64; 5]>, (f64, f64));

impl Sums {
    fn of(piece: &[(f64, f64)]) -> Self {
        // Near 0, where squares lose nothing.
        let origin = piece.first().copied().unwrap_or_default();
        let mut sum = [0.0; 5];
        let mut sums = vec![sum];
        for &(at, value) in piece {
            let (t, v) = (at - origin.0, value - origin.1);
            for (sum, more) in sum.iter_mut().zip([t, v, t * t, t * v, v * v]) {
                *sum += more;
            }
            sums.push(sum);
        }
        Self(sums, origin)
    }

    fn fit(&self, start: usize, end: usize) -> Fit {
        let of = |at: usize| self.0[end][at] - self.0[start][at];
        let n = (end - start) as f64;
        let [t, v] = [of(0) / n, of(1) / n];
        let [tt, tv, vv] = [of(2) - n * t * t, of(3) - n * t * v, of(4) - n * v * v];
        let per_second = if tt > 0.0 { tv / tt } else { 0.0 };
        Fit {
            level: self.1.1 + v - per_second * (t + self.1.0),
            per_second,
            rest: (vv - per_second * tv).max(0.0),
        }
    }
}
