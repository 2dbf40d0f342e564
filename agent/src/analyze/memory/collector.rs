//! What allocation and collections do over a window.

use super::series::{Point, Series};
use crate::model::{Allocation, Collector, Memory};

/// From this share of the used processor time on, collections are most of what a program under a memory
/// limit does: Go's own limiter caps them at a half.
const PRESSED: f64 = 0.25;
/// By so much the share rises from one half of the window to the next, at least.
const RISING: f64 = 1.25;
/// The reachable heap is near to what a memory limit leaves from this part on.
const NEAR: f64 = 0.7;

/// What is allocated by the second, from the first point to the last.
pub(super) fn allocation(series: &Series) -> Option<Allocation> {
    let known = |point: &&Point| point.allocated_bytes.is_some();
    let first = series.points().iter().find(known)?;
    let last = series.points().iter().rev().find(known)?;
    let seconds = last.elapsed.checked_sub(first.elapsed)?.as_secs_f64();
    let rate = |of: fn(&Point) -> Option<u64>| -> Option<f64> {
        Some(of(last)?.saturating_sub(of(first)?) as f64 / seconds)
    };
    let allocation = Allocation {
        bytes_per_second: rate(|point| point.allocated_bytes)?,
        objects_per_second: rate(|point| point.allocated_objects)?,
    };
    (seconds > 0.0).then_some(allocation)
}

/// What collections cost.
pub(super) fn collector(series: &Series, now: &Memory) -> Option<Collector> {
    let heap = now.heap.as_ref()?;
    let known: Vec<&Point> =
        series.points().iter().filter(|point| point.collections.is_some()).collect();
    let (first, last) = (known.first()?, known.last()?);
    let middle = (first.elapsed + last.elapsed) / 2;
    let middle = known.iter().rfind(|point| point.elapsed <= middle)?;
    let halves = share(first, middle).zip(share(middle, last));
    let since_start = (heap.busy_cpu_ns > 0)
        .then(|| heap.gc_cpu_ns as f64 / heap.busy_cpu_ns as f64)
        .filter(|_| heap.collections > 0);
    let collections = last.collections?.saturating_sub(first.collections?);
    let is_near = heap.limit_bytes.is_some()
        && heap
            .goal_bytes
            .zip(heap.marked_bytes)
            .is_some_and(|(goal, marked)| marked as f64 >= goal as f64 * NEAR);
    let is_rising = halves.is_some_and(|(before, after)| {
        after >= PRESSED && (after >= before * RISING || before >= PRESSED)
    });
    Some(Collector {
        collections: collections.into(),
        cpu_share: share(first, last).or(since_start).map(|share| share.clamp(0.0, 1.0)),
        halves,
        is_pressed: is_near && is_rising,
    })
}

/// The share of collections in the processor time between two points; `None` where none ended between.
fn share(from: &Point, to: &Point) -> Option<f64> {
    let busy = to.busy_cpu_ns?.checked_sub(from.busy_cpu_ns?)?;
    let gc = to.gc_cpu_ns?.checked_sub(from.gc_cpu_ns?)?;
    (busy > 0 && to.collections > from.collections).then(|| (gc as f64 / busy as f64).min(1.0))
}
