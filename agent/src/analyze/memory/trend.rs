//! How a number of bytes goes: by the same rules as counts of goroutines, without the noise of pages.

use crate::analyze::trends::{Curve, MIN_POINTS, grain_of_bytes, growth};
use crate::model::{Cliff, Growth, GrowthPattern, Trend};

/// What a number of bytes has to grow by, at least, as a part of what it was.
const MIN_PART: f64 = 0.05;
/// And in bytes.
const MIN_BYTES: f64 = 1024.0 * 1024.0;
/// What is too small to grow rises by this part of what it was.
const MIN_SMALL: f64 = 0.5;
/// A drop by this part, from one point to the next, is sudden.
const CLIFF: f64 = 0.4;
/// What is at least as fast again after a drop as this part of what it was before it goes on.
const RESUMED: f64 = 0.5;

/// The trend of so many bytes over seconds; `None` for fewer than three points or no time between them.
pub(super) fn trend(points: &[(f64, u64)]) -> Option<Trend> {
    let curve = Curve::counted(points);
    let step = grain_of_bytes(&curve);
    let rounded = curve.points().iter().map(|&(at, bytes)| (at, (bytes / step).round() * step));
    let growth = growth(&Curve::through(rounded))?;
    let (from, to) = (points.first()?.1, points.last()?.1);
    let more = to as f64 - from as f64;
    let grows = is_told(&growth, points) && more >= MIN_BYTES && more >= from as f64 * MIN_PART;
    let is_steady = grows && curve.is_steady();
    Some(Trend { from_bytes: from, to_bytes: to, growth, grows, is_steady, cliff: cliff(points) })
}

/// Whether there are enough points to say that they rise, by more than chance.
fn is_told(growth: &Growth, points: &[(f64, u64)]) -> bool {
    growth.pattern.rises() && growth.low > 0.0 && points.len() >= MIN_POINTS
}

/// Whether what grows, and not steadily, goes on to: more slowly, or again after a drop.
pub(super) fn goes_on(points: &[(f64, u64)], whole: &Trend) -> bool {
    let is_linear = whole.growth.pattern == GrowthPattern::Linear;
    let slows = || is_linear && Curve::counted(points).goes_on();
    whole.grows && !whole.is_steady && (slows() || resumes(points))
}

/// By how much what is small rises, steadily and by a good part of what it was, and yet by too little to say that it grows: as
/// much may come and go in any program.
pub(super) fn rises(points: &[(f64, u64)], whole: &Trend) -> Option<u64> {
    let Trend { growth, from_bytes, to_bytes, .. } = whole;
    let more = to_bytes.saturating_sub(*from_bytes);
    let is_small = (more as f64) < MIN_BYTES && more as f64 >= *from_bytes as f64 * MIN_SMALL;
    (is_told(growth, points) && is_small && Curve::counted(points).is_steady()).then_some(more)
}

/// Whether there is a rise after the last drop, as before it, from above all that was there in the first third of the time.
fn resumes(points: &[(f64, u64)]) -> bool {
    let Some(drop) = last_drop(points, MIN_PART) else { return false };
    let (before, after) = points.split_at(drop + 1);
    let [(start, _), .., (end, _)] = points else { return false };
    let third = start + (end - start) / 3.0;
    let early = before.iter().filter(|point| point.0 <= third).map(|point| point.1).max();
    let is_above = early.is_some_and(|early| after[0].1 > early);
    is_above
        && trend(before).zip(trend(after)).is_some_and(|(before, after)| {
            after.is_steady
                && after.growth.per_second >= RESUMED * before.growth.per_second.max(0.0)
        })
}

fn cliff(points: &[(f64, u64)]) -> Option<Cliff> {
    let at = last_drop(points, CLIFF)?;
    let (from, to) = (points[at], points[at + 1]);
    Some(Cliff { at_seconds: to.0, from_bytes: from.1, to_bytes: to.1 })
}

/// The point before the last drop, from one to the next, by this part.
fn last_drop(points: &[(f64, u64)], part: f64) -> Option<usize> {
    points.windows(2).rposition(|pair| {
        let (from, to) = (pair[0].1 as f64, pair[1].1 as f64);
        from - to >= MIN_BYTES && from - to >= from * part
    })
}
