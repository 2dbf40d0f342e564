//! Who allocated large objects that are in use, in programs without a memory profile, as far as that was watched.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leak_agent_common::Birth;

use super::monotonic;
use super::probes::{CallSite, Large};
use crate::golang::Program;
use crate::golang::heap::{Heap, LargeObject};
use crate::model::{Amount, LargeAllocations, LargeSite, StackId};

/// Of all time at most this part is spent on asking which objects are still there.
const PART: u32 = 50;

/// What the kernel knows of large objects.
pub(super) struct LargeBirths {
    /// Since when allocations have been watched without a gap.
    pub(super) since: Duration,
    /// Those that were seen to be allocated, freed ones too.
    pub(super) objects: Vec<Large>,
    /// The stacks that their births name.
    pub(super) sites: Vec<CallSite>,
    /// Allocations that are not kept.
    pub(super) lost: u64,
}

/// Follows them from sample to sample.
#[derive(Default)]
pub(super) struct LargeObjects {
    /// When they may be asked of again.
    due: Duration,
    last: Option<LargeAllocations>,
}

impl LargeObjects {
    /// What is in use since before the last collection, by stack; as of the last time that was asked, where it is not time
    /// to ask again. `births` is what the kernel knows; `None` where nothing is watched. `name` keeps a stack once; `None`
    /// where there is no room for it. Of what cannot be read nothing is said.
    pub(super) fn read(
        &mut self,
        program: &Program,
        births: impl FnOnce() -> Option<LargeBirths>,
        first: Option<Duration>,
        name: impl FnMut(&CallSite) -> Option<StackId>,
    ) -> Option<LargeAllocations> {
        let start = monotonic();
        if start < self.due {
            return self.last.clone();
        }
        self.last = births().and_then(|births| in_use(program, births, first, name));
        let now = monotonic();
        self.due = now + now.saturating_sub(start) * PART;
        self.last.clone()
    }
}

fn in_use(
    program: &Program,
    births: LargeBirths,
    first: Option<Duration>,
    mut name: impl FnMut(&CallSite) -> Option<StackId>,
) -> Option<LargeAllocations> {
    let heap = program.heap().ok()?;
    // What came since the last collection ended may be garbage of which nobody knows yet.
    let collected = last_collection(heap, program)?;
    let is_old = |birth: Duration| collected.is_none_or(|collected| birth < collected);
    // What was allocated before a gap may have been freed in it, and the same struct used for a like object.
    let since = births.since;
    let born = births.objects.iter().filter_map(|large| {
        let birth = Birth::from_word(large.birth)?;
        let at = Duration::from_nanos(birth.at_ns());
        (at >= since && is_old(at)).then_some((large, birth.site()))
    });
    let born: Vec<(&Large, usize)> = born.collect();
    let object = |(large, _): &(&Large, usize)| LargeObject {
        span: large.span,
        start: large.start,
        pages: large.pages,
    };
    let objects: Vec<LargeObject> = born.iter().map(object).collect();
    let are_there = heap.are_there(program.memory(), &objects).ok()?;
    let mut by_site: BTreeMap<usize, Amount> = BTreeMap::new();
    for ((large, site), _) in born.iter().zip(are_there).filter(|(_, is_there)| *is_there) {
        let sum = by_site.entry(*site).or_default();
        *sum = sum.plus(Amount { bytes: large.bytes(), objects: 1 });
    }
    let mut unnamed = Amount::default();
    let mut sites = Vec::new();
    for (place, in_use) in by_site {
        let site = births.sites.get(place).filter(|site| !site.stack().is_empty());
        match site.and_then(|site| Some((site, name(site)?))) {
            Some((site, stack)) => {
                let allocated = Amount { bytes: site.bytes, objects: site.opened };
                sites.push(LargeSite { stack, in_use, allocated });
            }
            None => unnamed = unnamed.plus(in_use),
        }
    }
    let since = since.saturating_sub(first.unwrap_or(since));
    Some(LargeAllocations { since, sites, unnamed, lost: births.lost })
}

/// When the last collection of garbage ended, by the clock of births; `Some(None)` where there was none yet.
fn last_collection(heap: &Heap, program: &Program) -> Option<Option<Duration>> {
    let figures = heap.figures(program.memory()).ok()?;
    let Some(ended_ns) = figures.last_collection_ns else { return Some(None) };
    // By the wall clock: what it says now, and what the other says, tell how far the two are apart.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let ago = wall.saturating_sub(Duration::from_nanos(ended_ns));
    Some(Some(monotonic().saturating_sub(ago)))
}
