//! Simulated processes, many of each kind: how many leaks are missed, how much that is healthy is
//! called one.

use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::analyze::ids::relate;
use crate::model::{BlockedBasis, BlockedFor, Goroutine, StackView};
use crate::sample::Sample;

const SEEDS: u64 = 60;
/// How long a process has run, in seconds.
const LIFE: f64 = 3600.0;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 to 1.
    fn even(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.even()).ln()
    }

    /// Moments of a steady flow over the whole life.
    fn flow(&mut self, per_hour: f64) -> Vec<f64> {
        let mut at = self.exponential(LIFE / per_hour);
        let mut moments = Vec::new();
        while at < LIFE {
            moments.push(at);
            at += self.exponential(LIFE / per_hour);
        }
        moments
    }
}

/// A goroutine of the group in question that is there now.
#[derive(Clone, Copy)]
struct Alive {
    born: f64,
    /// Since when it waits.
    waits: f64,
}

fn since_birth(born: f64) -> Alive {
    Alive { born, waits: born }
}

/// What a process is like beside the group.
#[derive(Clone, Copy)]
struct Process {
    /// Goroutines that come and go, an hour.
    others: f64,
    /// Seconds between two garbage collections; none has run where it is longer than the life.
    collects: f64,
    /// Ps that hand out ids.
    procs: u64,
}

const SERVER: Process = Process { others: 5_000.0, collects: 120.0, procs: 4 };
const NO_GC: Process = Process { collects: 1e9, ..SERVER };

fn decide(process: Process, group: &[Alive], waits: Waits, random: &mut Random) -> Decision {
    let mut births: Vec<(f64, Option<Alive>)> =
        group.iter().map(|&alive| (alive.born, Some(alive))).collect();
    births.extend(random.flow(process.others).into_iter().map(|at| (at, None)));
    births.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut given, mut batches) = (17, vec![(0, 0); process.procs as usize]);
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.pile", "/src/app/pile.go", 7)]);
    let mut members: Vec<Goroutine> = Vec::new();
    for (_, alive) in births {
        let (next, end) = &mut batches[(random.next() % process.procs) as usize];
        if next == end {
            (*next, *end) = (given, given + 16);
            given += 16;
        }
        let goid = *next;
        *next += 1;
        let Some(alive) = alive else { continue };
        let timed = (alive.waits / process.collects).ceil() * process.collects;
        let goroutine = sample.add(goid, WaitClass::ChanReceive, StackView::Read(stack));
        goroutine.parent = NonZeroU64::new(1_000_000 + goid);
        goroutine.blocked = Some(if timed < LIFE {
            let duration = Duration::from_secs_f64(LIFE - timed);
            BlockedFor { duration, basis: BlockedBasis::Runtime }
        } else {
            BlockedFor { duration: Duration::ZERO, basis: BlockedBasis::FirstSeen }
        });
        members.push(*goroutine);
    }
    let mut ids = Ids::default();
    members.iter().for_each(|member| ids.add(member));
    relate(&members, std::iter::once(&mut ids));
    let clock = Clock { last: given - 1, life: Duration::from_secs_f64(LIFE) };
    Pile::of(&ids, clock).decide(waits)
}

const OWN_OBJECTS: Waits = Waits { as_workers: true, in_line: false };

/// How many of the seeds' processes are found.
fn found_of(process: Process, group: impl Fn(&mut Random) -> Vec<Alive>) -> u64 {
    (0..SEEDS)
        .filter(|&seed| {
            let mut random = Random(seed * 7919 + 1);
            let group = group(&mut random);
            decide(process, &group, OWN_OBJECTS, &mut random) == Decision::Accumulated
        })
        .count() as u64
}

fn leak(per_hour: f64) -> impl Fn(&mut Random) -> Vec<Alive> {
    move |random| random.flow(per_hour).into_iter().map(since_birth).collect()
}

fn sessions(per_hour: f64, mean: f64) -> impl Fn(&mut Random) -> Vec<Alive> {
    move |random| {
        let born = random.flow(per_hour);
        let alive = born.into_iter().filter(|born| born + random.exponential(mean) > LIFE);
        alive.map(since_birth).collect()
    }
}

/// Workers that were started at the beginning, each of which worked last so long ago at most.
fn pool(workers: usize, idle: f64) -> impl Fn(&mut Random) -> Vec<Alive> {
    move |random| {
        let worker = |at: usize| {
            let born = 1.0 + at as f64 * 1e-4;
            Alive { born, waits: (LIFE - random.even() * idle).max(born) }
        };
        (0..workers).map(worker).collect()
    }
}

