//! Growth by counts alone, for sources that do not know goroutines apart.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{DetectorKind, Evidence, Lack, Verdict};

/// A count that rises and rises.
pub(super) struct CountGrowth;

/// Samples before anything is stated.
const MIN_SAMPLES: usize = 6;

impl Detector for CountGrowth {
    fn kind(&self) -> DetectorKind {
        DetectorKind::CountGrowth
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        if case.life.known {
            return Outcome::Clear;
        }
        let Some(growth) = case.growth.filter(|_| case.points.len() >= MIN_SAMPLES) else {
            return Outcome::NotEnough(Lack::Count { samples: MIN_SAMPLES as u64 });
        };
        let net = case.count.saturating_sub(case.at_first);
        let rises = growth.pattern.rises();
        if !rises || growth.low <= 0.0 || net < scene.settings.thresholds.min_growth {
            return Outcome::Clear;
        }
        let evidence = Evidence::CountGrowth {
            from: case.at_first,
            to: case.count,
            window: case.window,
            per_second: growth.per_second,
            low: growth.low,
            high: growth.high,
        };
        // Every fifth or more of what was there at first came in: more than load that goes up.
        let sure = growth.r2 > 0.9 && net >= 10 && net * 5 >= case.at_first;
        found(if sure { Verdict::Likely } else { Verdict::Suspect }, case.count, evidence)
    }
}
