//! Locks that nobody gives back: deadlock cycles, and waits that do not move.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::text::{count, counted, duration};
use crate::model::{Verdict, WaitClass};

/// Goroutines that wait for each other, or for themselves.
pub(super) struct Cycle;

impl Detector for Cycle {
    fn name(&self) -> &'static str {
        "deadlock-cycle"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let wait = case.locks.lock_wait();
        let ids: Vec<String> = wait.cycle.iter().map(|waiter| waiter.goid.to_string()).collect();
        let example = match wait.cycle.as_slice() {
            [] => return Outcome::Clear,
            [one] => format!(
                "goroutine {} waits for the lock at {:#x}, which it holds itself",
                one.goid, one.object
            ),
            _ => format!("goroutines {} wait for each other in a deadlock cycle", ids.join(", ")),
        };
        let says = match wait.cycles {
            0 | 1 => example,
            cycles => format!("{example}, one of {} such cycles", count(cycles)),
        };
        // Who holds a lock is inferred: a cycle that is real does not go away, and what looks like one by
        // chance does not do so in several places at once.
        let (members, after) = (case.locks.in_cycles, scene.settings.thresholds.stuck_after);
        let is_sure = members.longest >= after || scene.cycles >= MIN_CYCLES;
        let verdict = if is_sure { Verdict::Likely } else { Verdict::Suspect };
        // Who waits behind a cycle gets no further either; of those that came last, stacks were not searched yet.
        let known = members.count.max(case.locks.stuck.count);
        found(verdict, if known * 2 > case.count { case.count } else { known }, says)
    }
}

/// So many separate cycles at once are none by chance.
const MIN_CYCLES: u64 = 3;

/// A lock that has not changed hands while anybody looked.
pub(super) struct StuckLock;

impl Detector for StuckLock {
    fn name(&self) -> &'static str {
        "stuck-lock"
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
        let have = if number == 1 { "has" } else { "have" };
        let who = format!("{} {have} waited {}", counted(number, "goroutine"), duration(longest));
        let wait = locks.lock_wait();
        let of = if wait.locks > 1 { "locks" } else { "a lock" };
        let says = match (&wait.likely_holder, &wait.holders) {
            (Some(holder), _) => format!(
                "{who} for a lock that goroutine {} probably holds, which itself {}",
                holder.goid, holder.doing
            ),
            (None, Some(holders)) => format!(
                "{who} for {of}, of which {} wait for one that a goroutine probably holds which \
                 itself {}",
                count(holders.waiters),
                holders.doing
            ),
            (None, None) if !wait.cycle.is_empty() => {
                format!("{who} for {of}, held in or behind deadlock cycles")
            }
            (None, None) if locks.abandoned.count * 2 > number && verdict == Verdict::Likely => {
                format!("{who} for {of} that no goroutine seems to hold")
            }
            (None, None) => format!("{who} for {of}, and who holds it is not known"),
        };
        found(verdict, number, says)
    }
}
