//! Who waits for whose lock: contended locks, who probably holds them, and deadlock cycles.
//!
//! The runtime does not record who holds a lock. What is known is who waits for it, and whose stack
//! mentions it. So a holder is always a likely one, and a lock that passes from hand to hand while
//! its waiters wait is part of no cycle.

mod acts;
mod by_code;
mod cycles;
mod holders;
mod outlook;
mod standing;
mod waits;

use std::cmp::Reverse;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Holder, LockGraph, LockNode, Observation, Waiter};
pub(super) use by_code::{CodeCycle, Member};
use cycles::Cycle;
use holders::Candidates;
use outlook::Outlooks;
pub(super) use standing::Standing;
use standing::{Cycles, View};
pub(super) use waits::is_for_lock;
use waits::{Identified, Waits};

/// A lock is contended when somebody has been waiting for it this long. A little less than a second,
/// so that two samples a second apart show it.
const LONG: Duration = Duration::from_millis(900);
/// The same where there is one observation, whose two snapshots are a tenth of a second apart.
const LONG_AT_ONCE: Duration = Duration::from_millis(90);
/// How long a wait must have lasted where something else might explain it: where others, too, might hold one of
/// a cycle's locks, or where a single sample cannot see whether a holder moves.
const DOUBTFUL: Duration = Duration::from_secs(10);
/// Locks in a graph.
const MAX_LOCKS: usize = 256;
/// Kinds of cycles in a graph.
const MAX_CYCLES: usize = 64;
/// Goroutines in a cycle that is kept: a longer one explains nothing to anybody.
const MAX_LENGTH: usize = 64;
/// Waiters that a lock names.
const WAITERS: usize = 16;
/// Waiters of one lock that are followed from one sample to the next.
const FOLLOWED: usize = 256;
/// Locks that are followed from one sample to the next.
const FOLLOWED_LOCKS: usize = 1 << 14;

/// Follows contended locks from look to look.
#[derive(Debug, Default)]
pub(super) struct Locks {
    followed: FxHashMap<u64, Followed>,
    /// When the sample before was.
    last: Option<Duration>,
}

/// A contended lock, as the last sample left it.
#[derive(Debug, Default)]
struct Followed {
    /// Waiters, by goid.
    waiters: Vec<u64>,
    /// When one of them was last seen to have got the lock.
    passed: Option<Duration>,
}

impl Locks {
    /// The graph of the next sample of the same source, and how each group stands in it that waits for locks, by
    /// its index. `group_of` gives the group of each goroutine, `least` how long one has waited at least to be
    /// stuck.
    pub(super) fn observe(
        &mut self,
        observation: &Observation,
        group_of: &[u32],
        least: Duration,
    ) -> (LockGraph, FxHashMap<u32, Standing>) {
        let last = self.last.replace(observation.elapsed);
        let waits = Waits::of(observation);
        if waits.locks.is_empty() {
            self.followed.clear();
            return Default::default();
        }
        self.follow(observation, &waits, last);
        let group_of = observation
            .goroutines
            .iter()
            .zip(group_of)
            .filter_map(|(goroutine, &group)| Some((goroutine.id()?, group)))
            .filter(|&(goid, _)| waits.lock_wanted_by(goid).is_some())
            .collect();
        let passed = |lock| self.followed.get(&lock).and_then(|it| it.passed);
        Sample::of(observation, &waits, &group_of, passed).judged(&group_of, least)
    }

    /// Takes in a sample, made at this time of the observation, in which nobody waits for a lock.
    pub(super) fn look_at_none(&mut self, elapsed: Duration) {
        self.last = Some(elapsed);
        self.followed.clear();
    }

