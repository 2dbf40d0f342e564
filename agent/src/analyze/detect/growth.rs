//! Growth by births and deaths: goroutines that are born, again and again, and stay.
//!
//! A count that rises is no leak yet: load rises, pools warm up, jobs take long. A leak is told by
//! the ages of those that are there now: births in every part of the window have survived, hardly
//! any that were there before have gone, and it goes on to the end.

use super::super::case::Case;
use super::super::life::BINS;
use super::{Detector, Outcome, Scene, found};
use crate::model::text::{count, counted};
use crate::model::{GrowthPattern, Verdict};

/// Steady growth of survivors.
pub(super) struct SteadyGrowth;

/// Parts of the window that births are looked at by.
const PARTS: usize = 6;
/// Parts in which somebody must have been born who survived.
const LEAST_PARTS: usize = 3;
/// The share of survivors that the older two of the five parts but the last must have: two fifths
/// of an even flow. Short lives leave none there.
const OLD_SHARE: f64 = 0.12;
/// Looks, and seconds, before anything is said.
const LEAST_LOOKS: u64 = 5;
const LEAST_SECONDS: f64 = 4.0;
/// In a window shorter than this, only what is fast can be told from chance.
const SHORT_SECONDS: f64 = 20.0;
const FAST: u64 = 20;

impl Detector for SteadyGrowth {
    fn name(&self) -> &'static str {
        "steady-growth"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let life = &case.life;
        if !life.known || life.births.is_empty() {
            return Outcome::Clear;
        }
        if case.looks < LEAST_LOOKS || case.seconds() < LEAST_SECONDS {
            return Outcome::NotEnough(format!(
                "growth needs {LEAST_LOOKS} looks and {LEAST_SECONDS:.0} s"
            ));
        }
        let parts = parts(&life.births);
        // The youngest may yet end.
        let lasting: u64 = parts[..PARTS - 1].iter().sum();
        let least = scene.settings.thresholds.least_growth;
        if lasting < least.saturating_sub(1) || lasting == 0 {
            return Outcome::Clear;
        }
        let deaths = case.at_first.saturating_sub(life.before);
        let net = case.count.saturating_sub(case.at_first);
        let kept = deaths <= lasting / 4 && net as f64 >= 0.6 * lasting as f64;
        let spread = parts.iter().filter(|&&births| births > 0).count() >= LEAST_PARTS;
        let exponential =
            case.growth.is_some_and(|growth| growth.pattern == GrowthPattern::Exponential);
        let old = (parts[0] + parts[1]) as f64 >= OLD_SHARE * lasting as f64 || exponential;
        if !(kept && spread && old) || has_stopped(&life.births) {
            return Outcome::Clear;
        }
        let says = format!(
            "{} born within {:.0} s are still here; of the {} that were here before, {} gone",
            counted(life.survivors(), "goroutine"),
            case.seconds(),
            count(case.at_first),
            match deaths {
                0 => "none has".to_owned(),
                1 => "1 has".to_owned(),
                _ => format!("{} have", count(deaths)),
            }
        );
        if lasting < least || (case.seconds() < SHORT_SECONDS && lasting < FAST) {
            return found(Verdict::Suspect, case.count, says);
        }
        found(Verdict::Likely, case.count, says)
    }
}

/// Births by the part of the window.
fn parts(births: &[u32]) -> [u64; PARTS] {
    let mut parts = [0; PARTS];
    for (bin, &count) in births.iter().enumerate() {
        parts[(bin * PARTS / BINS).min(PARTS - 1)] += u64::from(count);
    }
    parts
}

/// Whether the last birth was much longer ago than births lie apart.
fn has_stopped(births: &[u32]) -> bool {
    let born: Vec<usize> = (0..births.len()).filter(|&bin| births[bin] > 0).collect();
    let Some(&last) = born.last() else { return true };
    let quiet = births.len() - 1 - last;
    let gap = (last + 1) as f64 / born.len() as f64;
    quiet as f64 > 3.0 * gap.max(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn births(at: impl IntoIterator<Item = usize>) -> Vec<u32> {
        let mut births = vec![0; BINS];
        for bin in at {
            births[bin] += 1;
        }
        births
    }

    #[test]
    fn a_ramp_that_ended_has_stopped_and_a_slow_leak_has_not() {
        assert!(has_stopped(&births(0..50)), "each look, then none for a sixth of the window");
        assert!(!has_stopped(&births((0..60).step_by(10))), "one in ten bins");
        assert!(!has_stopped(&births([5, 15, 25, 35, 45])), "the next is about due");
        assert!(has_stopped(&births([])));
    }

    #[test]
    fn parts_cover_the_window() {
        assert_eq!(parts(&births(0..60)), [10; 6]);
        assert_eq!(parts(&births([59])), [0, 0, 0, 0, 0, 1]);
    }
}
