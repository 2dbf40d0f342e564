//! The analysis as a whole, on series that are made: what is in them is found, and nothing else.

use std::time::Duration;

use super::*;
use crate::model::NoOutlook;

/// Numbers that look like chance and are the same each time: xorshift64*.
struct Chance(u64);

impl Chance {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0 to 1.
    fn even(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal, with a standard deviation of 1: the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// A curve of so many samples, a second apart, of whole numbers.
fn made(samples: u32, value: impl FnMut(f64) -> f64) -> Curve {
    let mut value = value;
    Curve::through((0..samples).map(|at| (f64::from(at), value(f64::from(at)).round())))
}

fn goroutines(curve: &Curve) -> QuantityTrend {
    trend(Quantity::Goroutines, curve, &[1_000, 10_000, 100_000]).expect("enough samples")
}

/// How many of a hundred curves have something.
fn of_hundred(has: impl Fn(&mut Chance) -> bool) -> usize {
    (0..100).filter(|&seed| has(&mut Chance::of(seed + 1))).count()
}

#[test]
fn what_is_steady_has_no_trend_turn_wave_or_outlier() {
    let constant = goroutines(&made(30, |_| 40.0));
    assert_eq!((constant.turn, &*constant.outliers, constant.season), (None, &[][..], None));
    assert_eq!(constant.outlook, Err(NoOutlook::NoRise));
    for samples in [10, 15, 30, 120] {
        let noise =
            |chance: &mut Chance| goroutines(&made(samples, |_| 400.0 + 9.0 * chance.normal()));
        let alarms = of_hundred(|chance| noise(chance).outlook.is_ok());
        assert!(alarms <= 5, "{samples}: {alarms} rise");
        let turns = of_hundred(|chance| noise(chance).turn.is_some());
        assert!(turns <= 3, "{samples}: {turns} turn");
        let waves = of_hundred(|chance| noise(chance).season.is_some());
        assert!(waves <= 2, "{samples}: {waves} waves");
        let outliers = of_hundred(|chance| !noise(chance).outliers.is_empty());
        assert!(outliers <= 3, "{samples}: {outliers} outliers");
    }
}

/// A number to which chance adds: so many by the second, each for itself.
fn births(chance: &mut Chance, samples: u32, per_second: f64) -> Curve {
    let mut count = 0.0;
    made(samples, |_| {
        // A hundred tries a second.
        count += (0..100).filter(|_| chance.even() < per_second / 100.0).count() as f64;
        count
    })
}

#[test]
fn what_chance_adds_is_no_turn() {
    for (samples, per_second) in [(12, 10.0), (30, 10.0), (30, 1.0), (120, 5.0)] {
        let turns =
            of_hundred(|chance| goroutines(&births(chance, samples, per_second)).turn.is_some());
        assert!(turns <= 5, "{samples} {per_second}: {turns}");
        let waves =
            of_hundred(|chance| goroutines(&births(chance, samples, per_second)).season.is_some());
        assert!(waves <= 3, "{samples} {per_second}: {waves}");
    }
}

#[test]
fn a_line_is_forecast_within_its_bounds() {
    for samples in [10, 20, 60] {
        let held = of_hundred(|chance| {
            let whole = made(2 * samples, |at| 100.0 + 10.0 * at + 20.0 * chance.normal());
            let known = whole.without_last(samples as usize);
            let trend = goroutines(&known);
            let line = line::Line::through(known.points(), &trend.growth).expect("points");
            let come = whole.points()[whole.points().len() - 1].1;
            let foretold = line.ahead(f64::from(samples));
            (foretold.low..=foretold.high).contains(&come)
        });
        assert!(held >= 90, "{samples}: {held}");
    }
}

#[test]
fn what_chance_adds_is_forecast_within_its_bounds() {
    for samples in [20, 60] {
        let held = of_hundred(|chance| {
            let whole = births(chance, 2 * samples, 10.0);
            let known = whole.without_last(samples as usize);
            let line =
                line::Line::through(known.points(), &goroutines(&known).growth).expect("points");
            let foretold = line.ahead(f64::from(samples));
            (foretold.low..=foretold.high).contains(&whole.points()[2 * samples as usize - 1].1)
        });
        assert!(held >= 80, "{samples}: {held}");
    }
}

#[test]
fn a_forecast_widens_and_says_how_far_off_it_was() {
    let mut chance = Chance::of(7);
    let trend = goroutines(&made(24, |at| 100.0 + 10.0 * at + 3.0 * chance.normal()));
    let outlook = trend.outlook.expect("it rises");
    let threshold = outlook.threshold.expect("a threshold");
    assert_eq!(threshold.at, 1_000);
    let (earliest, latest) =
        (threshold.reached.earliest, threshold.reached.latest.expect("a line"));
    let likely = threshold.reached.likely.expect("near");
    assert!(earliest <= likely && likely <= latest, "{threshold:?}");
    assert!((60..=75).contains(&likely.as_secs()), "{threshold:?}");
    let hindsight = outlook.hindsight.expect("enough samples");
    assert_eq!(hindsight.ahead, Duration::from_secs(6));
    assert!(hindsight.held() && hindsight.came > 300.0, "{hindsight:?}");
    assert!(
        outlook.in_1h.high - outlook.in_1h.low
            > 50.0 * (hindsight.foretold.high - hindsight.foretold.low)
    );
}

#[test]
fn growth_is_told_since_it_began() {
    for begins in [8.0, 15.0, 22.0] {
        let found = of_hundred(|chance| {
            let trend = goroutines(&made(32, |at| {
                40.0 + 10.0 * (at - begins).max(0.0) + 2.0 * chance.normal()
            }));
            let Some(turn) = trend.turn else { return false };
            (turn.at_seconds - begins).abs() <= 2.0
                && turn.before_per_second.abs() < 2.0
                && (trend.growth.per_second - 10.0).abs() < 1.5
        });
        assert!(found >= 90, "{begins}: {found}");
    }
}

#[test]
fn a_rate_that_doubles_is_a_turn_and_a_steady_one_is_none() {
    let found = of_hundred(|chance| {
        let trend = goroutines(&made(40, |at| {
            40.0 + 5.0 * at + 10.0 * (at - 20.0).max(0.0) + 4.0 * chance.normal()
        }));
        trend.turn.is_some_and(|turn| (turn.at_seconds - 20.0).abs() <= 3.0)
    });
    assert!(found >= 90, "{found}");
    for batch in [1.0, 5.0, 7.0] {
        assert_eq!(
            goroutines(&made(40, |at| (at / batch).floor() * batch * 20.0)).turn,
            None,
            "{batch}"
        );
    }
}

#[test]
fn an_outlier_is_told_and_bends_nothing() {
    let mut chance = Chance::of(3);
    let mut leak = |spike: f64| {
        made(24, |at| 50.0 + 5.0 * at + chance.normal() + if at == 11.0 { spike } else { 0.0 })
    };
    let (without, with) = (goroutines(&leak(0.0)), goroutines(&leak(900.0)));
    assert!(without.outliers.is_empty());
    let [outlier] = with.outliers[..] else { panic!("{with:?}") };
    assert!(outlier.at_seconds == 11.0 && outlier.value > 900.0, "{outlier:?}");
    assert!((outlier.expected - 105.0).abs() < 6.0, "{outlier:?}");
    assert!((with.growth.per_second - 5.0).abs() < 0.3, "{with:?}");
    assert_eq!(with.turn, None);
    // What stays is no outlier, and what comes again and again belongs to it.
    assert!(goroutines(&made(24, |at| if at < 11.0 { 50.0 } else { 900.0 })).outliers.is_empty());
    assert!(
        goroutines(&made(24, |at| if at % 4.0 == 1.0 { 900.0 } else { 50.0 })).outliers.is_empty()
    );
}

/// A wave with noise and with so much beneath it.
fn wave(chance: &mut Chance, samples: u32, period: f64, beneath: f64) -> Curve {
    made(samples, |at| {
        500.0
            + beneath * at
            + 100.0 * (at / period * std::f64::consts::TAU).sin()
            + 5.0 * chance.normal()
    })
}

#[test]
fn a_wave_is_no_growth_wherever_the_window_ends() {
    for samples in [36, 41, 45, 50, 120] {
        for period in [8.0, 11.0] {
            let found = of_hundred(|chance| {
                let trend = goroutines(&wave(chance, samples, period, 0.0));
                let Some(season) = trend.season else { return false };
                (season.period.as_secs_f64() - period).abs() < 1.0
                    && (season.height - 200.0).abs() < 40.0
                    && trend.outlook.is_err()
            });
            assert!(found >= 90, "{samples} {period}: {found}");
        }
    }
}

#[test]
fn growth_beneath_a_wave_is_told_beside_it() {
    let found = of_hundred(|chance| {
        let trend = goroutines(&wave(chance, 60, 10.0, 3.0));
        trend.season.is_some_and(|season| {
            season.beneath.low > 0.0 && (season.beneath.likely - 3.0).abs() < 0.5
        })
    });
    assert!(found >= 90, "{found}");
}

#[test]
fn two_periods_are_no_wave() {
    let found = of_hundred(|chance| goroutines(&wave(chance, 30, 15.0, 0.0)).season.is_some());
    assert!(found <= 2, "{found}");
}

fn of(quantity: Quantity, curve: Curve) -> (Quantity, Curve) {
    (quantity, curve)
}

#[test]
fn what_follows_is_told_with_how_many_and_how_much_later() {
    let found = of_hundred(|chance| {
        let mut sum = 0.0;
        let rates: Vec<f64> = (0..64).map(|_| 5.0 + 10.0 * chance.even()).collect();
        let levels: Vec<f64> = rates
            .iter()
            .map(|rate| {
                sum += rate;
                sum
            })
            .collect();
        let level = |at: f64| levels[(at as usize).min(levels.len() - 1)];
        let leader = made(60, |at| level(at + 4.0));
        let follower = made(60, |at| 2.0 * level(at));
        let (_, relations) = trends(
            vec![of(Quantity::Descriptors, follower), of(Quantity::Goroutines, leader)],
            &[],
        );
        let [relation] = relations[..] else { return false };
        (relation.leads, relation.follows) == (Quantity::Goroutines, Quantity::Descriptors)
            && relation.each.is_some_and(|each| (each - 2.0).abs() < 0.3)
            && relation.lag == Duration::from_secs(4)
    });
    assert!(found >= 90, "{found}");
}

#[test]
fn counts_that_rise_evenly_by_as_many_go_together_and_others_do_not() {
    let together = |ratio: f64| {
        let curves = vec![
            of(Quantity::Goroutines, made(30, |at| 10.0 + 10.0 * at)),
            of(Quantity::Descriptors, made(30, |at| 7.0 + ratio * 10.0 * at)),
        ];
        trends(curves, &[]).1
    };
    for ratio in [1.0, 2.0] {
        let relations = together(ratio);
        let [relation] = relations[..] else { panic!("{ratio}: {relations:?}") };
        assert!((relation.each.expect("counts") - ratio).abs() < 0.01, "{relation:?}");
    }
    assert_eq!(together(1.4), []);
    assert_eq!(together(0.0), []);
}

#[test]
fn what_knows_nothing_of_each_other_does_not_go_together() {
    for samples in [12, 30, 100] {
        let found = of_hundred(|chance| {
            let curves = vec![
                of(Quantity::Goroutines, births(chance, samples, 10.0)),
                of(Quantity::Descriptors, births(chance, samples, 33.0)),
                of(Quantity::Cpu, made(samples, |_| 10.0 * chance.even())),
            ];
            !trends(curves, &[]).1.is_empty()
        });
        assert!(found <= 5, "{samples}: {found}");
    }
}

#[test]
fn too_few_samples_are_no_trend_and_a_short_end_no_outlook() {
    assert!(trend(Quantity::Goroutines, &made(4, |at| at), &[]).is_none());
    assert!(trend(Quantity::Goroutines, &Curve::default(), &[]).is_none());
    let stopped = goroutines(&made(40, |at| 10.0 * at.min(20.0)));
    assert_eq!(stopped.outlook, Err(NoOutlook::NoRise));
}

#[test]
fn nothing_that_comes_out_is_no_number() {
    let mut chance = Chance::of(11);
    let shapes: [fn(f64, f64) -> f64; 6] = [
        |_, _| 0.0,
        |_, _| 1e300,
        |at, noise| if at % 2.0 == 0.0 { 1e18 } else { noise },
        |at, _| 2.0_f64.powf(at * 8.0),
        |_, noise| noise * 1e-300,
        |at, noise| if at > 7.0 { noise * f64::MAX / 1e3 } else { -1e250 },
    ];
    for shape in shapes {
        for samples in [5, 9, 31, 200] {
            let curve = Curve::through(
                (0..samples).map(|at| (f64::from(at), shape(f64::from(at), chance.normal()))),
            );
            let of = |quantity| (quantity, curve.clone());
            let (trends, relations) =
                trends(vec![of(Quantity::Goroutines), of(Quantity::Resident)], &[7]);
            for trend in trends {
                let Growth { per_second, low, high, r2, .. } = trend.growth;
                assert!([per_second, low, high].iter().all(|it| !it.is_nan()), "{trend:?}");
                assert!((0.0..=1.0).contains(&r2), "{trend:?}");
                if let Some(turn) = trend.turn {
                    assert!(
                        !turn.at_seconds.is_nan() && !turn.after_per_second.is_nan(),
                        "{trend:?}"
                    );
                }
            }
            assert!(relations.iter().all(|it| (-1.0..=1.0).contains(&it.alike)), "{relations:?}");
        }
    }
}
