//! The groups: which are shown, in which order.

use super::order::{Measures, Order};
use super::{has, place_has};
use crate::model::{Assessment, Group};

/// The orders that groups can be in.
pub(super) const ORDERS: [Order; 3] = [Order::Count, Order::Growth, Order::Oldest];

/// Indices of the groups with the text, in order.
pub(super) fn rows(assessment: &Assessment, order: Order, filter: &str) -> Vec<usize> {
    let groups = &assessment.groups;
    let mut rows: Vec<usize> =
        (0..groups.len()).filter(|&at| matches(assessment, &groups[at], filter)).collect();
    // Stable: groups come by count, then signature.
    rows.sort_by(|&a, &b| order.compare(measures(&groups[a]), measures(&groups[b])));
    rows
}

/// What tells a group from others, in every sample.
pub(super) fn key(assessment: &Assessment, row: usize) -> Option<&str> {
    assessment.groups.get(row).map(|group| &*group.signature)
}

fn measures(group: &Group) -> Measures {
    Measures { count: group.count, growth: group.growth_per_second, oldest: group.oldest }
}

/// Whether a group has the text in its signature, wait reason or line.
pub(super) fn matches(assessment: &Assessment, group: &Group, filter: &str) -> bool {
    has(&group.signature, filter)
        || group.reason.as_deref().is_some_and(|reason| has(reason, filter))
        || group.blocked_at.is_some_and(|frame| place_has(assessment, frame, filter))
}
