//! Contended locks and the goroutines that wait for them.

use std::ops::Deref;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::long;
use crate::model::{Goroutine, Observation, WaitClass};

/// A goroutine whose id is known: without one, nobody can tell who waits for whom.
#[derive(Clone, Copy)]
pub(super) struct Identified<'a> {
    pub(super) goid: u64,
    goroutine: &'a Goroutine,
}

impl<'a> Identified<'a> {
    pub(super) fn of(goroutine: &'a Goroutine) -> Option<Self> {
        Some(Self { goid: goroutine.id()?, goroutine })
    }
}

impl Deref for Identified<'_> {
    type Target = Goroutine;

    fn deref(&self) -> &Goroutine {
        self.goroutine
    }
}

/// A contended lock.
pub(super) struct Lock<'a> {
    pub(super) address: u64,
    /// What its waiters call it.
    pub(super) kind: WaitClass,
    /// All who wait for it, however long, in the observation's order.
    pub(super) waiters: Vec<Identified<'a>>,
}

impl Lock<'_> {
    /// For how long the longest has been waiting.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.waiters.iter().filter_map(|it| it.blocked).map(|it| it.duration).max()
    }

    /// Whether somebody has it while others wait: a condition is nobody's.
    pub(super) const fn is_held(&self) -> bool {
        !matches!(self.kind, WaitClass::Cond)
    }
}

/// All contended locks of an observation.
pub(super) struct Waits<'a> {
    /// In the order in which they were met.
    pub(super) locks: Vec<Lock<'a>>,
    by_address: FxHashMap<u64, usize>,
    /// Who waits for which: the goroutine, and the lock's index.
    by_goid: FxHashMap<u64, (Identified<'a>, usize)>,
}

impl<'a> Waits<'a> {
    pub(super) fn of(observation: &'a Observation) -> Self {
        let mut waits = Self {
            locks: Vec::new(),
            by_address: FxHashMap::default(),
            by_goid: FxHashMap::default(),
        };
        let all = || {
            observation
                .goroutines
                .iter()
                .filter_map(|it| Some((Identified::of(it)?, lock_of(observation, it)?)))
        };
        for (goroutine, address) in all() {
            if goroutine.blocked.is_some_and(|blocked| blocked.duration >= long(observation)) {
                waits.by_address.entry(address).or_insert_with(|| {
                    let kind = goroutine.wait;
                    waits.locks.push(Lock { address, kind, waiters: Vec::new() });
                    waits.locks.len() - 1
                });
            }
        }
        if waits.locks.is_empty() {
            return waits;
        }
        for (goroutine, address) in all() {
            let Some(&at) = waits.by_address.get(&address) else { continue };
            let lock = &mut waits.locks[at];
            // Writers wait for each other at the mutex that an RWMutex begins with.
            if goroutine.wait == WaitClass::RwMutex {
                lock.kind = WaitClass::RwMutex;
            }
            lock.waiters.push(goroutine);
            waits.by_goid.insert(goroutine.goid, (goroutine, at));
        }
        waits
    }

    /// The index of the contended lock at an address.
    pub(super) fn at(&self, address: u64) -> Option<usize> {
        self.by_address.get(&address).copied()
    }

    /// The index of the contended lock that a goroutine waits for.
    pub(super) fn lock_wanted_by(&self, goid: u64) -> Option<usize> {
        self.by_goid.get(&goid).map(|&(_, lock)| lock)
    }

    /// A goroutine that waits for a contended lock, and the lock's address.
    pub(super) fn of_goid(&self, goid: u64) -> Option<(Identified<'a>, u64)> {
        self.by_goid.get(&goid).map(|&(goroutine, lock)| (goroutine, self.locks[lock].address))
    }
}

/// Whether who waits so waits for something that stands in the graph.
pub(in crate::analyze) const fn is_for_lock(wait: WaitClass) -> bool {
    use WaitClass::{Cond, Mutex, RwMutex, WaitGroup};
    matches!(wait, Mutex | RwMutex | Cond | WaitGroup)
}

/// The lock that a goroutine waits for.
pub(super) fn lock_of(observation: &Observation, goroutine: &Goroutine) -> Option<u64> {
    if !is_for_lock(goroutine.wait) {
        return None;
    }
    match observation.objects_of(goroutine) {
        &[lock] => Some(lock),
        _ => None,
    }
}

/// Whether a goroutine waits to lock a mutex or an RWMutex.
pub(super) const fn wants_to_lock(goroutine: &Goroutine) -> bool {
    matches!(goroutine.wait, WaitClass::Mutex | WaitClass::RwMutex)
}
