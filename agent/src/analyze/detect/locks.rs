//! Locks that nobody gives back: circles, and waits that do not move.

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
        let cycle = &scene.lock_wait.cycle;
        let says = match cycle.as_slice() {
            [] => return Outcome::Clear,
            [one] => format!(
                "goroutine {} waits for the lock at {:#x}, which it holds itself",
                one.goid, one.object
            ),
            many => {
                let ids: Vec<String> = many.iter().map(|waiter| waiter.goid.to_string()).collect();
                format!("goroutines {} wait for each other's locks in a circle", ids.join(", "))
            }
        };
        // Who holds a lock is inferred: a cycle that is real does not go away, and what looks like one by
        // chance does not do so in several places at once.
        let lasts =
            case.oldest.is_some_and(|oldest| oldest >= scene.settings.thresholds.stuck_after);
        if lasts || scene.cycles < MIN_CYCLES {
            return found(if lasts { Verdict::Likely } else { Verdict::Suspect }, case.count, says);
        }
        let says = format!("{says}; there are {} such cycles at once", count(scene.cycles));
        found(Verdict::Likely, case.count, says)
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
        let life = &case.life;
        if scene.lock_passes
            || life.stuck == 0
            || life.stuck_for < scene.settings.thresholds.stuck_after
        {
            return Outcome::Clear;
        }
        let waited = duration(life.stuck_for);
        let have = if life.stuck == 1 { "has" } else { "have" };
        let who = format!("{} {have}", counted(life.stuck, "goroutine"));
        let (verdict, says) = match &scene.lock_wait.likely_holder {
            Some(holder) => (
                // Whoever holds it may be at work, and let go of it yet.
                if holder.is_stuck { Verdict::Likely } else { Verdict::Suspect },
                format!(
                    "{who} waited {waited} for a lock that goroutine {} probably holds, \
                     which itself {}",
                    holder.goid, holder.doing
                ),
            ),
            None => (
                Verdict::Likely,
                format!("{who} waited {waited} for a lock that no goroutine seems to hold"),
            ),
        };
        found(verdict, life.stuck, says)
    }
}
