//! Goroutines that never stop running.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{Verdict, WaitClass};

/// On a processor, or ready for one, at every look.
pub(super) struct Busy;

/// Looks in a row: a goroutine that runs half of the time is seen at all of them once in a thousand.
const LEAST_LOOKS: u64 = 10;

impl Detector for Busy {
    fn name(&self) -> &'static str {
        "busy"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let looks = case.life.busy.looks;
        let runs = matches!(case.wait(), WaitClass::Running | WaitClass::Runnable);
        if !runs || scene.idle.is_some() || looks < case.looks {
            return Outcome::Clear;
        }
        if looks < LEAST_LOOKS || case.window < scene.settings.thresholds.stuck_after {
            return Outcome::NotEnough(format!("what runs for ever needs {LEAST_LOOKS} looks"));
        }
        found(
            Verdict::Suspect,
            1,
            format!(
                "running, or ready to run, at each of {looks} looks in {:.0} s",
                case.seconds()
            ),
        )
    }
}