    /// Notes which locks a waiter of the sample before has got meanwhile.
    fn follow(&mut self, observation: &Observation, waits: &Waits<'_>, last: Option<Duration>) {
        let now = observation.elapsed;
        let step = now.saturating_sub(last.unwrap_or(now));
        let mut followed = FxHashMap::default();
        for lock in waits.locks.iter().take(FOLLOWED_LOCKS) {
            let before = self.followed.remove(&lock.address).unwrap_or_default();
            let got_it = |&goid: &u64| {
                let again = waits.of_goid(goid).filter(|(_, on)| *on == lock.address);
                let Some((goroutine, _)) = again else { return Some(now) };
                // One that has waited for less than a step waits again, and had got it before that.
                let waited = goroutine.blocked?.duration;
                (waited < step).then(|| now.saturating_sub(waited + Duration::from_nanos(1)))
            };
            let passed = before.waiters.iter().filter_map(got_it).max().max(before.passed);
            let waiters = lock.waiters.iter().take(FOLLOWED).map(|it| it.goid).collect();
            followed.insert(lock.address, Followed { waiters, passed });
        }
        self.followed = followed;
    }
}

/// How long somebody must have been waiting for a lock to be contended.
const fn long(observation: &Observation) -> Duration {
    if observation.elapsed.is_zero() { LONG_AT_ONCE } else { LONG }
}

/// What one sample shows.
struct Sample<'w, 'a> {
    observation: &'a Observation,
    waits: &'w Waits<'a>,
    candidates: Candidates<'a>,
    /// The likely holder of each lock.
    held: Vec<Option<Identified<'a>>>,
    /// Whether each lock passes from hand to hand.
    passes: Vec<bool>,
    /// The kinds of cycles, shortest first.
    kinds: Vec<Arc<Cycles>>,
    /// The cycles of each goroutine that stands in one.
    cycle_of: FxHashMap<u64, Arc<Cycles>>,
}

impl<'w, 'a> Sample<'w, 'a> {
    /// `passed` says when a lock was last seen to pass from hand to hand, on the observation's clock.
    fn of(
        observation: &'a Observation,
        waits: &'w Waits<'a>,
        group_of: &FxHashMap<u64, u32>,
        passed: impl Fn(u64) -> Option<Duration>,
    ) -> Self {
        let candidates = Candidates::of(observation, waits);
        let mut held = candidates.holders(waits);
        let cycles = cycles::find(observation, waits, &candidates, &mut held, &passed);
        let (kinds, cycle_of) = kinds(observation, waits, group_of, cycles);
        let passes = waits.locks.iter().map(|lock| {
            let since = |passed: Duration| {
                passed + lock.oldest().unwrap_or_default() >= observation.elapsed
            };
            passed(lock.address).is_some_and(since)
        });
        let passes = passes.collect();
        Self { observation, waits, candidates, held, passes, kinds, cycle_of }
    }

    fn judged(
        &self,
        group_of: &FxHashMap<u64, u32>,
        least: Duration,
    ) -> (LockGraph, FxHashMap<u32, Standing>) {
        let outlooks = Outlooks {
            observation: self.observation,
            waits: self.waits,
            candidates: &self.candidates,
            held: &self.held,
            in_cycles: &self.cycle_of.keys().copied().collect(),
            passes: &self.passes,
        };
        let views: Vec<View> = outlooks
            .all()
            .into_iter()
            .zip(self.held.iter().zip(&self.waits.locks))
            .map(|(outlook, (held, lock))| {
                let holder = held.filter(|_| outlook != outlook::Outlook::Passes);
                // Who started a waiter may know the lock for having handed it out.
                let started = |goroutine: Identified<'_>| {
                    let parents = lock.waiters.iter().filter_map(|it| it.parent);
                    parents.map(NonZeroU64::get).any(|parent| parent == goroutine.goid)
                };
                View {
                    outlook,
                    started_waiters: holder.is_some_and(started),
                    holder: holder.map(|goroutine| self.holder(goroutine, outlook)),
                }
            })
            .collect();
        let standings = standing::standings(self.waits, &views, &self.cycle_of, group_of, least);
        (self.graph(&views), standings)
    }

    /// A holder, and what it does.
    fn holder(&self, goroutine: Identified<'_>, outlook: outlook::Outlook) -> Holder {
        let in_cycle = self.cycle_of.contains_key(&goroutine.goid);
        let is_stuck = matches!(outlook, outlook::Outlook::Stuck | outlook::Outlook::Deadlocked);
        acts::holder(self.observation, self.waits, goroutine, is_stuck, in_cycle)
    }

    fn graph(&self, views: &[View]) -> LockGraph {
        let all: u64 = self.kinds.iter().map(|kind| kind.count).sum();
        let shown: Vec<&Arc<Cycles>> = self
            .kinds
            .iter()
            .filter(|kind| kind.example.len() <= MAX_LENGTH)
            .take(MAX_CYCLES)
            .collect();
        let alike: Vec<u64> = shown.iter().map(|kind| kind.count).collect();
        let more_cycles = all - alike.iter().sum::<u64>();
        let cycles: Vec<Vec<Waiter>> = shown.into_iter().map(|it| it.example.clone()).collect();

        // Locks of cycles come first: a graph that leaves them out explains nothing.
        let waits = self.waits;
        let mut order: Vec<usize> = (0..waits.locks.len()).collect();
        let in_cycles: FxHashSet<u64> = cycles.iter().flatten().map(|it| it.object).collect();
        if order.len() > MAX_LOCKS {
            order.sort_by_cached_key(|&at| {
                let lock = &waits.locks[at];
                (!in_cycles.contains(&lock.address), Reverse(lock.waiters.len()), lock.address)
            });
            order.truncate(MAX_LOCKS);
        }
        order.sort_by_key(|&at| (Reverse(waits.locks[at].waiters.len()), waits.locks[at].address));
        let nodes = order.into_iter().map(|at| {
            let lock = &waits.locks[at];
            let mut waiters: Vec<u64> = lock.waiters.iter().map(|it| it.goid).collect();
            waiters.sort_unstable();
            waiters.truncate(WAITERS);
            LockNode {
                object: lock.address,
                kind: lock.kind,
                waiters,
                waiting: lock.waiters.len() as u64,
                oldest: lock.oldest(),
                passes: self.passes[at],
                holder: views[at].holder,
            }
        });
        let locks: Vec<LockNode> = nodes.collect();
        let more = (waits.locks.len() - locks.len()) as u64;
        LockGraph { locks, cycles, alike, more, more_cycles }
    }
}

