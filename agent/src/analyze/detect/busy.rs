//! Goroutines that never stop running.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{DetectorKind, Evidence, Lack, Verdict, WaitClass};

/// On a processor, or ready for one, at every sample in which its process was not kept from running.
pub(super) struct Busy;

/// Samples in a row: a goroutine that runs half of the time is seen at all of them once in a thousand.
const MIN_SAMPLES: u64 = 10;

impl Detector for Busy {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Busy
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let samples = case.life.busy.samples;
        let runs = matches!(case.wait(), WaitClass::Running | WaitClass::Runnable);
        if !runs || scene.is_idle {
            return Outcome::Clear;
        }
        if case.life.unidentified == case.count {
            return Outcome::NotEnough(Lack::IdsOfRunning);
        }
        if samples < case.running_samples {
            return Outcome::Clear;
        }
        if samples < MIN_SAMPLES || case.window < scene.settings.thresholds.stuck_after {
            return Outcome::NotEnough(Lack::Running { samples: MIN_SAMPLES });
        }
        found(Verdict::Suspect, 1, Evidence::Busy { samples, window: case.window })
    }
}
