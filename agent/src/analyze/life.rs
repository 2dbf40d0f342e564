//! Births, deaths and ages of a group's goroutines: what tells a leak from a pool that churns.

use std::num::NonZeroU64;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::busy::{Busy, Runners};
use super::ids::{Ids, MAIN};
use super::kin::Kin;
use crate::model::{Channel, Goroutine, ProvenBy, RuntimeAlone, Status, WaitClass};

/// How finely births within the window are told apart.
pub(super) const BINS: usize = 60;

/// Parents of a group that are looked up.
const PARENTS: usize = 4;

/// The window that a sample is the last of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// From the first sample to this one.
    pub(super) window: Duration,
    /// From the sample before to this one; zero for the first.
    pub(super) step: Duration,
    /// Of the window, how long the target could run.
    pub(super) ran: Duration,
}

/// What is known of the lives of a group's members in one sample.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Whether the source knows goroutines apart, so that the rest means anything.
    pub(super) known: bool,
    /// Members.
    pub(super) count: u64,
    /// Members whose ids the source does not know.
    pub(super) unidentified: u64,
    /// Members that were born before the window.
    pub(super) before: u64,
    /// Births of members within the window, by time, oldest first; empty for none.
    pub(super) births: Vec<u32>,
    /// Members that came into the group since the sample before.
    pub(super) arrived: u64,
    /// Members that stood at the same place since the first sample, or since their birth.
    pub(super) still: u64,
    /// Members that stood at the same place through the last two thirds of the window: what blocks
    /// soon after the first sample counts too.
    pub(super) stuck: u64,
    /// For how long the longest of the stuck was blocked.
    pub(super) stuck_for: Duration,
    /// A channel that one of them waits on, where it was read.
    pub(super) channel: Option<Channel>,
    /// What their stacks hold, in bytes, as far as that is known.
    pub(super) stack_bytes: Option<u64>,
    /// What of the heap those that are proven keep, in bytes; `None` where no proof told.
    pub(super) kept_bytes: Option<u64>,
    /// The member that has run for the most samples in a row.
    pub(super) busy: Busy,
    /// Those that the runtime itself marked as leaked.
    pub(super) leaked: u64,
    /// Those that are proven to leak, by the runtime or from outside.
    pub(super) proven: u64,
    /// Those that are proven to leak from outside.
    pub(super) unreachable: u64,
    /// Those that the runtime marked and that are not proven from outside, where that was tried.
    pub(super) marked_alone: RuntimeAlone,
    /// Whether the main goroutine is one of them.
    pub(super) has_main: bool,
    /// Some of their parents.
    pub(super) parents: Vec<u64>,
    /// The group of one of their parents that is still there, as an index.
    pub(super) parent_group: Option<u32>,
    /// Whether they descend from main, or from somebody who is still at work.
    pub(super) is_rooted: bool,
    /// A sample of their ids, where they wait for others.
    pub(super) ids: Ids,
    /// Whom those that wait for wait groups wait for.
    pub(super) kin: Kin,
}

impl Life {
    pub(super) fn add(&mut self, goroutine: &Goroutine, span: Span, runners: &Runners) {
        let weight = u64::from(goroutine.weight);
        self.count += weight;
        if goroutine.goid.is_none() {
            self.unidentified += weight;
        }
        if matches!(goroutine.wait, WaitClass::Running | WaitClass::Runnable) {
            let busy = goroutine.goid.map(|goid| runners.get(goid)).unwrap_or_default();
            if busy.samples > self.busy.samples {
                self.busy = busy;
            }
        }
        let bytes = goroutine.stack_bytes.map(|bytes| u64::from(bytes) * weight);
        self.stack_bytes = sum(self.stack_bytes, bytes);
        if goroutine.status == Status::Leaked {
            self.leaked += weight;
        }
        if goroutine.proven {
            self.unreachable += weight;
        }
        if goroutine.status == Status::Leaked || goroutine.proven {
            self.proven += weight;
        }
        self.has_main |= goroutine.is(MAIN);
        self.meet_parent(goroutine);
        // A single sample knows nothing but the runtime's own clock.
        let blocked = goroutine.blocked.map(|blocked| blocked.duration);
        if let Some(blocked) = blocked
            && blocked >= span.ran * 2 / 3
        {
            self.stuck += weight;
            self.stuck_for = self.stuck_for.max(blocked);
        }
        let Some(seen_for) = goroutine.seen_for else { return };
        self.known = true;
        let age = goroutine.age.unwrap_or(seen_for);
        let since = blocked.unwrap_or(Duration::ZERO);
        let slack = span.step.max(Duration::from_millis(50));
        if since + slack >= age.min(span.ran) {
            self.still += weight;
        }
        if !span.step.is_zero() {
            let here = blocked.unwrap_or(seen_for);
            if goroutine.came.unwrap_or(here < span.step) {
                self.arrived += weight;
            }
        }
        if seen_for >= span.window || age >= span.window {
            self.before += weight;
        } else {
            if self.births.is_empty() {
                self.births = vec![0; BINS];
            }
            let bin = bin_of(span.window - age, span.window);
            self.births[bin] = self.births[bin].saturating_add(goroutine.weight);
        }
    }

