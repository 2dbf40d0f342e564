//! Growth by counts alone, for sources that do not know goroutines apart.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::text::count;
use crate::model::{GrowthPattern, Verdict};

/// A count that rises and rises.
pub(super) struct CountGrowth;

/// Looks before anything is said.
const LEAST_LOOKS: usize = 6;

impl Detector for CountGrowth {
    fn name(&self) -> &'static str {
        "count-growth"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        if case.life.known {
            return Outcome::Clear;
        }
        let Some(growth) = case.growth.filter(|_| case.points.len() >= LEAST_LOOKS) else {
            return Outcome::NotEnough(format!("growth of a count needs {LEAST_LOOKS} looks"));
        };
        let net = case.count.saturating_sub(case.at_first);
        let rises = matches!(
            growth.pattern,
            GrowthPattern::Linear | GrowthPattern::Exponential | GrowthPattern::Stepped
        );
        if !rises || growth.low <= 0.0 || net < scene.settings.thresholds.least_growth {
            return Outcome::Clear;
        }
        let says = format!(
            "from {} to {} within {:.0} s, {:+.2} a second ({:+.2} to {:+.2} with 95 % confidence)",
            count(case.at_first),
            count(case.count),
            case.seconds(),
            growth.per_second,
            growth.low,
            growth.high
        );
        // Every fifth or more of what was there at first came in: more than load that goes up.
        let sure = growth.r2 > 0.9 && net >= 10 && net * 5 >= case.at_first;
        found(if sure { Verdict::Likely } else { Verdict::Suspect }, case.count, says)
    }
}
