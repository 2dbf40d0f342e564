//! Whom a wait group waits for: the goroutines that may still call `Done`.
//!
//! The runtime records no more than a counter. Those that may call `Done` are the waiter's own children,
//! whoever has the wait group's address on its stack, and, where the waiter is a function literal that was
//! started beside them (`go func() { wg.Wait(); close(results) }()`), what the same function started.

use rustc_hash::{FxHashMap, FxHashSet};

use super::life::{Life, Span, stands_still};
use crate::model::{FrameId, Goroutine, Observation, WaitClass};

/// Goroutines that may call `Done`.
#[derive(Clone, Copy, Debug, Default)]
struct Relatives {
    all: u64,
    moving: u64,
}

impl Relatives {
    fn meet(&mut self, is_still: bool) {
        self.all += 1;
        self.moving += u64::from(!is_still);
    }

    const fn with(self, other: Self) -> Self {
        Self { all: self.all + other.all, moving: self.moving + other.moving }
    }
}

/// A parent and the function in which it started goroutines; `None` for a method that is called `Go`, to which
/// others leave it to start them (`sync.WaitGroup`, errgroup).
type Family<'a> = (u64, Option<&'a str>);

/// All relatives of waiters, by how they are related.
#[derive(Default)]
struct Relations<'a> {
    /// By the waiter's id.
    children: FxHashMap<u64, Relatives>,
    siblings: FxHashMap<Family<'a>, Relatives>,
    /// By the wait group's address.
    mentioning: FxHashMap<u64, Relatives>,
}

/// Looks up whom the members of each group that wait for wait groups wait for. `waits` has each group's wait,
/// `group_of` the group of a goroutine by its index.
pub(super) fn relate(
    observation: &Observation,
    lives: &mut [Life],
    waits: &[WaitClass],
    span: Span,
    group_of: impl Fn(usize) -> u32,
) {
    if !waits.contains(&WaitClass::WaitGroup) {
        return;
    }
    let goroutines = &observation.goroutines;
    let waiters: Vec<usize> = (0..goroutines.len())
        .filter(|&at| {
            let it = &goroutines[at];
            // Nobody can be a relative of one whose id is not known.
            it.wait == WaitClass::WaitGroup && it.goid.is_some() && stands_still(it, span)
        })
        .collect();
    let mut relations = Relations::default();
    for waiter in waiters.iter().map(|&at| &goroutines[at]) {
        relations.expect(observation, waiter);
    }
    relations.meet_all(observation, waiters.iter().map(|&at| &goroutines[at]), span);
    for &at in &waiters {
        let relatives = relations.of(observation, &goroutines[at]);
        let Some(life) = lives.get_mut(group_of(at) as usize) else { continue };
        let count = match relatives {
            Relatives { all: 0, .. } => &mut life.kin.alone,
            Relatives { moving: 0, .. } => &mut life.kin.behind_stuck,
            _ => &mut life.kin.attended,
        };
        *count += 1;
    }
}

impl<'a> Relations<'a> {
    /// Makes room for the relatives of a waiter.
    fn expect(&mut self, observation: &'a Observation, waiter: &Goroutine) {
        if let Some(goid) = waiter.id() {
            self.children.entry(goid).or_default();
        }
        if let Some((parent, function)) = started_beside(observation, waiter) {
            self.siblings.entry((parent, Some(function))).or_default();
            self.siblings.entry((parent, None)).or_default();
        }
        for &object in observation.objects_of(waiter) {
            self.mentioning.entry(object).or_default();
        }
    }

    fn meet_all<'w>(
        &mut self,
        observation: &'a Observation,
        waiters: impl Iterator<Item = &'w Goroutine>,
        span: Span,
    ) {
        let mut mentioned: FxHashMap<u64, Vec<u64>> = FxHashMap::default();
        for mention in &observation.mentions {
            if self.mentioning.contains_key(&mention.object) {
                mentioned.entry(mention.goid).or_default().push(mention.object);
            }
        }
        // Who made a wait group and handed it on knows it, and does not call Done.
        let parents: FxHashSet<u64> = waiters.filter_map(parent).collect();
        for goroutine in &observation.goroutines {
            let is_still = stands_still(goroutine, span);
            let parent = parent(goroutine);
            if let Some(children) = parent.and_then(|parent| self.children.get_mut(&parent)) {
                children.meet(is_still);
            }
            if goroutine.wait == WaitClass::WaitGroup {
                continue;
            }
            if let Some(parent) = parent.filter(|parent| parents.contains(parent)) {
                let function = function(observation, goroutine.created_by);
                let family = (parent, function.filter(|name| !name.ends_with(".Go")));
                if let Some(siblings) = self.siblings.get_mut(&family) {
                    siblings.meet(is_still);
                }
            }
            if let Some(goid) = goroutine.id()
                && let Some(objects) = mentioned.get(&goid)
                && !parents.contains(&goid)
            {
                for object in objects {
                    if let Some(mentioning) = self.mentioning.get_mut(object) {
                        mentioning.meet(is_still);
                    }
                }
            }
        }
    }

    fn of(&self, observation: &'a Observation, waiter: &Goroutine) -> Relatives {
        let known = |relatives: Option<&Relatives>| relatives.copied().unwrap_or_default();
        let objects = observation.objects_of(waiter).iter();
        let children = waiter.id().and_then(|goid| self.children.get(&goid));
        let mut all = objects
            .map(|object| known(self.mentioning.get(object)))
            .fold(known(children), Relatives::with);
        if let Some((parent, function)) = started_beside(observation, waiter) {
            all = all.with(known(self.siblings.get(&(parent, Some(function)))));
            all = all.with(known(self.siblings.get(&(parent, None))));
        }
        all
    }
}

/// Who started a waiter that is a function literal, and in which function: the literal's own.
fn started_beside<'a>(observation: &'a Observation, waiter: &Goroutine) -> Option<(u64, &'a str)> {
    let creator = function(observation, waiter.created_by)?;
    let literal = function(observation, waiter.started_in)?.strip_prefix(creator)?;
    literal.starts_with(".func").then_some((parent(waiter)?, creator))
}

fn function(observation: &Observation, frame: Option<FrameId>) -> Option<&str> {
    observation.stacks.lookup(frame?).ok().map(|frame| frame.function)
}

fn parent(goroutine: &Goroutine) -> Option<u64> {
    goroutine.parent.map(std::num::NonZeroU64::get)
}

#[cfg(test)]
mod tests;
