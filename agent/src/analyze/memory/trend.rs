//! How a number of bytes goes: by the same rules as counts of goroutines, without the noise of pages.

use crate::analyze::trends::{Curve, MIN_POINTS, grain_of_bytes, growth};
use crate::model::{Cliff, Trend};

/// What a number of bytes has to grow by, at least, as a part of what it was.
const MIN_PART: f64 = 0.05;
/// And in bytes.
const MIN_BYTES: f64 = 1024.0 * 1024.0;
/// A drop by this part, from one point to the next, is sudden.
const CLIFF: f64 = 0.4;

/// The trend of so many bytes over seconds; `None` for fewer than three points or no time between them.
pub(super) fn trend(points: &[(f64, u64)]) -> Option<Trend> {
    let curve = Curve::counted(points);
    let step = grain_of_bytes(&curve);
    let rounded = curve.points().iter().map(|&(at, bytes)| (at, (bytes / step).round() * step));
    let growth = growth(&Curve::through(rounded))?;
    let (from, to) = (points.first()?.1, points.last()?.1);
    let goes_on = growth.pattern.rises();
    let more = to as f64 - from as f64;
    let grows = goes_on
        && growth.low > 0.0
        && points.len() >= MIN_POINTS
        && more >= MIN_BYTES
        && more >= from as f64 * MIN_PART;
    let is_steady = grows && curve.is_steady();
    Some(Trend { from_bytes: from, to_bytes: to, growth, grows, is_steady, cliff: cliff(points) })
}

fn cliff(points: &[(f64, u64)]) -> Option<Cliff> {
    let drop = points.windows(2).rev().find(|pair| {
        let (from, to) = (pair[0].1 as f64, pair[1].1 as f64);
        from - to >= MIN_BYTES && from - to >= from * CLIFF
    })?;
    Some(Cliff { at_seconds: drop[1].0, from_bytes: drop[0].1, to_bytes: drop[1].1 })
}
