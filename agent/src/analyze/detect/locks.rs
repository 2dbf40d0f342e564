//! Locks that nobody gives back: deadlock cycles, and waits that do not move.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{DetectorKind, Evidence, HeldBy, Verdict, WaitClass};

/// Goroutines that wait for each other, or for themselves.
pub(super) struct Cycle;

impl Detector for Cycle {
    fn kind(&self) -> DetectorKind {
        DetectorKind::DeadlockCycle
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let wait = case.locks.lock_wait();
        if wait.cycle.is_empty() {
            return Outcome::Clear;
        }
        let evidence = Evidence::Cycle { example: wait.cycle, cycles: wait.cycles };
        // Who holds a lock is inferred: a cycle that is real does not go away, and what looks like one by
        // chance does not do so in several places at once.
        let (members, after) = (case.locks.in_cycles, scene.settings.thresholds.stuck_after);
        let is_sure = members.longest >= after || scene.cycles >= MIN_CYCLES;
        let verdict = if is_sure { Verdict::Likely } else { Verdict::Suspect };
        // Who waits behind a cycle gets no further either; of those that came last, stacks were not searched yet.
        let known = members.count.max(case.locks.stuck.count);
        found(verdict, if known * 2 > case.count { case.count } else { known }, evidence)
    }
}

/// So many separate cycles at once are none by chance.
const MIN_CYCLES: u64 = 3;

/// A lock that has not changed hands while anybody looked.
pub(super) struct StuckLock;

impl Detector for StuckLock {
    fn kind(&self) -> DetectorKind {
        DetectorKind::StuckLock
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        if !matches!(case.wait(), WaitClass::Mutex | WaitClass::RwMutex) {
            return Outcome::Clear;
        }
        let locks = &case.locks;
        let after = scene.settings.thresholds.stuck_after;
        let lasts = |longest| longest >= after;
        let nobody_gives = locks.stuck.count + locks.abandoned.count;
        let longest = locks.stuck.longest.max(locks.abandoned.longest);
        // Whoever holds it may be at work, sleep or wait for a time, and let go of it yet.
        let (verdict, number, longest) = if nobody_gives > 0 && lasts(longest) {
            (Verdict::Likely, nobody_gives, longest)
        } else if locks.open.count > 0 && lasts(locks.open.longest) {
            (Verdict::Suspect, locks.open.count, locks.open.longest)
        } else {
            return Outcome::Clear;
        };
        let wait = locks.lock_wait();
        let nobody = locks.abandoned.count * 2 > number && verdict == Verdict::Likely;
        let held_by = match (wait.likely_holder, wait.holders) {
            (Some(holder), _) => HeldBy::One(holder),
            (None, Some(holders)) => HeldBy::Each(holders),
            (None, None) if !wait.cycle.is_empty() => HeldBy::Cycles,
            (None, None) if nobody => HeldBy::Nobody,
            (None, None) => HeldBy::Unknown,
        };
        let evidence =
            Evidence::StuckLock { goroutines: number, longest, locks: wait.locks, held_by };
        found(verdict, number, evidence)
    }
}
