//! How the goroutines of a group stand in the lock-wait graph: in which cycles, and behind which holders.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::outlook::Outlook;
use super::waits::Waits;
use crate::model::{Doing, FrameId, Holder, Holders, LockWait, WaitClass, Waiter};

/// Deadlock cycles of the same groups of goroutines, in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::analyze) struct Cycles {
    /// Tells it from the others of its sample.
    pub(super) number: usize,
    /// How many there are.
    pub(super) count: u64,
    /// The one with the oldest goroutine.
    pub(super) example: Vec<Waiter>,
}

/// Goroutines that have waited for most of the window, and the longest of their waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::analyze) struct Tally {
    pub(in crate::analyze) count: u64,
    pub(in crate::analyze) longest: Duration,
}

impl Tally {
    fn add(&mut self, waited: Duration) {
        self.merge(Self { count: 1, longest: waited });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }
}

/// Where holders are, and what they do without the address of what they wait for.
pub(super) type HolderKind = (Option<FrameId>, Doing);

/// How the members of one or several groups stand.
#[derive(Clone, Debug, Default)]
pub(in crate::analyze) struct Standing {
    /// Members of cycles, however long they wait.
    pub(in crate::analyze) in_cycles: Tally,
    /// The cycles that they are part of, by number.
    pub(in crate::analyze) cycles: Vec<Arc<Cycles>>,
    /// The locks that they wait for, sorted.
    pub(super) locks: Vec<u64>,
    /// Those whose lock nobody will give back: in or behind a cycle, or behind somebody who stands still.
    pub(in crate::analyze) stuck: Tally,
    /// Those whose lock no goroutine seems to hold.
    pub(in crate::analyze) abandoned: Tally,
    /// Those whose lock may be given back, or of whose lock too little is known.
    pub(in crate::analyze) open: Tally,
    /// Those whose lock passes from hand to hand.
    pub(in crate::analyze) passing: Tally,
    /// Whether somebody else seems to hold one of their locks, and is more than who started them.
    pub(super) held_by_others: bool,
    /// Who probably holds their locks, by place and by what it does, with how many wait for it.
    pub(super) holders: BTreeMap<HolderKind, (Holder, u64)>,
}

impl Standing {
    /// Adds other groups.
    pub(in crate::analyze) fn merge(&mut self, other: &Self) {
        self.in_cycles.merge(other.in_cycles);
        self.cycles.extend(other.cycles.iter().cloned());
        self.locks.extend(&other.locks);
        self.put_in_order();
        self.stuck.merge(other.stuck);
        self.abandoned.merge(other.abandoned);
        self.open.merge(other.open);
        self.passing.merge(other.passing);
        self.held_by_others |= other.held_by_others;
        for (kind, (holder, waiters)) in &other.holders {
            self.add_holder(*kind, *holder, *waiters);
        }
    }

    /// The kinds of cycles that they are part of, by number: those who share one have one cause.
    pub(in crate::analyze) fn cycle_numbers(&self) -> impl Iterator<Item = usize> + '_ {
        self.cycles.iter().map(|cycles| cycles.number)
    }

    /// Whether all that wait for long were seen to wait for locks that pass from hand to hand.
    const fn all_pass(&self) -> bool {
        self.passing.count > 0 && self.stuck.count + self.abandoned.count + self.open.count == 0
    }

    /// Whether somebody probably holds their locks, none of whom waits for a lock of its own. One who started
    /// them may know the locks without holding any.
    fn are_held(&self) -> bool {
        self.held_by_others && self.cycles.iter().all(|cycles| cycles.example.len() > 1)
    }

    /// Whether their locks pass from hand to hand, or somebody else is known to hold them: then neither they
    /// themselves hold them, nor was giving them back forgotten, whatever the source looks like.
    pub(in crate::analyze) fn contradicts_source(&self) -> bool {
        self.all_pass() || self.are_held()
    }

    /// What a finding says of it.
    pub(in crate::analyze) fn lock_wait(&self) -> LockWait {
        let shown = self.cycles.iter().max_by_key(|it| (it.count, Reverse(it.number)));
        let lengths = || self.cycles.iter().map(|it| it.example.len());
        let mut wait = LockWait {
            cycle: shown.map(|it| it.example.clone()).unwrap_or_default(),
            cycles: self.cycles.iter().map(|it| it.count).sum(),
            lengths: lengths().min().zip(lengths().max()),
            in_cycles: self.in_cycles.count,
            locks: self.locks.len() as u64,
            ..LockWait::default()
        };
        let most =
            self.holders.iter().max_by_key(|(kind, (_, waiters))| (*waiters, Reverse(*kind)));
        match most {
            // What a cycle says need not be said again.
            Some((_, (holder, _))) if self.locks.len() == 1 && wait.cycle.is_empty() => {
                wait.likely_holder = Some(*holder);
            }
            Some((&(at, doing), &(_, waiters))) if wait.cycle.is_empty() => {
                wait.holders = Some(Holders { at, doing, waiters });
            }
            _ => {}
        }
        wait
    }
}