/// Cycles of the same groups of goroutines as one kind each, and the kind of each goroutine in one.
fn kinds(
    observation: &Observation,
    waits: &Waits<'_>,
    group_of: &FxHashMap<u64, u32>,
    cycles: Vec<Cycle<'_>>,
) -> (Vec<Arc<Cycles>>, FxHashMap<u64, Arc<Cycles>>) {
    let mut by_groups: FxHashMap<Vec<u32>, Vec<Cycle<'_>>> = FxHashMap::default();
    for cycle in cycles {
        let group = |goid| group_of.get(&goid).copied().unwrap_or(u32::MAX);
        let mut groups: Vec<u32> = cycle.iter().map(|(it, _)| group(it.goid)).collect();
        // A cycle begins anywhere: the same ones begin alike.
        let first = (0..groups.len()).min_by(|&a, &b| {
            let from = |start: usize| groups[start..].iter().chain(&groups[..start]);
            from(a).cmp(from(b))
        });
        groups.rotate_left(first.unwrap_or(0));
        by_groups.entry(groups).or_default().push(cycle);
    }
    let oldest = |cycle: &Cycle<'_>| cycle.iter().map(|(it, _)| it.goid).min();
    let mut sorted: Vec<(Cycle<'_>, Vec<Cycle<'_>>)> = by_groups
        .into_values()
        .filter_map(|cycles| Some((cycles.iter().min_by_key(|it| oldest(it))?.clone(), cycles)))
        .collect();
    sorted.sort_by_key(|(example, _)| (example.len(), oldest(example)));
    let mut kinds = Vec::with_capacity(sorted.len());
    let mut cycle_of = FxHashMap::default();
    for (number, (example, cycles)) in sorted.into_iter().enumerate() {
        let waiter = |&(goroutine, lock): &(Identified<'_>, usize)| Waiter {
            goid: goroutine.goid,
            object: waits.locks[lock].address,
            at: acts::at(observation, &goroutine),
        };
        let example: Vec<Waiter> = example.iter().map(waiter).collect();
        let kind = Arc::new(Cycles { number, count: cycles.len() as u64, example });
        for (goroutine, _) in cycles.iter().flatten() {
            cycle_of.insert(goroutine.goid, Arc::clone(&kind));
        }
        kinds.push(kind);
    }
    (kinds, cycle_of)
}

#[cfg(test)]
mod tests;
