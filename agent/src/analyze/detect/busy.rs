//! Goroutines that never stop running.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{Verdict, WaitClass};

/// On a processor, or ready for one, at every sample in which its process was not kept from running.
pub(super) struct Busy;

/// Samples in a row: a goroutine that runs half of the time is seen at all of them once in a thousand.
const MIN_SAMPLES: u64 = 10;

/// What is lacking where goroutines are not known apart.
const NO_IDS: &str = "what runs for ever is told by goroutine ids, which are not known";

impl Detector for Busy {
    fn name(&self) -> &'static str {
        "busy"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let looks = case.life.busy.looks;
        let runs = matches!(case.wait(), WaitClass::Running | WaitClass::Runnable);
        if !runs || scene.idle.is_some() {
            return Outcome::Clear;
        }
        if case.life.unidentified == case.count {
            return Outcome::NotEnough(NO_IDS.to_owned());
        }
        if looks < case.running_samples {
            return Outcome::Clear;
        }
        if looks < MIN_SAMPLES || case.window < scene.settings.thresholds.stuck_after {
            return Outcome::NotEnough(format!("what runs for ever needs {MIN_SAMPLES} samples"));
        }
        found(
            Verdict::Suspect,
            1,
            format!(
                "running, or ready to run, at each of {looks} samples in {:.0} s",
                case.seconds()
            ),
        )
    }
}
