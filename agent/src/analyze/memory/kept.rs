//! What few collections tell: a heap that leaks is collected the more seldom the larger it is, so that a window of one
//! may see two collections, or none. Then it counts how much of what was allocated between them each one kept.

use super::series::{Collected, Series};
use crate::model::{KeptAllocations, Trend};

/// What most of is kept by each collection is hardly garbage.
const MOST: f64 = 0.6;

/// What collections kept of what was allocated, where that is most of it each time and what is on the heap goes on
/// rising as fast to the end of the window: what fills up ends that, and a heap that is collected does not rise.
pub(super) fn kept(series: &Series, objects: Option<&Trend>) -> Option<KeptAllocations> {
    let objects = objects.filter(|trend| trend.is_steady)?;
    let collected: Vec<Collected> = series.collected().collect();
    let shares = collected.windows(2).map(|pair| share(pair[0], pair[1]));
    let least_share = shares.collect::<Option<Vec<_>>>()?.into_iter().reduce(f64::min)?;
    (least_share >= MOST).then_some(KeptAllocations {
        collections: collected.len() as u64,
        least_share,
        objects: *objects,
    })
}

/// Which part of what was allocated between two collections the later one found reachable.
fn share(before: Collected, after: Collected) -> Option<f64> {
    let allocated = after.allocated?.checked_sub(before.allocated?).filter(|bytes| *bytes > 0)?;
    Some((after.live as f64 - before.live as f64) / allocated as f64)
}
