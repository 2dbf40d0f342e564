//! What collections ended that the agent made the program do: of the whole, and of each finding.
//!
//! What piled up above the window's first sample is held against what of it was gone after the collections,
//! never the whole heap or all goroutines: those that were there before tell nothing.

use rustc_hash::FxHashMap;

use crate::model::{
    Around, CollectionBand, CollectionVerdict, Coverage, Evidence, Finding, ForcedCollection,
    Freed, MIN_PILED_UP, MIN_PILED_UP_BYTES, MIN_PILED_UP_PERCENT, Measured, Retained, Verdict,
    WouldFree,
};

/// From this part on what was there only waited for a collection; from the next on some of it did; from the
/// last on little did.
const BANDS: [(f64, CollectionBand); 3] = [
    (0.8, CollectionBand::CleanupDelay),
    (0.5, CollectionBand::Partial),
    (0.2, CollectionBand::LikelyLeak),
];

/// How many goroutines each group had around forced collections, by the hash of its signature.
#[derive(Debug, Default)]
pub(super) struct Counts {
    before: Option<FxHashMap<u64, u64>>,
    after: Option<(Measured, FxHashMap<u64, u64>)>,
}

impl Counts {
    /// Takes in the counts of a sample.
    pub(super) fn add(&mut self, coverage: &Coverage, counts: &FxHashMap<u64, u64>) {
        match &coverage.forced {
            Some(ForcedCollection::Made) => {
                self.before.get_or_insert_with(|| counts.clone());
            }
            Some(ForcedCollection::Measured(measured)) if self.after.is_none() => {
                self.after = Some((*measured, counts.clone()));
            }
            _ => {}
        }
    }

    /// What the collections say of goroutines of some groups, which at first were `floor`; `None` where
    /// nothing was measured, or little had piled up.
    fn of(&self, hashes: &[u64], floor: u64) -> Option<Freed> {
        let (measured, after) = self.after.as_ref()?;
        let sum = |counts: &FxHashMap<u64, u64>| {
            hashes.iter().filter_map(|hash| counts.get(hash)).sum::<u64>()
        };
        let amounts = Around { floor, before: sum(self.before.as_ref()?), after: sum(after) };
        freed(amounts, measured.threshold_percent, MIN_PILED_UP)
    }

    /// Adds to a finding what the collections say of its goroutines, which at first were `floor`. Most of
    /// what grew is gone by a collection: then it is no more than suspect that it grew.
    pub(super) fn judge(&self, finding: &mut Finding, hashes: &[u64], floor: u64) {
        let Some(freed) = self.of(hashes, floor) else { return };
        finding.evidence.push(Evidence::Collected(freed));
        if freed.band == CollectionBand::CleanupDelay && finding.verdict == Verdict::Likely {
            finding.verdict = Verdict::Suspect;
        }
    }
}

/// What forced collections say of the whole program; `None` where none were measured.
pub(super) fn verdict(coverage: &Coverage) -> Option<CollectionVerdict> {
    let Some(ForcedCollection::Measured(measured)) = &coverage.forced else { return None };
    let percent = measured.threshold_percent;
    Some(CollectionVerdict {
        goroutines: freed(measured.goroutines, percent, MIN_PILED_UP),
        heap_bytes: freed(measured.heap_bytes, percent, MIN_PILED_UP_BYTES),
    })
}

/// What collections would free by a walk of the heap, of what is there beyond what one before had found reachable:
/// `floor_bytes`, or else the last before the walk. `None` where the walk did not follow all pointers.
#[must_use]
pub fn would_free(retained: &Retained, floor_bytes: Option<u64>) -> Option<WouldFree> {
    let collectable = retained.collectable?;
    let before = retained.reached.plus(retained.unreached).bytes;
    let after =
        before.saturating_sub(collectable.next.bytes).saturating_sub(collectable.later.bytes);
    let floor = floor_bytes.or(collectable.last_live_bytes);
    let amounts = floor.map(|floor| Around { floor, before, after });
    let freed = amounts.and_then(|it| freed(it, MIN_PILED_UP_PERCENT, MIN_PILED_UP_BYTES));
    Some(WouldFree { collectable, amounts, freed })
}

/// How much of a pile is gone; `None` where there was none.
fn freed(amounts: Around, percent: u32, least: u64) -> Option<Freed> {
    if !amounts.has_piled_up(percent, least) {
        return None;
    }
    let part = amounts.freed() as f64 / amounts.piled_up().max(1) as f64;
    let band = BANDS.into_iter().find(|&(from, _)| part >= from);
    let band = band.map_or(CollectionBand::ConfirmedLeak, |(_, band)| band);
    Some(Freed { amounts, part, band })
}

#[cfg(test)]
mod tests;
