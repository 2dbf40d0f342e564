//! Rates from pieces of time, against targets whose rates are known.

use leak_agent_common::limits::{LIFETIME_BUCKETS, STACK_FRAMES};

use super::*;

const START: Duration = Duration::from_secs(100);

fn at(seconds: f64) -> Duration {
    START + Duration::from_secs_f64(seconds)
}

fn counters(creates: u64, exits: u64) -> Counters {
    Counters { creates, exits, ..Counters::default() }
}

fn site(gopc: u64, created: u64) -> Site {
    Site {
        gopc,
        startpc: 0,
        created,
        exited: 0,
        stack_claims: 0,
        stack_len: 0,
        lifetimes: [0; LIFETIME_BUCKETS],
        stack: [0; STACK_FRAMES],
    }
}

/// Bursts, each by its begin, its end, and what is created in it, one in ten at site 7.
fn watched(bursts: &[(f64, f64, u64)]) -> Watch {
    let mut watch = Watch::default();
    let mut sum = 0;
    for &(from, until, created) in bursts {
        watch.begin(at(from), &counters(sum, sum), &[site(7, sum / 10)]);
        sum += created;
        watch.end(at(until), &counters(sum, sum), &[site(7, sum / 10)]);
    }
    watch
}

fn created(watch: &Watch, until: f64) -> Rate {
    watch.rates(START, at(until)).expect("something was counted").created()
}

#[test]
fn what_was_never_watched_has_no_rate() {
    let watch = Watch::default();
    assert!(watch.rates(START, at(9.0)).is_none() && watch.lately().is_none());
}

#[test]
fn without_a_gap_every_one_is_counted() {
    let mut watch = Watch::default();
    watch.begin(at(0.1), &counters(0, 0), &[]);
    let mut seen = Watch::default();
    for second in 1..60 {
        let (now, count) = (f64::from(second), second as u64 * 1000);
        watch.go_on(at(now), &counters(count, 0), || vec![site(7, count)]);
        seen = watch.so_far(at(now), &counters(count, 0), &[site(7, count)]);
    }
    let rate = created(&seen, 59.0);
    assert_eq!((rate.basis, rate.interval), (RateBasis::Exact, None));
    assert!((rate.per_second - 59_000.0 / 58.9).abs() < 1e-6, "{rate:?}");
    let here = seen.site(7, START, at(59.0)).expect("seen");
    assert!((here.per_second - rate.per_second).abs() < 1e-6, "{here:?}");
}

#[test]
fn probes_that_came_late_have_not_counted_all() {
    let mut watch = Watch::default();
    watch.begin(at(5.0), &counters(0, 0), &[]);
    let seen = watch.so_far(at(9.0), &counters(400, 0), &[]);
    assert_eq!(created(&seen, 9.0).basis, RateBasis::Estimate);
    let later = watch.so_far(at(200.0), &counters(19_500, 0), &[]);
    assert_eq!(created(&later, 200.0).basis, RateBasis::Exact, "a fortieth of the time");
}

#[test]
fn one_burst_is_as_sure_as_its_count() {
    let rate = created(&watched(&[(0.1, 2.1, 2000)]), 1e6);
    assert_eq!((rate.basis, rate.per_second), (RateBasis::Estimate, 1000.0));
    let (low, high) = rate.interval.expect("an estimate");
    // 1.96 times the root of 2,000, in two seconds.
    assert!((low - 956.6).abs() < 2.0 && (high - 1044.4).abs() < 2.0, "{low} {high}");
    let nothing = created(&watched(&[(0.1, 2.1, 0)]), 1e6);
    let (low, high) = nothing.interval.expect("an estimate");
    assert!(low == 0.0 && (1.0..2.0).contains(&high), "{low} {high}");
}

#[test]
fn bursts_that_differ_are_less_sure() {
    let even = created(&watched(&[(0.0, 1.0, 999), (10.0, 11.0, 1000), (20.0, 21.0, 1001)]), 30.0);
    let uneven =
        created(&watched(&[(0.0, 1.0, 100), (10.0, 11.0, 1000), (20.0, 21.0, 1900)]), 30.0);
    let width = |rate: Rate| rate.interval.map(|(low, high)| high - low).expect("an estimate");
    assert_eq!((even.per_second, uneven.per_second), (1000.0, 1000.0));
    assert!(width(uneven) > 10.0 * width(even), "{even:?} {uneven:?}");
}

#[test]
fn what_was_counted_is_certain() {
    let bursts = [(0.0, 9.0, 9500), (10.0, 19.0, 8500)];
    let (mostly, hardly) = (created(&watched(&bursts), 20.0), created(&watched(&bursts), 2000.0));
    let width = |rate: Rate| rate.interval.map(|(low, high)| high - low).expect("an estimate");
    // A tenth of the time is uncertain, and nearly all of it.
    assert!((width(mostly) / width(hardly) - 0.1 / 0.991).abs() < 1e-3);
}

/// The interval holds what it says, in about as many of the trials.
#[test]
fn the_interval_holds_the_rate() {
    // A generator of its own: the same trials each time.
    let mut state = 7_u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut held = 0;
    for _ in 0..400 {
        // About normal, about 500 a second, by 100 from burst to burst.
        let bursts: Vec<_> = (0..6)
            .map(|burst| {
                let normal = (0..12).map(|_| random()).sum::<f64>() - 6.0;
                let from = f64::from(burst) * 10.0;
                (from, from + 2.0, (2.0 * (500.0 + 100.0 * normal)).max(0.0) as u64)
            })
            .collect();
        let (low, high) = created(&watched(&bursts), 1e6).interval.expect("an estimate");
        held += u32::from((low..=high).contains(&500.0));
    }
    assert!((368..=396).contains(&held), "{held} of 400");
}

#[test]
fn what_was_counted_is_a_lower_bound_of_all() {
    let counted = watched(&[(0.0, 1.0, 1000)]).counted(START, at(10.0)).expect("counted");
    assert_eq!((counted.basis, counted.created_per_second), (RateBasis::LowerBound, 100.0));
}

#[test]
fn a_site_has_its_own_rate() {
    let watch = watched(&[(0.0, 1.0, 1000), (10.0, 12.0, 2000)]);
    let here = watch.site(7, START, at(20.0)).expect("seen");
    assert_eq!((here.basis, here.per_second), (RateBasis::Estimate, 100.0));
    assert!(watch.site(8, START, at(20.0)).is_none());
    assert_eq!(watch.lately().map(|rates| rates.created_per_second), Some(1000.0));
}
