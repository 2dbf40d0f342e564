//! What is usual of a program: learned from samples in which nothing is found, and what there is compared with it.

use super::settings::Thresholds;
use super::trends::{GRAIN_OF_COUNTS, GRAIN_OF_RATES, PAGE};
use crate::model::{Assessment, Habits, Memory, Quantity, Sizes, Usual, Verdict};

/// Samples that something can be called usual by.
const MIN_SAMPLES: u32 = 30;
/// Nine in ten samples lie between these parts.
const LOW: f64 = 0.05;
const HIGH: f64 = 0.95;
/// Far more than usual is more by half of the usual, by as much again as lies between low and high, and by so many of what
/// makes a difference.
const MIN_PART: f64 = 0.5;
const MIN_UNITS: f64 = 10.0;

/// By so many samples something is usual for long: three hours at the pace of `monitor`.
const MIN_STEADY: u32 = 1_000;
/// And steady, if what is usual at most is so many times what is usual at least.
const MAX_SPREAD: f64 = 1.5;
/// From so many times what is far more than usual on a number of goroutines is moderate, high, critical.
const RAISED: [f64; 3] = [1.0, 2.0, 4.0];
/// No threshold is raised to more than so many times its default: what grows slowly enough seems steady.
const MAX_RAISED: u64 = 20;

/// From how many goroutines on their number is moderate, high, critical, where those thresholds were set: as they were set,
/// or higher where many have been usual for long. One that is not as it is by default holds, whatever is usual.
#[must_use]
pub fn raised(habits: &Habits, set: [u64; 3]) -> [u64; 3] {
    let sizes = habits.quantities.get(&Quantity::Goroutines);
    let Some(sizes) = sizes.filter(|sizes| sizes.counted() >= MIN_STEADY) else { return set };
    let Some((low, high)) = range(sizes, GRAIN_OF_COUNTS) else { return set };
    if high > low * MAX_SPREAD {
        return set;
    }
    let bound = far_more(low, high, GRAIN_OF_COUNTS);
    let default = Thresholds::default().goroutines;
    let mut raised = set;
    for (threshold, (default, times)) in raised.iter_mut().zip(default.into_iter().zip(RAISED)) {
        if *threshold == default {
            let most = default.saturating_mul(MAX_RAISED);
            *threshold = (*threshold).max(((bound * times) as u64).min(most));
        }
    }
    let [moderate, high, critical] = raised;
    let high = high.min(critical);
    [moderate.min(high), high, critical]
}

/// Nine in ten samples lie between these.
fn range(sizes: &Sizes, unit: f64) -> Option<(f64, f64)> {
    Some((sizes.quantile(LOW, unit)?, sizes.quantile(HIGH, unit)?))
}

/// More than this is far more than usual.
fn far_more(low: f64, high: f64, unit: f64) -> f64 {
    high + (MIN_PART * high).max(high - low).max(MIN_UNITS * unit)
}

/// Takes in what there is now, unless something is found that is at least likely: a leak is never usual.
pub fn learn(habits: &mut Habits, assessment: &Assessment) {
    let mut findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
    if findings.any(|finding| finding.verdict >= Verdict::Likely) {
        return;
    }
    for (quantity, now) in sizes(assessment) {
        habits.quantities.entry(quantity).or_default().add(now, unit(quantity));
    }
}

/// What is usual of each quantity of which enough is known, and what there is now.
#[must_use]
pub fn usual(habits: &Habits, assessment: &Assessment) -> Vec<Usual> {
    let of = |(quantity, now): (Quantity, f64)| {
        let sizes = habits.quantities.get(&quantity)?;
        let samples = sizes.counted();
        let unit = unit(quantity);
        let (low, high) = range(sizes, unit)?;
        (samples >= MIN_SAMPLES).then_some(Usual {
            quantity,
            low,
            high,
            samples: samples.into(),
            now,
            is_above: now > far_more(low, high, unit),
        })
    };
    sizes(assessment).into_iter().filter_map(of).collect()
}

