//! What is usual of a program: learned from samples in which nothing is found, and what there is compared with it.

use super::trends::{GRAIN_OF_COUNTS, GRAIN_OF_RATES, PAGE};
use crate::model::{Assessment, Habits, Quantity, Usual, Verdict};

/// Samples that something can be called usual by.
const MIN_SAMPLES: u32 = 30;
/// Nine in ten samples lie between these parts.
const LOW: f64 = 0.05;
const HIGH: f64 = 0.95;
/// Far more than usual is more by half of the usual, by as much again as lies between low and high, and by so many of what
/// makes a difference.
const MIN_PART: f64 = 0.5;
const MIN_UNITS: f64 = 10.0;

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
        let (low, high) = (sizes.quantile(LOW, unit)?, sizes.quantile(HIGH, unit)?);
        let margin = (MIN_PART * high).max(high - low).max(MIN_UNITS * unit);
        (samples >= MIN_SAMPLES).then_some(Usual {
            quantity,
            low,
            high,
            samples: samples.into(),
            now,
            is_above: now > high + margin,
        })
    };
    sizes(assessment).into_iter().filter_map(of).collect()
}

/// What there is now of each quantity that is known.
fn sizes(assessment: &Assessment) -> Vec<(Quantity, f64)> {
    let memory = assessment.memory.as_ref().map(|account| &account.now);
    let live = memory.and_then(|now| now.heap.as_ref()?.marked_bytes);
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
