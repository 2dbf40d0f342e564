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

use rustc_hash::FxHashMap;

use crate::model::{Group, LockGraph, LockNode, LockWait, Observation};
use holders::Candidates;
use waits::Waits;

/// A lock is contended when somebody has been waiting for it this long. A little less than a second,
/// so that two looks a second apart show it.
const LONG: Duration = Duration::from_millis(900);
/// Locks in a graph.
const LOCKS: usize = 256;
/// Circles in a graph.
const CYCLES: usize = 64;
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
}

/// A contended lock, as the last look left it.
#[derive(Debug, Default)]
struct Followed {
    /// Waiters, and how often each had parked.
    waiters: Vec<(u64, Option<u64>)>,
    /// When one of them was last seen to have got the lock.
    passed: Option<Duration>,
}

impl Locks {
    /// The graph of the next look of the same source.
    pub(super) fn look(&mut self, observation: &Observation) -> LockGraph {
        let waits = Waits::of(observation);
        if waits.locks.is_empty() {
            self.followed.clear();
            return LockGraph::default();
        }
        self.follow(observation, &waits);
        graph(observation, &waits, |lock| self.followed.get(&lock).and_then(|it| it.passed))
    }

    /// Notes which locks a waiter of the look before has got meanwhile. One that waits again at the
    /// same place cannot be told from one that still waits, but others will have moved too.
    fn follow(&mut self, observation: &Observation, waits: &Waits<'_>) {
        let mut followed = FxHashMap::default();
        for lock in waits.locks.iter().take(FOLLOWED_LOCKS) {
            let before = self.followed.remove(&lock.address).unwrap_or_default();
            let waits_still = |&(goid, parks): &(u64, Option<u64>)| {
                waits.of_goid(goid).is_some_and(|(goroutine, on)| {
                    on == lock.address && (parks.is_none() || goroutine.parks == parks)
                })
            };
            let passed = !before.waiters.iter().all(waits_still);
            let passed = if passed { Some(observation.elapsed) } else { before.passed };
            let waiters = lock.waiters.iter().take(FOLLOWED);
            let waiters = waiters.map(|goroutine| (goroutine.goid, goroutine.parks)).collect();
            followed.insert(lock.address, Followed { waiters, passed });
        }
        self.followed = followed;
    }
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
    let mut cycles = cycles::find(observation, waits, &candidates, &mut held, passed);
    cycles.sort_by_key(|cycle| (cycle.len(), cycle.iter().map(|it| it.goid).min()));
    let more_cycles = cycles.len().saturating_sub(CYCLES) as u64;
    cycles.truncate(CYCLES);

    // Locks of circles come first: a graph that leaves them out explains nothing.
    let mut order: Vec<usize> = (0..waits.locks.len()).collect();
    let in_cycle = |at: usize| {
        let lock = waits.locks[at].address;
        cycles.iter().flatten().any(|waiter| waiter.object == lock)
    };
    if order.len() > LOCKS {
        order.sort_by_cached_key(|&at| {
            let lock = &waits.locks[at];
            (!in_cycle(at), Reverse(lock.waiters.len()), lock.address)
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
