//! What the block and mutex profiles of a series count, as one sum of each.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::stacks::Stacks;
use crate::model::{Contended, Contention, Counted, StackId};
use crate::profile::proto::{self, Kind};

/// What was counted at each stack: how often, and how long in all.
type Sums = FxHashMap<StackId, (u64, Duration)>;

/// What the profiles of a series count so far.
#[derive(Default)]
pub(super) struct Tally {
    waits: Option<Side>,
    releases: Option<Side>,
    /// Of the profile that is being read.
    pending: Sums,
    /// Sites of it without their number or their time.
    incomplete: u64,
}

/// What one kind of profile counts.
struct Side {
    sums: Sums,
    /// Over how long; `None` since the program started.
    over: Option<Duration>,
    /// When the latest profile was made; `None` where the observation to come says so.
    at: Option<Duration>,
}

impl Tally {
    /// Takes a site of the profile that is being read.
    pub(super) fn take(&mut self, stacks: &mut Stacks, site: &proto::Contention<'_>) {
        let (Some(count), Some(delay)) = (site.count, site.delay) else {
            self.incomplete += 1;
            return;
        };
        if let Some(stack) = stacks.site(site.stack) {
            let (counted, delayed) = self.pending.entry(stack).or_default();
            *counted = counted.saturating_add(count);
            *delayed = delayed.saturating_add(delay);
        }
    }

    /// Forgets the profile that is being read.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
        self.incomplete = 0;
    }

    /// Ends the profile that is being read: it replaces what an earlier one of its kind said, or, of a part
    /// of the program's time, adds to it. Whether it could be taken: it has numbers and times.
    pub(super) fn end(&mut self, kind: Kind, over: Option<Duration>) -> bool {
        let sums = std::mem::take(&mut self.pending);
        let is_whole = std::mem::take(&mut self.incomplete) == 0;
        let side = match kind {
            Kind::Mutex => &mut self.releases,
            _ => &mut self.waits,
        };
        if !is_whole {
            return false;
        }
        match (side, over) {
            (Some(Side { sums: before, over: Some(so_far), at }), Some(over)) => {
                for (stack, (count, delay)) in sums {
                    let (counted, delayed) = before.entry(stack).or_default();
                    *counted = counted.saturating_add(count);
                    *delayed = delayed.saturating_add(delay);
                }
                *so_far = so_far.saturating_add(over);
                *at = None;
            }
            (side, over) => *side = Some(Side { sums, over, at: None }),
        }
        true
    }

    /// What they count, for an observation that is made so long after the first.
    pub(super) fn contention(&mut self, elapsed: Duration) -> Option<Contention> {
        let [waits, releases] = [&mut self.waits, &mut self.releases]
            .map(|side| side.as_mut().map(|side| side.counted(elapsed)));
        let is_known = waits.is_some() || releases.is_some();
        is_known.then_some(Contention { waits, releases })
    }
}

impl Side {
    fn counted(&mut self, elapsed: Duration) -> Counted {
        let at = *self.at.get_or_insert(elapsed);
        let mut stacks: Vec<Contended> = self
            .sums
            .iter()
            .map(|(&stack, &(count, delay))| Contended { stack, count, delay })
            .collect();
        stacks.sort_unstable_by_key(|contended| contended.stack);
        Counted { stacks, over: self.over, at }
    }
}
