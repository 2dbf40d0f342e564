//! Whether a contended lock will be given back: by who may hold it, and by what they do.

use std::time::Duration;

use rustc_hash::FxHashSet;

use super::DOUBTFUL;
use super::holders::Candidates;
use super::waits::{Identified, Waits};
use crate::model::{Goroutine, Observation, WaitClass};

/// Locks that are followed from a lock to what its holder waits for.
const MAX_STEPS: usize = 64;

/// What is to be expected of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It was seen to pass from hand to hand while others waited.
    Passes,
    /// Whoever may hold it runs, sleeps, waits for a timer, for the network or a system call, and may well
    /// give it back.
    MayComeBack,
    /// Not all stacks on which it might stand were searched.
    Unknown,
    /// All who may hold it stand still, too.
    Stuck,
    /// Whoever holds it is part of a deadlock cycle, or waits behind one.
    Deadlocked,
    /// No goroutine seems to hold it.
    Abandoned,
}

/// What is known of all contended locks of one sample.
pub(super) struct Outlooks<'g, 'a> {
    pub(super) observation: &'a Observation,
    pub(super) waits: &'g Waits<'a>,
    pub(super) candidates: &'g Candidates<'a>,
    pub(super) held: &'g [Option<Identified<'a>>],
    /// Ids of goroutines in deadlock cycles.
    pub(super) in_cycles: &'g FxHashSet<u64>,
    /// For each lock, whether it passes from hand to hand.
    pub(super) passes: &'g [bool],
}

impl<'a> Outlooks<'_, 'a> {
    /// The outlook of each lock.
    pub(super) fn all(&self) -> Vec<Outlook> {
        let mut known = vec![None; self.waits.locks.len()];
        (0..known.len()).map(|lock| self.of(lock, &mut known, MAX_STEPS)).collect()
    }

    fn of(&self, lock: usize, known: &mut [Option<Outlook>], steps: usize) -> Outlook {
        if let Some(outlook) = known[lock] {
            return outlook;
        }
        if steps == 0 {
            return Outlook::Unknown;
        }
        // Met again on the way: a ring that was not taken for a deadlock.
        known[lock] = Some(Outlook::Unknown);
        let outlook = self.find(lock, known, steps);
        known[lock] = Some(outlook);
        outlook
    }

    fn find(&self, lock: usize, known: &mut [Option<Outlook>], steps: usize) -> Outlook {
        if self.passes[lock] {
            return Outlook::Passes;
        }
        let others = &self.candidates.others[lock];
        let likely: Vec<Identified<'a>> = match self.held[lock] {
            Some(holder) => vec![holder],
            None => self.candidates.without_parents(self.waits, lock).collect(),
        };
        let holders = if likely.is_empty() { others } else { &likely };
        if holders.is_empty() {
            // Whoever waits for a lock has it on its own stack, if that was searched.
            let was_searched = !self.candidates.own[lock].is_empty()
                && self.observation.coverage.stacks_unsearched == 0;
            return if was_searched { Outlook::Abandoned } else { Outlook::Unknown };
        }
        let outlooks = holders.iter().map(|&holder| self.of_holder(holder, known, steps));
        // Any one of several may hold it: that one which is most likely to give it back counts.
        outlooks.min_by_key(|outlook| *outlook as u8).unwrap_or(Outlook::Unknown)
    }

    fn of_holder(
        &self,
        holder: Identified<'_>,
        known: &mut [Option<Outlook>],
        steps: usize,
    ) -> Outlook {
        use WaitClass::{
            Cgo, IoWait, Mutex, Runnable, Running, Runtime, RwMutex, Sleep, Syscall, Unknown,
        };
        if self.in_cycles.contains(&holder.goid) {
            return Outlook::Deadlocked;
        }
        match holder.wait {
            Running | Runnable | Unknown | Sleep | IoWait | Syscall | Cgo | Runtime => {
                Outlook::MayComeBack
            }
            Mutex | RwMutex => match self.waits.lock_wanted_by(holder.goid) {
                None => Outlook::MayComeBack,
                Some(next) => match self.of(next, known, steps - 1) {
                    Outlook::Passes => Outlook::MayComeBack,
                    Outlook::Abandoned => Outlook::Stuck,
                    other => other,
                },
            },
            _ if self.waits_for_timer(&holder) || !stands_still(self.observation, &holder) => {
                Outlook::MayComeBack
            }
            _ => Outlook::Stuck,
        }
    }

    fn waits_for_timer(&self, holder: &Goroutine) -> bool {
        // Sorted by their addresses.
        let channels = &self.observation.channels;
        self.observation.objects_of(holder).iter().any(|object| {
            let at = channels.binary_search_by_key(object, |channel| channel.address);
            at.is_ok_and(|at| channels[at].looks_like_timer())
        })
    }
}

/// Whether a goroutine has waited at one place for most of the time that anybody looked, or for long by the
/// runtime's own clock in a first sample.
fn stands_still(observation: &Observation, goroutine: &Goroutine) -> bool {
    let least = match observation.elapsed {
        Duration::ZERO => DOUBTFUL,
        elapsed => elapsed * 2 / 3,
    };
    goroutine.blocked.is_some_and(|blocked| blocked.duration >= least)
}