/// What there is now of each quantity that is known.
fn sizes(assessment: &Assessment) -> Vec<(Quantity, f64)> {
    let memory = assessment.memory.as_ref().map(|account| &account.now);
    let live = memory.and_then(Memory::live_bytes);
    let resident = memory.and_then(|now| Some(now.process?.rss_bytes));
    let descriptors = assessment.resources.as_ref().and_then(|account| account.now.descriptors);
    let counts = [
        (Quantity::Goroutines, assessment.goroutines()),
        (Quantity::LiveHeap, live),
        (Quantity::Resident, resident),
        (Quantity::Descriptors, descriptors.map(|usage| usage.count)),
    ];
    let counts = counts.into_iter().filter_map(|(quantity, now)| Some((quantity, now? as f64)));
    // What a rate was lately is known from a few samples on.
    let trends = assessment.judgement.iter().flat_map(|judgement| &judgement.trends);
    let rates = trends.filter(|trend| trend.quantity.is_rate()).map(|it| (it.quantity, it.to));
    counts.chain(rates).collect()
}

/// The least of a quantity that makes a difference.
const fn unit(quantity: Quantity) -> f64 {
    if quantity.is_bytes() {
        64.0 * PAGE
    } else if quantity.is_rate() {
        GRAIN_OF_RATES
    } else {
        GRAIN_OF_COUNTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    fn judged(leaked: u64) -> Assessment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
    }

    #[test]
    fn what_is_far_more_than_usual_is_told_once_enough_is_known() {
        let mut habits = Habits::default();
        for sample in 0..MIN_SAMPLES {
            assert_eq!(usual(&habits, &judged(400)), []);
            learn(&mut habits, &judged(40 + u64::from(sample % 20)));
        }
        let now = |leaked| usual(&habits, &judged(leaked))[0];
        let unusual = now(409);
        assert_eq!((unusual.quantity, unusual.now), (Quantity::Goroutines, 412.0));
        assert!((38.0..=46.0).contains(&unusual.low), "{unusual:?}");
        assert!((58.0..=66.0).contains(&unusual.high), "{unusual:?}");
        assert!(unusual.is_above && !now(70).is_above && !now(0).is_above);
    }

    #[test]
    fn what_has_been_steady_for_long_raises_thresholds_and_nothing_lowers_them() {
        let of = |counts: &[u64], samples: u32| {
            let mut habits = Habits::default();
            let sizes = habits.quantities.entry(Quantity::Goroutines).or_default();
            for count in counts.iter().cycle().take(samples as usize) {
                sizes.add(*count as f64, GRAIN_OF_COUNTS);
            }
            habits
        };
        let set = Thresholds::default().goroutines;
        let steady = of(&[12_000, 12_500], MIN_STEADY);
        let [moderate, high, critical] = raised(&steady, set);
        assert!((17_000..21_000).contains(&moderate), "{moderate}");
        assert!((34_000..42_000).contains(&high) && critical == set[2], "{high} {critical}");
        let very_many = raised(&of(&[90_000_000], MIN_STEADY), set);
        assert_eq!(very_many, [20_000, 200_000, 2_000_000]);
        // What was set holds, and those below it keep below it.
        assert_eq!(raised(&steady, [1_000, 5_000, 100_000]), [5_000, 5_000, 100_000]);
        assert_eq!(raised(&steady, [500, 600, 700]), [500, 600, 700]);
        // Few samples, what swings, what grows, and what is small.
        assert_eq!(raised(&of(&[12_000], MIN_STEADY - 1), set), set);
        assert_eq!(raised(&of(&[8_000, 16_000], 2 * MIN_STEADY), set), set);
        let growing: Vec<u64> = (0..u64::from(MIN_STEADY)).map(|at| 5_000 + 10 * at).collect();
        assert_eq!(raised(&of(&growing, MIN_STEADY), set), set);
        assert_eq!(raised(&of(&[50], MIN_STEADY), set), set);
        assert_eq!(raised(&Habits::default(), set), set);
    }

    #[test]
    fn a_leak_is_not_learned() {
        let (mut window, mut habits) = (Window::default(), Habits::default());
        for second in 0..60 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
            let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
            learn(&mut habits, &judged.expect("observed"));
        }
        let learned = habits.quantities[&Quantity::Goroutines].counted();
        assert!(learned < MIN_SAMPLES, "{learned}");
    }
}
