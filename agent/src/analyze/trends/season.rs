//! Waves: what comes back again and again, after the same time.

use std::time::Duration;

use super::correlation::correlation;
use super::curve::Curve;
use super::line::median;
use crate::model::{Estimate, Season};

/// Steps that a curve is looked at by, at most.
const STEPS: usize = 128;
/// How often a wave has come back in the window.
const MIN_PERIODS: usize = 3;
/// Steps that a period has at least.
const MIN_STEPS: usize = 3;
/// How alike two periods are (Pearson's correlation), at least; and with few steps, in standard errors.
const MIN_ALIKE: f64 = 0.7;
const MIN_ERRORS: f64 = 3.5;
/// How alike a period is to the one after the next.
const MIN_ALIKE_AGAIN: f64 = 0.5;
/// A time between samples that is so many times the usual one hides what was there.
const MAX_GAP: f64 = 3.0;
/// The standard deviation in median absolute deviations, and the standard error of a median in those of a mean.
const DEVIATION: f64 = 1.4826;
const OF_MEDIAN: f64 = 1.2533;

/// The wave in a curve; `None` where there is none, or fewer than three periods of it. `grain` is the least that
/// the quantity changes by.
pub(super) fn season(curve: &Curve, grain: f64) -> Option<Season> {
    let points = curve.points();
    let ((start, _), (end, _)) = curve.ends()?;
    let steps = points.len().min(STEPS);
    let mut gaps: Vec<f64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let widest = gaps.iter().copied().fold(0.0, f64::max);
    if steps < MIN_PERIODS * MIN_STEPS || widest > MAX_GAP * median(&mut gaps)? {
        return None;
    }
    let step = (end - start) / (steps - 1) as f64;
    let values = curve.evenly(start, end, steps);
    let flat = without_line(&values);
    let most = flat.iter().copied().fold(f64::MIN, f64::max);
    let least = flat.iter().copied().fold(f64::MAX, f64::min);
    if most - least <= 2.0 * grain {
        return None;
    }
    let longest = steps / MIN_PERIODS;
    let alike: Vec<f64> = (0..=longest).map(|lag| with_later(&flat, lag)).collect();
    // A wave is unlike itself half a period later.
    let unlike = alike.iter().position(|alike| *alike <= 0.0)?;
    let peak = |&lag: &usize| {
        alike[lag] >= alike[lag - 1] && alike.get(lag + 1).is_none_or(|next| alike[lag] >= *next)
    };
    let sure = |&lag: &usize| {
        let pairs = (steps - lag) as f64;
        alike[lag] >= MIN_ALIKE.max(MIN_ERRORS / pairs.sqrt())
            && with_later(&flat, 2 * lag) >= MIN_ALIKE_AGAIN
    };
    let lag = (unlike.max(MIN_STEPS)..=longest).filter(peak).find(sure)?;
    Some(Season {
        period: Duration::try_from_secs_f64(lag as f64 * step).ok()?,
        height: height(&flat, lag),
        beneath: beneath(&values, lag, step)?,
    })
}

/// Values less the line through them (least squares).
fn without_line(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let along = |at: usize| at as f64 - middle;
    let products: f64 = values.iter().enumerate().map(|(at, value)| along(at) * value).sum();
    let spread: f64 = (0..values.len()).map(|at| along(at).powi(2)).sum();
    let slope = if spread > 0.0 { products / spread } else { 0.0 };
    values.iter().enumerate().map(|(at, value)| value - mean - slope * along(at)).collect()
}

/// How alike values are to those `lag` later; 0 where nothing changes, or there are too few.
fn with_later(values: &[f64], lag: usize) -> f64 {
    let later = values.get(lag..).unwrap_or_default();
    correlation(&values[..later.len()], later)
}

/// From the lowest to the highest of the mean period.
fn height(flat: &[f64], lag: usize) -> f64 {
    let mean = |phase: usize| {
        let of_phase = flat.iter().skip(phase).step_by(lag);
        of_phase.clone().sum::<f64>() / of_phase.count().max(1) as f64
    };
    let means = (0..lag).map(mean);
    let (low, high) =
        means.fold((f64::MAX, f64::MIN), |(low, high), mean| (low.min(mean), high.max(mean)));
    high - low
}

/// The change by the second beneath the wave: of each value against that a period before (after Hirsch and others
/// 1982), with its 95 % interval.
fn beneath(values: &[f64], lag: usize, step: f64) -> Option<Estimate> {
    let later = values.get(lag..)?;
    let mut rates: Vec<f64> = values
        .iter()
        .zip(later)
        .map(|(value, later)| (later - value) / (lag as f64 * step))
        .collect();
    let count = rates.len() as f64;
    let likely = median(&mut rates)?;
    let mut apart: Vec<f64> = rates.iter().map(|rate| (rate - likely).abs()).collect();
    let deviation = DEVIATION * median(&mut apart)?;
    // Each value is in two of the differences.
    let half = 1.96 * OF_MEDIAN * deviation / (count / 2.0).sqrt();
    Some(Estimate { likely, low: likely - half, high: likely + half })
}
