//! Who waits for whose lock: contended locks, who probably holds them, and circles.
//!
//! The runtime does not record who holds a lock. What is known is who waits for it, and whose stack
//! mentions it. So a holder is always a likely one, and a lock that passes from hand to hand while
//! its waiters wait is part of no circle.

mod cycles;
mod holders;
mod waits;
mod wording;

use std::cmp::Reverse;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Group, LockGraph, LockNode, LockWait, Observation};
use holders::Candidates;
use waits::Waits;

/// A lock is contended when somebody has been waiting for it this long. A little less than a second,
/// so that two looks a second apart show it.
const LONG: Duration = Duration::from_millis(900);
/// The same where there is one observation, whose two snapshots are a tenth of a second apart.
const LONG_AT_ONCE: Duration = Duration::from_millis(90);
/// Locks in a graph.
const LOCKS: usize = 256;
/// Circles in a graph.
const CYCLES: usize = 64;
/// Goroutines in a circle that is kept: a longer one explains nothing to anybody.
const LONGEST: usize = 64;
/// Waiters that a lock names.
const WAITERS: usize = 16;
/// Waiters of one lock that are followed from one look to the next.
const FOLLOWED: usize = 256;
/// Locks that are followed from one look to the next.
const FOLLOWED_LOCKS: usize = 1 << 14;

/// Follows contended locks from look to look.
#[derive(Debug, Default)]
pub(super) struct Locks {
    followed: FxHashMap<u64, Followed>,
    /// When the look before was.
    last: Option<Duration>,
}

/// A contended lock, as the last look left it.
#[derive(Debug, Default)]
struct Followed {
    /// Waiters, by goid.
    waiters: Vec<u64>,
    /// When one of them was last seen to have got the lock.
    passed: Option<Duration>,
}

impl Locks {
    /// The graph of the next look of the same source.
    pub(super) fn look(&mut self, observation: &Observation) -> LockGraph {
        let last = self.last.replace(observation.elapsed);
        let waits = Waits::of(observation);
        if waits.locks.is_empty() {
            self.followed.clear();
            return LockGraph::default();
        }
        self.follow(observation, &waits, last);
        graph(observation, &waits, |lock| self.followed.get(&lock).and_then(|it| it.passed))
    }

    /// Notes which locks a waiter of the look before has got meanwhile.
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

/// The graph of one look. `passed` says when a lock was last seen to pass from hand to hand, on the
/// observation's clock.
fn graph(
    observation: &Observation,
    waits: &Waits<'_>,
    passed: impl Fn(u64) -> Option<Duration>,
) -> LockGraph {
    let candidates = Candidates::of(observation, waits);
    let mut held = candidates.holders(waits);
    let mut cycles = cycles::find(observation, waits, &candidates, &mut held, &passed);
    let found = cycles.len();
    cycles.retain(|cycle| cycle.len() <= LONGEST);
    cycles.sort_by_key(|cycle| (cycle.len(), cycle.iter().map(|it| it.goid).min()));
    cycles.truncate(CYCLES);
    let more_cycles = (found - cycles.len()) as u64;

    // Locks of circles come first: a graph that leaves them out explains nothing.
    let mut order: Vec<usize> = (0..waits.locks.len()).collect();
    let in_cycles: FxHashSet<u64> = cycles.iter().flatten().map(|it| it.object).collect();
    if order.len() > LOCKS {
        order.sort_by_cached_key(|&at| {
            let lock = &waits.locks[at];
            (!in_cycles.contains(&lock.address), Reverse(lock.waiters.len()), lock.address)
        });
        order.truncate(LOCKS);
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
            passes: passed(lock.address).is_some_and(|passed| {
                passed + lock.oldest().unwrap_or_default() >= observation.elapsed
            }),
            holder: held[at].map(|goroutine| wording::holder(observation, waits, goroutine)),
        }
    });
    let locks: Vec<LockNode> = nodes.collect();
    let more = (waits.locks.len() - locks.len()) as u64;
    LockGraph { locks, cycles, more, more_cycles }
}

/// What a graph says of a group: the circle that its goroutines are part of, and who probably holds
/// what most of them wait for.
#[must_use]
pub fn of_group(graph: &LockGraph, group: &Group) -> LockWait {
    let cycle = group.goids_sample.iter().find_map(|&goid| graph.cycle_of(goid));
    let lock = group.object.and_then(|(object, _)| graph.lock(object));
    LockWait {
        cycle: cycle.map(<[_]>::to_vec).unwrap_or_default(),
        likely_holder: lock.and_then(|lock| lock.holder.clone()),
    }
}

#[cfg(test)]
mod tests;
