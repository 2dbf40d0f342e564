//! Limits of what a process may hold: what is used of each, and when it is reached.

use super::course;
use super::series::Series;
use crate::analyze::trends::{Curve, GRAIN_OF_COUNTS, reached};
use crate::model::{Level, ResourceKind, ResourceLimit, ResourcePoint, Usage};

/// From these parts of a limit, in percent, the level is moderate, high, critical.
const THRESHOLDS: [u64; 3] = [80, 90, 95];
/// By so many more a count must have risen to tell when a limit is reached.
const MIN_MORE: u64 = 5;

/// The limits, tightest first.
pub(super) fn limits(series: &Series) -> Vec<ResourceLimit> {
    let Some(now) = series.now() else { return Vec::new() };
    type Counted = fn(&ResourcePoint) -> Option<u64>;
    type Churn = Option<(u64, u64)>;
    let churn = series.churn_of_descriptors();
    let all: [(ResourceKind, Option<Usage>, Churn, Counted); 3] = [
        (ResourceKind::Descriptor, now.descriptors, churn, |point| point.descriptors),
        (ResourceKind::Thread, now.threads, None, |point| point.threads),
        (ResourceKind::Mapping, now.mappings, None, |point| point.mappings),
    ];
    let limits = all.into_iter().filter_map(|(kind, usage, churn, count)| {
        let bound = usage?.limit?;
        let level = Level::of_use(bound.used, bound.limit, THRESHOLDS);
        let points = series.of(count);
        let left = bound.limit.saturating_sub(bound.used) as f64;
        let reached_in = course::rise(&points, churn, MIN_MORE)
            .and_then(|_| reached(&Curve::counted(&points), GRAIN_OF_COUNTS, left));
        Some(ResourceLimit { kind, bound, level, reached_in })
    });
    let mut limits: Vec<_> = limits.collect();
    limits.sort_by(|a, b| b.bound.part().total_cmp(&a.bound.part()));
    limits
}
