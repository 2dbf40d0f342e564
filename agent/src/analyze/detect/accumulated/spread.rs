//! How moments spread over a time, and whether two orders agree: the statistics of the detector.

/// Fewer moments than this say nothing.
pub(super) const MIN_MOMENTS: usize = 24;
/// The mean of moments that spread evenly over 0 to 1 lies between these. Exponential lifetimes whose
/// mean is a third of the time have 0.28, tenants that are met ever more seldom 0.68.
const MIN_MEAN: f64 = 0.42;
const MAX_MEAN: f64 = 0.62;
/// How far the distribution may be from an even one (the statistic of Kolmogorov and Smirnov): what
/// chance makes of an even one in 99 of 100 cases, and as much again as a load that varies makes.
const CHANCE: f64 = 1.63;
const VARYING: f64 = 0.08;
const MAX_DISTANCE: f64 = 0.33;
/// The time without any moment at the end, in usual gaps between two.
const MAX_GAPS: f64 = 5.0;
const MAX_QUIET: f64 = 0.25;
/// What happened in the first tenth may have been the warm-up: the rest is looked at by itself too.
const AFTER_START: f64 = 0.9;

/// Whether moments, as ages between 0 (now) and 1 (the beginning), spread evenly over the whole time,
/// or over all of it after the beginning.
pub(super) fn is_even(ages: &[f64]) -> bool {
    [1.0, AFTER_START].iter().any(|&from| {
        let mut later: Vec<f64> =
            ages.iter().filter(|&&age| age <= from).map(|age| age / from).collect();
        later.sort_unstable_by(f64::total_cmp);
        is_even_throughout(&later)
    })
}

fn is_even_throughout(ages: &[f64]) -> bool {
    if ages.len() < MIN_MOMENTS {
        return false;
    }
    let count = ages.len() as f64;
    let mean = ages.iter().sum::<f64>() / count;
    (MIN_MEAN..=MAX_MEAN).contains(&mean)
        && distance(ages) <= (CHANCE / count.sqrt() + VARYING).min(MAX_DISTANCE)
        && goes_on(ages)
}

/// Whether the latest moment is no longer ago than gaps between moments explain.
fn goes_on(ages: &[f64]) -> bool {
    ages.first().is_some_and(|&latest| latest <= (MAX_GAPS / ages.len() as f64).min(MAX_QUIET))
}

/// The largest distance between the distribution of sorted values and the even one over 0 to 1.
fn distance(sorted: &[f64]) -> f64 {
    let count = sorted.len() as f64;
    let at = |(index, &value): (usize, &f64)| {
        let before = index as f64 / count;
        (value - before).abs().max((value - before - 1.0 / count).abs())
    };
    sorted.iter().enumerate().map(at).fold(0.0, f64::max)
}

/// Whether something happened in each third, to the end. A weaker word than [`is_even`], for a clock whose
/// rate varies.
pub(super) fn lasts(ages: &[f64]) -> bool {
    let middle = ages.iter().filter(|&&age| (1.0 / 3.0..2.0 / 3.0).contains(&age)).count();
    let any_before = ages.iter().any(|&age| age >= 2.0 / 3.0);
    any_before && middle >= least(ages) && lasts_to_end(ages)
}

/// Whether something happened in the last third, and lately.
pub(super) fn lasts_to_end(ages: &[f64]) -> bool {
    let late = ages.iter().filter(|&&age| age < 1.0 / 3.0).count();
    let latest = ages.iter().copied().fold(1.0, f64::min);
    late >= least(ages) && latest <= MAX_QUIET
}

/// What a third must have: three in a hundred, and three at least.
const fn least(ages: &[f64]) -> usize {
    let share = ages.len() / 33;
    if share > 3 { share } else { 3 }
}

/// How well two orders agree (Kendall's tau, pairs that are equal in either aside): 1 where the first
/// of each pair is the first in both, 0 where they have nothing to do with each other. `None` where
/// there are hardly any pairs. Values of the first that are at most `blur` apart are equal.
pub(super) fn agreement(pairs: &[(f64, f64)], blur: f64) -> Option<f64> {
    let (mut agree, mut differ) = (0_u64, 0_u64);
    for (index, a) in pairs.iter().enumerate() {
        for b in &pairs[index + 1..] {
            if (a.0 - b.0).abs() <= blur || (a.1 - b.1).abs() < f64::EPSILON {
                continue;
            }
            if (a.0 < b.0) == (a.1 < b.1) {
                agree += 1;
            } else {
                differ += 1;
            }
        }
    }
    let all = agree + differ;
    (all >= pairs.len() as u64).then(|| (agree as f64 - differ as f64) / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_even_is_even_and_what_lies_on_one_side_is_not() {
        let even: Vec<f64> = (0..40).map(|at| (f64::from(at) + 0.5) / 40.0).collect();
        assert!(is_even(&even) && lasts(&even));
        let half: Vec<f64> = even.iter().map(|age| age / 2.0).collect();
        assert!(!is_even(&half), "all in the later half");
        let old: Vec<f64> = even.iter().map(|age| 0.5 + age / 2.0).collect();
        assert!(!is_even(&old) && !lasts(&old), "none since");
        assert!(!is_even(&even[..MIN_MOMENTS / 2]), "too few");
        assert!(!is_even(&[0.5; 40]) && !lasts(&[0.5; 40]), "a burst");
    }

    #[test]
    fn a_warm_up_before_an_even_flow_is_set_aside() {
        let flow = (0..60).map(|at| f64::from(at) / 66.0);
        let ages: Vec<f64> = flow.chain([0.999; 150]).collect();
        assert!(is_even(&ages) && lasts(&ages));
        assert!(!is_even(&[0.999; 150]));
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        assert!((distance(&[0.25, 0.5, 0.75]) - 0.25).abs() < 1e-9);
        assert!((distance(&[1.0]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn orders_agree_differ_or_say_nothing() {
        let rising: Vec<(f64, f64)> = (0..10).map(|at| (f64::from(at), f64::from(at))).collect();
        assert_eq!(agreement(&rising, 0.0), Some(1.0));
        let falling: Vec<_> = rising.iter().map(|&(a, b)| (a, -b)).collect();
        assert_eq!(agreement(&falling, 0.0), Some(-1.0));
        assert_eq!(agreement(&rising, 10.0), None, "all are equal within the blur");
        assert_eq!(agreement(&[(1.0, 1.0), (2.0, 1.0)], 0.0), None);
    }
}
