//! What a process holds over a window: descriptors, threads, mappings, children; what of it grows, and
//! which limit that leads to.

mod course;
mod findings;
mod held;
mod limits;
mod opened;
mod rising;
mod series;
#[cfg(test)]
mod tests;
mod with_goroutines;

pub(super) use findings::GrowingResources;
pub use held::{hold_descriptors, pile_up};
pub(super) use series::Series;
pub(super) use with_goroutines::join;

use super::caused::Causes;
use crate::model::{Level, ResourceAccount, StackTable};

/// What the figures of a window say; `None` where nothing is known of them. The causes and the stacks are those
/// of its last sample.
pub(super) fn account(
    series: &Series,
    causes: &Causes<'_>,
    stacks: &StackTable,
) -> Option<ResourceAccount> {
    let now = series.now()?;
    let limits = limits::limits(series);
    Some(ResourceAccount {
        details_at: series.details_at(),
        readings: series.readings(),
        growing: rising::rising(series),
        level: limits.iter().map(|limit| limit.level).max().unwrap_or(Level::Normal),
        history: series.points().to_vec(),
        opened: opened::opened(&now.opened, causes, stacks),
        now: now.clone(),
        limits,
    })
}