/// A lock as those see it who wait for it.
pub(super) struct View {
    pub(super) outlook: Outlook,
    /// Whether that holder started one who waits.
    pub(super) started_waiters: bool,
    /// Its likely holder.
    pub(super) holder: Option<Holder>,
}

/// How each group stands that has members who wait for contended locks. `cycle_of` has the cycles of those who
/// stand in one; `group_of` the group of each goroutine that waits for a lock; `least` is how long one has
/// waited at least to be counted by its lock's outlook.
pub(super) fn standings(
    waits: &Waits<'_>,
    views: &[View],
    cycle_of: &FxHashMap<u64, Arc<Cycles>>,
    group_of: &FxHashMap<u64, u32>,
    least: Duration,
) -> FxHashMap<u32, Standing> {
    let mut standings: FxHashMap<u32, Standing> = FxHashMap::default();
    for (lock, view) in waits.locks.iter().zip(views) {
        let mut waiting: FxHashMap<u32, u64> = FxHashMap::default();
        for waiter in &lock.waiters {
            let Some(&group) = group_of.get(&waiter.goid) else { continue };
            let waited = waiter.blocked.map_or(Duration::ZERO, |blocked| blocked.duration);
            let standing = standings.entry(group).or_default();
            let cycles = cycle_of.get(&waiter.goid);
            if let Some(cycles) = cycles {
                standing.in_cycles.add(waited);
                standing.cycles.push(Arc::clone(cycles));
            }
            if is_lock(waiter.wait) {
                *waiting.entry(group).or_default() += 1;
                if waited >= least {
                    standing.tally(view.outlook, cycles.is_some()).add(waited);
                }
            }
        }
        for (group, waiters) in waiting {
            let standing = standings.entry(group).or_default();
            standing.locks.push(lock.address);
            if let Some(holder) = view.holder {
                standing.held_by_others |= !view.started_waiters;
                let kind = (holder.at, holder.doing.without_object());
                standing.add_holder(kind, holder, waiters);
            }
        }
    }
    for standing in standings.values_mut() {
        standing.put_in_order();
    }
    standings
}

const fn is_lock(wait: WaitClass) -> bool {
    matches!(wait, WaitClass::Mutex | WaitClass::RwMutex)
}

impl Standing {
    const fn tally(&mut self, outlook: Outlook, in_cycle: bool) -> &mut Tally {
        match outlook {
            _ if in_cycle => &mut self.stuck,
            Outlook::Stuck | Outlook::Deadlocked => &mut self.stuck,
            Outlook::Abandoned => &mut self.abandoned,
            Outlook::MayComeBack | Outlook::Unknown => &mut self.open,
            Outlook::Passes => &mut self.passing,
        }
    }

    /// Names the oldest of holders alike.
    pub(super) fn add_holder(&mut self, kind: HolderKind, holder: Holder, waiters: u64) {
        let (known, all) = self.holders.entry(kind).or_insert((holder, 0));
        if holder.goid < known.goid {
            *known = holder;
        }
        *all += waiters;
    }

    fn put_in_order(&mut self) {
        self.cycles.sort_by_key(|cycles| cycles.number);
        self.cycles.dedup_by_key(|cycles| cycles.number);
        self.locks.sort_unstable();
        self.locks.dedup();
    }
}