#[test]
fn slow_leaks_are_found() {
    let few = found_of(SERVER, leak(60.0));
    assert!(few >= SEEDS * 9 / 10, "one a minute: {few} of {SEEDS}");
    for (name, process) in [("timed", SERVER), ("untimed", NO_GC)] {
        for per_hour in [180.0, 1_000.0] {
            let found = found_of(process, leak(per_hour));
            assert!(found >= SEEDS * 9 / 10, "{name}, {per_hour} an hour: {found} of {SEEDS}");
        }
    }
    // Nothing else is ever started: time alone tells.
    let alone = found_of(Process { others: 1.0, ..SERVER }, leak(180.0));
    assert!(alone >= SEEDS * 9 / 10, "alone: {alone} of {SEEDS}");
}

#[test]
fn a_burst_before_a_slow_leak_does_not_hide_it() {
    let found = found_of(SERVER, |random| {
        let early = (0..150).map(|at| since_birth(1.0 + f64::from(at) * 0.01));
        early.chain(random.flow(180.0).into_iter().map(since_birth)).collect()
    });
    assert!(found >= SEEDS * 9 / 10, "{found} of {SEEDS}");
}

#[test]
fn sessions_that_end_are_no_leak() {
    for process in [SERVER, NO_GC] {
        for mean in [60.0, 300.0, 720.0, 1_200.0] {
            for alive in [30.0, 200.0, 1_000.0] {
                let found = found_of(process, sessions(alive * LIFE / mean, mean));
                assert!(found <= SEEDS / 50, "mean {mean}, {alive} alive: {found} of {SEEDS}");
            }
        }
    }
}

#[test]
fn pools_are_no_leak_however_they_wait() {
    for (name, process) in [("timed", SERVER), ("untimed", NO_GC)] {
        for workers in [30, 200, 1_000] {
            for idle in [10.0, 600.0, LIFE, 1e9] {
                let found = found_of(process, pool(workers, idle));
                assert_eq!(found, 0, "{name}: {workers} workers idle for {idle} s at most");
            }
        }
        // First come, first served: the line has gone round once and a bit.
        let round = found_of(process, |_| {
            let worker = |at: usize| {
                let turn = (at + 180) % 200;
                Alive { born: 1.0, waits: LIFE - turn as f64 * LIFE / 200.0 }
            };
            (0..200).map(worker).collect()
        });
        assert_eq!(round, 0, "{name}");
    }
}

#[test]
fn workers_that_come_one_by_one_and_work_are_no_leak() {
    let tenants = |random: &mut Random| {
        let born = random.flow(300.0);
        let work =
            |born: f64| Alive { born, waits: LIFE - (LIFE - born).min(random.exponential(400.0)) };
        born.into_iter().map(work).collect()
    };
    assert_eq!(found_of(SERVER, tenants), 0);
}

#[test]
fn bounded_caches_bursts_and_ramps_that_ended_are_no_leak() {
    for process in [SERVER, NO_GC] {
        // The oldest is evicted for each that comes.
        let oldest_out = found_of(process, |random| {
            let born = random.flow(1_000.0);
            born[born.len() - 500..].iter().copied().map(since_birth).collect()
        });
        // Any is evicted.
        let any_out = found_of(process, |random| {
            let mut cache: Vec<Alive> = Vec::new();
            for born in random.flow(2_000.0) {
                if cache.len() == 300 {
                    cache.swap_remove((random.next() % 300) as usize);
                }
                cache.push(since_birth(born));
            }
            cache
        });
        // It was full in the first half, and nothing is evicted.
        let full = found_of(process, |random| {
            random
                .flow(800.0)
                .into_iter()
                .filter(|&born| born < LIFE / 2.0)
                .map(since_birth)
                .collect()
        });
        let burst = found_of(process, |_| {
            (0..200).map(|at| since_birth(LIFE / 3.0 + f64::from(at) * 0.01)).collect()
        });
        assert_eq!([oldest_out, any_out, full, burst], [0; 4]);
    }
}

#[test]
fn a_line_needs_a_clock_that_it_is_no_part_of() {
    let mut random = Random(1);
    let pile: Vec<Alive> = random.flow(180.0).into_iter().map(since_birth).collect();
    let in_line = Waits { as_workers: true, in_line: true };
    let alone = Process { others: 1.0, ..SERVER };
    assert_eq!(decide(alone, &pile, in_line, &mut random), Decision::Clear);
    assert_eq!(decide(alone, &pile, OWN_OBJECTS, &mut random), Decision::Accumulated);
    assert_eq!(decide(SERVER, &pile, in_line, &mut random), Decision::Accumulated);
}
