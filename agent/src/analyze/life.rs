//! Births, deaths and ages of a group's goroutines: what tells a leak from a pool that churns.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::busy::{Busy, Runners};
use crate::model::{Goroutine, Status, WaitClass};

/// How finely births within the window are told apart.
pub(super) const BINS: usize = 60;

/// Parents of a group that are looked up.
const PARENTS: usize = 4;

/// The goroutine that runs `main.main` (`runtime/proc.go`: the first one created).
pub(super) const MAIN: u64 = 1;

/// The window that a look is the last of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// From the first look to this one.
    pub(super) window: Duration,
    /// From the look before to this one; zero for the first.
    pub(super) step: Duration,
}

/// What is known of the lives of a group's members at one look.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Whether the source knows goroutines apart, so that the rest means anything.
    pub(super) known: bool,
    /// Members.
    pub(super) count: u64,
    /// Members that were born before the window.
    pub(super) before: u64,
    /// Births of members within the window, by time, oldest first; empty for none.
    pub(super) births: Vec<u32>,
    /// Members that came into the group since the look before.
    pub(super) arrived: u64,
    /// Members that stood at the same place since the first look, or since their birth.
    pub(super) still: u64,
    /// Members that stood at the same place through the last two thirds of the window: what blocks
    /// soon after the first look counts too.
    pub(super) stuck: u64,
    /// For how long the longest of the stuck was blocked.
    pub(super) stuck_for: Duration,
    /// What their stacks hold, in bytes.
    pub(super) stack_bytes: u64,
    /// The member that has run for the most looks in a row.
    pub(super) busy: Busy,
    /// Those that the runtime itself marked as leaked.
    pub(super) leaked: u64,
    /// Whether the main goroutine is one of them.
    pub(super) has_main: bool,
    /// Some of their parents.
    pub(super) parents: Vec<u64>,
    /// How many of those are still there.
    pub(super) parents_alive: u32,
    /// Goroutines that the members wait for or grew up with: other children of theirs and of their
    /// parents. Counted for wait groups alone.
    pub(super) kin: u64,
}

impl Life {
    pub(super) fn add(&mut self, goroutine: &Goroutine, span: Span, runners: &Runners) {
        self.count += 1;
        if matches!(goroutine.wait, WaitClass::Running | WaitClass::Runnable) {
            let busy = runners.get(goroutine.goid);
            if busy.looks > self.busy.looks {
                self.busy = busy;
            }
        }
        self.stack_bytes += u64::from(goroutine.stack_bytes);
        self.leaked += u64::from(goroutine.status == Status::Leaked);
        self.has_main |= goroutine.goid == MAIN;
        self.meet_parent(goroutine);
        // A single look knows nothing but the runtime's own clock.
        let blocked = goroutine.blocked.map(|blocked| blocked.duration);
        if let Some(blocked) = blocked
            && blocked >= span.window * 2 / 3
        {
            self.stuck += 1;
            self.stuck_for = self.stuck_for.max(blocked);
        }
        let Some(seen_for) = goroutine.seen_for else { return };
        self.known = true;
        let age = goroutine.age.unwrap_or(seen_for);
        let since = blocked.unwrap_or(Duration::ZERO);
        let slack = span.step.max(Duration::from_millis(50));
        self.still += u64::from(since + slack >= age.min(span.window));
        if !span.step.is_zero() {
            let here = blocked.unwrap_or(seen_for);
            self.arrived += u64::from(here < span.step);
        }
        if seen_for >= span.window || age >= span.window {
            self.before += 1;
        } else {
            if self.births.is_empty() {
                self.births = vec![0; BINS];
            }
            let bin = bin_of(span.window - age, span.window);
            self.births[bin] += 1;
        }
    }

    fn meet_parent(&mut self, goroutine: &Goroutine) {
        if let Some(parent) = goroutine.parent
            && self.parents.len() < PARENTS
            && !self.parents.contains(&parent.get())
        {
            self.parents.push(parent.get());
        }
    }

    /// Takes in the members of another group.
    pub(super) fn merge(&mut self, other: &Self) {
        self.known |= other.known;
        self.count += other.count;
        self.before += other.before;
        if self.births.is_empty() {
            self.births.clone_from(&other.births);
        } else {
            for (births, others) in self.births.iter_mut().zip(&other.births) {
                *births += others;
            }
        }
        self.arrived += other.arrived;
        self.still += other.still;
        self.stuck += other.stuck;
        self.stuck_for = self.stuck_for.max(other.stuck_for);
        self.stack_bytes += other.stack_bytes;
        self.leaked += other.leaked;
        if other.busy.looks > self.busy.looks {
            self.busy = other.busy;
        }
        self.has_main |= other.has_main;
        self.parents.extend(&other.parents);
        self.parents_alive += other.parents_alive;
        self.kin += other.kin;
    }

    /// Births within the window.
    pub(super) fn survivors(&self) -> u64 {
        self.births.iter().map(|&births| u64::from(births)).sum()
    }
}

/// Which part of the window a moment falls into.
fn bin_of(moment: Duration, window: Duration) -> usize {
    let share = moment.as_secs_f64() / window.as_secs_f64().max(f64::MIN_POSITIVE);
    ((share * BINS as f64) as usize).min(BINS - 1)
}

/// Looks up whose parents are still there, and who is left that a wait group could wait for.
pub(super) fn kinship(goroutines: &[Goroutine], lives: &mut [Life], waits: &[WaitClass]) {
    let wanted: FxHashSet<u64> =
        lives.iter().flat_map(|life| life.parents.iter().copied()).collect();
    if wanted.is_empty() {
        return;
    }
    let mut alive = FxHashSet::default();
    let mut children: FxHashMap<u64, u64> = FxHashMap::default();
    for goroutine in goroutines {
        if wanted.contains(&goroutine.goid) {
            alive.insert(goroutine.goid);
        }
        if let Some(parent) = goroutine.parent
            && wanted.contains(&parent.get())
            && goroutine.wait != WaitClass::WaitGroup
        {
            *children.entry(parent.get()).or_default() += 1;
        }
    }
    for (life, &wait) in lives.iter_mut().zip(waits) {
        life.parents_alive =
            life.parents.iter().filter(|parent| alive.contains(parent)).count() as u32;
        if wait == WaitClass::WaitGroup {
            life.kin = life.parents.iter().filter_map(|parent| children.get(parent)).sum();
        }
    }
}
