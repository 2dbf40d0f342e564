//! Memory limits: what is used of each, and when it is reached.

use crate::analyze::trends::{Curve, grain_of_bytes, reached};
use crate::model::{Level, LimitKind, LimitUse, Memory, Trend};

/// From these parts of a limit, in percent, the level is moderate, high, critical.
const THRESHOLDS: [u64; 3] = [70, 85, 95];

/// The limits, tightest first.
pub(super) fn limits(
    now: &Memory,
    live: (&Curve, Option<&Trend>),
    rss: (&Curve, Option<&Trend>),
) -> Vec<LimitUse> {
    let mut limits = Vec::new();
    if let Some(heap) = &now.heap
        && let Some(limit) = heap.limit_bytes
    {
        // Garbage may fill the heap up to the limit: that is what the limit is for.
        let live_bytes = heap.marked_bytes.unwrap_or(heap.objects_bytes);
        let used = live_bytes.saturating_add(heap.stacks_bytes).saturating_add(heap.runtime_bytes);
        limits.push(of(LimitKind::GoMemory, limit, used, live));
    }
    if let Some(group) = now.group {
        limits.push(of(LimitKind::ControlGroup, group.limit_bytes, group.used_bytes, rss));
    }
    limits.sort_by(|a, b| b.part().total_cmp(&a.part()));
    limits
}

fn of(
    kind: LimitKind,
    limit_bytes: u64,
    used_bytes: u64,
    (curve, trend): (&Curve, Option<&Trend>),
) -> LimitUse {
    let level = Level::of_use(used_bytes, limit_bytes, THRESHOLDS);
    let left = limit_bytes.saturating_sub(used_bytes) as f64;
    let reached_in =
        trend.filter(|trend| trend.grows).and_then(|_| reached(curve, grain_of_bytes(curve), left));
    LimitUse { kind, limit_bytes, used_bytes, level, reached_in }
}
