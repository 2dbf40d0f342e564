//! Goroutines that are on a processor, or ready for one, in every sample.

use std::num::NonZeroU64;

use rustc_hash::FxHashMap;

use crate::model::{Goroutine, StackId, WaitClass};

/// What is remembered of a goroutine that was running or ready in every sample since.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Busy {
    /// In how many samples in a row.
    pub(super) samples: u64,
    /// Where it was last seen; a running one shows no stack.
    pub(super) last: Option<StackId>,
}

/// Remembers them from sample to sample: as many as there are processors, and a run queue.
#[derive(Debug, Default)]
pub(super) struct Runners {
    known: FxHashMap<NonZeroU64, Busy>,
    /// Samples that counted: none in which the process was kept from running.
    samples: u64,
}

impl Runners {
    /// Takes in the next sample.
    pub(super) fn observe(&mut self, goroutines: &[Goroutine]) {
        let mut now = FxHashMap::default();
        for goroutine in goroutines {
            if matches!(goroutine.wait, WaitClass::Running | WaitClass::Runnable)
                && let Some(goid) = goroutine.goid
            {
                let before = self.known.get(&goid).copied().unwrap_or_default();
                let last = goroutine.stack.id().or(before.last);
                now.insert(goid, Busy { samples: before.samples + 1, last });
            }
        }
        self.known = now;
        self.samples += 1;
    }

    /// How many samples counted.
    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    /// What is known of one.
    pub(super) fn get(&self, goid: NonZeroU64) -> Busy {
        self.known.get(&goid).copied().unwrap_or_default()
    }
}