    /// What one of them was found to keep, with those that stand like it.
    pub(super) fn keeps(&mut self, bytes: u64) {
        self.kept_bytes = sum(self.kept_bytes, Some(bytes));
    }

    /// Checks whether one of the channels that were read is a member's. `channels` is sorted.
    pub(super) fn meet_channel(&mut self, objects: &[u64], channels: &[Channel]) {
        if self.channel.is_none() && !channels.is_empty() {
            self.channel = objects.iter().find_map(|object| {
                let at = channels.binary_search_by_key(object, |channel| channel.address).ok()?;
                Some(channels[at])
            });
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
        self.unidentified += other.unidentified;
        self.before += other.before;
        if self.births.is_empty() {
            self.births.clone_from(&other.births);
        } else {
            for (births, others) in self.births.iter_mut().zip(&other.births) {
                *births = births.saturating_add(*others);
            }
        }
        self.arrived += other.arrived;
        self.still += other.still;
        self.stuck += other.stuck;
        self.stuck_for = self.stuck_for.max(other.stuck_for);
        self.channel = self.channel.or(other.channel);
        self.stack_bytes = sum(self.stack_bytes, other.stack_bytes);
        self.kept_bytes = sum(self.kept_bytes, other.kept_bytes);
        self.leaked += other.leaked;
        self.unreachable += other.unreachable;
        self.marked_alone = self.marked_alone.plus(other.marked_alone);
        self.proven += other.proven;
        if other.busy.samples > self.busy.samples {
            self.busy = other.busy;
        }
        self.has_main |= other.has_main;
        self.parents.extend(&other.parents);
        self.parent_group = self.parent_group.or(other.parent_group);
        self.is_rooted |= other.is_rooted;
        self.ids.merge(&other.ids);
        self.kin.merge(other.kin);
    }

    /// Whose verdict it is that they leak.
    pub(super) const fn proven_by(&self) -> ProvenBy {
        let both = (self.leaked + self.unreachable).saturating_sub(self.proven);
        ProvenBy { agent: self.unreachable, runtime: self.leaked, both }
    }

    /// Births within the window.
    pub(super) fn survivors(&self) -> u64 {
        self.births.iter().map(|&births| u64::from(births)).sum()
    }
}

/// What is known of both.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.map_or(other, |one| Some(one.saturating_add(other.unwrap_or(0))))
}

/// Which part of the window a moment falls into.
fn bin_of(moment: Duration, window: Duration) -> usize {
    let share = moment.as_secs_f64() / window.as_secs_f64().max(f64::MIN_POSITIVE);
    ((share * BINS as f64) as usize).min(BINS - 1)
}

/// Generations of ancestors that are followed.
const GENERATIONS: usize = 6;

/// What is known of an ancestor.
#[derive(Clone, Copy)]
struct Ancestor {
    parent: u64,
    group: u32,
    is_stuck: bool,
}

/// Looks up who descends from somebody who is still at work.
pub(super) fn kinship(
    goroutines: &[Goroutine],
    lives: &mut [Life],
    span: Span,
    group_of: impl Fn(usize) -> u32,
) {
    let mut wanted: FxHashSet<u64> =
        lives.iter().flat_map(|life| life.parents.iter().copied()).collect();
    let mut alive: FxHashMap<u64, Ancestor> = FxHashMap::default();
    for _ in 0..GENERATIONS {
        if wanted.is_empty() {
            break;
        }
        let mut next = FxHashSet::default();
        for (index, goroutine) in goroutines.iter().enumerate() {
            let Some(goid) = goroutine.id().filter(|goid| wanted.contains(goid)) else { continue };
            let parent = goroutine.parent.map_or(0, NonZeroU64::get);
            let is_stuck = stands_still(goroutine, span);
            let group = group_of(index);
            alive.insert(goid, Ancestor { parent, group, is_stuck });
            if is_stuck && parent != 0 && parent != MAIN && !alive.contains_key(&parent) {
                next.insert(parent);
            }
        }
        wanted = next;
    }
    for life in lives {
        life.parent_group =
            life.parents.iter().find_map(|parent| alive.get(parent)).map(|parent| parent.group);
        life.is_rooted = life.parents.iter().any(|&parent| is_rooted(parent, &alive));
    }
}

/// Whether a goroutine has waited for others at one place for most of the window.
pub(super) fn stands_still(goroutine: &Goroutine, span: Span) -> bool {
    goroutine.wait.is_for_others()
        && goroutine.blocked.is_some_and(|blocked| blocked.duration >= span.ran * 2 / 3)
}

/// Whether a goroutine is still there, and is at work or descends from one that is, or from main.
fn is_rooted(goid: u64, alive: &FxHashMap<u64, Ancestor>) -> bool {
    let mut goid = goid;
    for _ in 0..GENERATIONS {
        match alive.get(&goid) {
            _ if goid == MAIN => return true,
            None => return false,
            Some(ancestor) if !ancestor.is_stuck => return true,
            Some(ancestor) => goid = ancestor.parent,
        }
    }
    // So long a line of the living.
    true
}
