//! Growth by births and deaths: goroutines that are born, again and again, and stay.
//!
//! A count that rises is no leak yet: load rises, pools warm up, jobs take long. A leak is told by
//! the ages of those that are there now: births in every part of the window have survived, hardly
//! any that were there before have gone, and it goes on to the end.

use std::time::Duration;

use super::super::case::Case;
use super::super::life::BINS;
use super::super::trends::{self, Curve};
use super::{Detector, Found, Outcome, Scene};
use crate::model::{DetectorKind, Evidence, GrowthPattern, Lack, NoLeak, Verdict};

/// Steady growth of survivors.
pub(super) struct SteadyGrowth;

/// Parts of the window that births are looked at by.
const PARTS: usize = 6;
/// Parts in which somebody must have been born who survived.
const MIN_PARTS: usize = 3;
/// The share of survivors that the older two of the five parts but the last must have: two fifths
/// of an even flow. Short lives leave none there.
const OLD_SHARE: f64 = 0.12;
/// Samples, and the window, before anything is stated.
const MIN_SAMPLES: u64 = 5;
const MIN_WINDOW: Duration = Duration::from_secs(4);
/// A number that fills up adds less than this share of the first half's in the second.
const FULL: f64 = 0.7;
/// The share of the first half's slope that the second half of a straight line has at least.
const STRAIGHT: f64 = 0.85;
/// In a window shorter than this, only what is fast can be told from chance.
const SHORT_SECONDS: f64 = 20.0;
const FAST: u64 = 20;

impl Detector for SteadyGrowth {
    fn kind(&self) -> DetectorKind {
        DetectorKind::SteadyGrowth
    }

    fn inspect(&self, _: &Case<'_>, scene: Scene<'_>) -> Outcome {
        match scene.steady_growth {
            Ok(found) => Outcome::Found(found.clone()),
            Err(NoLeak::TooShort) => {
                Outcome::NotEnough(Lack::Growth { samples: MIN_SAMPLES, window: MIN_WINDOW })
            }
            Err(_) => Outcome::Clear,
        }
    }
}

/// Whether a case grows as leaks do, and if not, in what.
pub(in crate::analyze) fn weigh(case: &Case<'_>, min_growth: u64) -> Result<Found, NoLeak> {
    let life = &case.life;
    if !life.known {
        return Err(NoLeak::UnknownLives);
    }
    if case.samples < MIN_SAMPLES || case.window < MIN_WINDOW {
        return if life.births.is_empty() { Err(NoLeak::Few) } else { Err(NoLeak::TooShort) };
    }
    let parts = parts(&life.births);
    // The youngest may yet end.
    let lasting: u64 = parts[..PARTS - 1].iter().sum();
    if lasting < min_growth.saturating_sub(1) || lasting == 0 {
        return Err(NoLeak::Few);
    }
    let deaths = case.at_first.saturating_sub(life.before);
    let net = case.count.saturating_sub(case.at_first);
    if parts.iter().filter(|&&births| births > 0).count() < MIN_PARTS {
        return Err(NoLeak::OneBurst);
    }
    let exponential =
        case.growth.is_some_and(|growth| growth.pattern == GrowthPattern::Exponential);
    if ((parts[0] + parts[1]) as f64) < OLD_SHARE * lasting as f64 && !exponential {
        return Err(NoLeak::ShortLived);
    }
    if has_stopped(&life.births) {
        return Err(NoLeak::Stopped);
    }
    if has_stopped(&life.births[..BINS - BINS / PARTS]) || (comes_late(&parts) && !exponential) {
        return Err(NoLeak::LateBurst);
    }
    let kept = deaths <= lasting / 4 && net as f64 >= 0.6 * lasting as f64;
    if (!kept && !rises_through_churn(case, net)) || fills_up(case, lasting) {
        return Err(NoLeak::ComeAndGo);
    }
    let evidence = Evidence::SteadyGrowth {
        survivors: life.survivors(),
        window: case.window,
        before: case.at_first,
        gone: deaths,
    };
    let is_few = lasting < min_growth || (case.seconds() < SHORT_SECONDS && lasting < FAST);
    let verdict = if is_few { Verdict::Suspect } else { Verdict::Likely };
    Ok(Found { verdict, count: case.count, evidence })
}

/// Whether a number of goroutines of which many end rises ever more slowly, as it does that fills up to a bound:
/// by more than chance, the second half of the window added much less than the first.
fn fills_up(case: &Case<'_>, lasting: u64) -> bool {
    let ended = case.left().unwrap_or(0);
    let (Some(first), Some(last)) = (case.points.first(), case.points.last()) else { return false };
    let middle = case.points[case.points.len() / 2].1;
    let (early, late) = (middle - first.1, last.1 - middle);
    let chance = 2.0 * (early + late.max(0.0)).max(0.0).sqrt();
    ended * 2 > lasting && late < FULL * early && early - late > chance
}

/// Whether a count rises in a straight line although many end: those that leak hide among those that do not.
/// A number that only fills up to a bound, as sessions of any length do, rises ever more slowly.
fn rises_through_churn(case: &Case<'_>, net: u64) -> bool {
    let Some(growth) = case.growth else { return false };
    if case.seconds() < SHORT_SECONDS || net < FAST || net * 8 < case.at_first {
        return false;
    }
    let is_line = growth.pattern == GrowthPattern::Linear && growth.r2 >= 0.9 && growth.low > 0.0;
    let middle = case.points.len() / 2;
    let half = |points: &[(f64, f64)]| {
        trends::growth(&Curve::through(points.iter().copied())).map(|it| it.per_second)
    };
    let halves = half(&case.points[..middle]).zip(half(&case.points[middle..]));
    is_line && halves.is_some_and(|(early, late)| late >= STRAIGHT * early)
}

/// Births by the part of the window.
fn parts(births: &[u32]) -> [u64; PARTS] {
    let mut parts = [0; PARTS];
    for (bin, &count) in births.iter().enumerate() {
        parts[(bin * PARTS / BINS).min(PARTS - 1)] += u64::from(count);
    }
    parts
}

/// Whether most births are in the last part of the window: how that goes on is not known.
fn comes_late(parts: &[u64; PARTS]) -> bool {
    parts[PARTS - 1] * 2 > parts.iter().sum()
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
        assert!(has_stopped(&births(0..50)), "each sample, then none for a sixth of the window");
        assert!(!has_stopped(&births((0..60).step_by(10))), "one in ten bins");
        assert!(!has_stopped(&births([5, 15, 25, 35, 45])), "the next is about due");
        assert!(has_stopped(&births([])));
        assert!(comes_late(&[47, 0, 0, 1, 0, 215]), "a warm-up, one more, a burst");
        assert!(!comes_late(&[10, 10, 10, 10, 10, 10]) && !comes_late(&[0, 0, 10, 0, 10, 10]));
        let before_a_late_burst = &births([6, 16, 59])[..BINS - BINS / PARTS];
        assert!(has_stopped(before_a_late_burst), "a warm-up, then nothing");
    }

    #[test]
    fn parts_cover_the_window() {
        assert_eq!(parts(&births(0..60)), [10; 6]);
        assert_eq!(parts(&births([59])), [0, 0, 0, 0, 0, 1]);
    }
}
