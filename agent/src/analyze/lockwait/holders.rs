//! Who probably holds a lock: of those whose stack mentions it, the one that does not wait for it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::waits::{Identified, Waits, wants_to_lock};
use crate::model::{Goroutine, Mention, Observation, StackView, WaitClass};

/// Who mentions which contended lock.
pub(super) struct Candidates<'a> {
    /// For each lock, those who mention it and do not wait for it.
    pub(super) others: Vec<Vec<Identified<'a>>>,
    /// For each lock, what its waiters' own stacks mention of it.
    pub(super) own: Vec<Vec<(Identified<'a>, Mention)>>,
    /// Goroutines whose stack nobody could search, the runtime's own aside.
    pub(super) unseen: Vec<&'a Goroutine>,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(observation: &'a Observation, waits: &Waits<'a>) -> Self {
        let mut candidates = Self {
            others: vec![Vec::new(); waits.locks.len()],
            own: vec![Vec::new(); waits.locks.len()],
            unseen: Vec::new(),
        };
        let named: FxHashSet<u64> = observation.mentions.iter().map(|it| it.goid).collect();
        let mut goroutines: FxHashMap<u64, Identified<'a>> = FxHashMap::default();
        for goroutine in &observation.goroutines {
            let known = Identified::of(goroutine).filter(|it| named.contains(&it.goid));
            if let Some(known) = known {
                goroutines.insert(known.goid, known);
            } else if matches!(goroutine.stack, StackView::Torn | StackView::NotUnwound)
                && !is_the_runtimes(observation, goroutine)
            {
                candidates.unseen.push(goroutine);
            }
        }
        for mention in &observation.mentions {
            let Some(lock) = waits.at(mention.object) else { continue };
            let Some(&goroutine) = goroutines.get(&mention.goid) else { continue };
            if waits.lock_wanted_by(mention.goid) == Some(lock) {
                candidates.own[lock].push((goroutine, *mention));
            } else {
                candidates.others[lock].push(goroutine);
            }
        }
        candidates
    }

    /// The likely holder of each lock, where one of the candidates stands out.
    pub(super) fn holders(&self, waits: &Waits<'a>) -> Vec<Option<Identified<'a>>> {
        let holder = |(at, others): (usize, &Vec<Identified<'a>>)| match others.as_slice() {
            _ if !waits.locks[at].is_held() => None,
            &[only] => Some(only),
            _ => only(others.iter().copied().filter(|it| wants_to_lock(it)))
                .or_else(|| only(self.without_parents(waits, at))),
        };
        self.others.iter().enumerate().map(holder).collect()
    }

    /// Those who mention a lock, but for such as created a waiter or another of them: who hands out
    /// a lock knows it without holding it.
    pub(super) fn without_parents(
        &self,
        waits: &Waits<'a>,
        lock: usize,
    ) -> impl Iterator<Item = Identified<'a>> {
        let others = &self.others[lock];
        let parents: FxHashSet<u64> = waits.locks[lock]
            .waiters
            .iter()
            .chain(others)
            .filter_map(|it| it.parent.map(std::num::NonZeroU64::get))
            .collect();
        others.iter().copied().filter(move |it| !parents.contains(&it.goid))
    }

    /// Whether some goroutine whose stack nobody saw may hold a lock: not if it was born after others
    /// began to wait for it.
    pub(super) fn may_be_held_unseen(&self, waits: &Waits<'a>, lock: usize) -> bool {
        let waited = waits.locks[lock].oldest();
        self.unseen.iter().any(|it| {
            let age = it.age.or(it.seen_for);
            age.zip(waited).is_none_or(|(age, waited)| age >= waited)
        })
    }
}

/// The only one of several, if there is only one.
fn only<'a>(mut several: impl Iterator<Item = Identified<'a>>) -> Option<Identified<'a>> {
    several.next().filter(|_| several.next().is_none())
}

fn is_the_runtimes(observation: &Observation, goroutine: &Goroutine) -> bool {
    goroutine.wait == WaitClass::Runtime
        || goroutine.started_in.and_then(|frame| observation.stacks.lookup(frame).ok()).is_some_and(
            |frame| frame.function.starts_with("runtime.") && frame.function != "runtime.main",
        )
}
