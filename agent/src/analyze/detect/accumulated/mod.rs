//! Goroutines that piled up over the process's whole life, told from one snapshot by their ids and the
//! runtime's own clock of their waits.
//!
//! Ids are given in ascending order, so that they say in which order goroutines were born, and where
//! among all that the process ever created. `g.waitsince` says for how long they have waited, to the
//! garbage collection. A pool was born in one place, and who works has waited in an order of its own;
//! sessions end, so that most that are there are young. What leaks is as old as its id says, waits since
//! it was born, and is of all ages.

mod spread;

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::case::Case;
use super::super::ids::{self, Clock, Ids};
use super::{Detector, Outcome, Scene, found};
use crate::model::{Accumulation, DetectorKind, Evidence, Lack, Verdict, WaitClass};
use spread::{MIN_MOMENTS, agreement, is_even, lasts, lasts_to_end};

/// Kendall's tau of ids and waits from which on they wait since they were born. A pool in which one of
/// seven has worked lately is below.
const MIN_AGREEMENT: f64 = 0.7;
/// Ids this close say nothing of who came first: four Ps with a batch of 16 each.
const BATCHES: f64 = 64.0;
/// Garbage collections that must have timed members, for times to be a distribution; and to tell thirds.
const MIN_TIMES: usize = 5;
const MIN_TIMES_TO_LAST: usize = 3;
/// A garbage collection that was later than this part of the process's life ago has timed next to nothing.
const MIN_TIMED: f64 = 0.25;
/// Members of a pile that ids alone speak against.
const MIN_UNTIMED: usize = 40;
/// In a younger process whatever is under way is about as old as it.
const MIN_LIFE: Duration = Duration::from_secs(60);
/// Fewer ids than this are no clock: one machine's Ps may hold as many in their batches.
const MIN_IDS: u64 = 500;
/// A pile that makes up more than this of the ids that it spans is its own clock, which says nothing.
const MAX_DENSITY: f64 = 0.5;
/// From this share of them on to whom somebody attends, they may be sessions.
const MAX_ATTENDED: f64 = 0.5;
/// The part of the process's life, up to now, that rates are of.
const LATER: f64 = 2.0 / 3.0;
/// The share of members with an object of their own from which on each has its own.
const OWN: f64 = 0.9;

/// Piled up over the process's life.
pub(super) struct Accumulated;

impl Detector for Accumulated {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Accumulated
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        if !ids::waits_for_another(case.wait()) || ends(case) {
            return Outcome::Clear;
        }
        if case.life.unidentified > 0 && case.count >= ids::MIN_MEMBERS {
            return Outcome::NotEnough(Lack::IdsOfPile);
        }
        let pile = Pile::of(&case.life.ids, case.clock);
        let waits = Waits { as_workers: receives(case), in_line: is_queue(case) };
        match pile.decide(waits) {
            Decision::Clear => Outcome::Clear,
            Decision::NoClock => Outcome::NotEnough(Lack::WaitTimes),
            Decision::Accumulated => {
                found(Verdict::Likely, case.count, pile.evidence(case.count, false))
            }
            // What speaks for sessions and what speaks for idleness is enough together.
            Decision::MaybeSessions if scene.is_idle => Outcome::Clear,
            Decision::MaybeSessions => {
                found(Verdict::Suspect, case.count, pile.evidence(case.count, true))
            }
        }
    }
}

/// Whether goroutines of the case come to an end, or some other thing ends its wait: seen through a
/// window, or in its source.
fn ends(case: &Case<'_>) -> bool {
    let left = case.left().unwrap_or(0);
    case.life.has_main
        || case.hints.awaits_signal
        || case.hints.wakes
        || (left > 0 && left * 2 > case.arrived)
}

/// Whether they wait as workers wait for work.
fn receives(case: &Case<'_>) -> bool {
    matches!(case.wait(), WaitClass::ChanReceive | WaitClass::Select | WaitClass::Cond)
}

/// Whether they wait in line at one object.
fn is_queue(case: &Case<'_>) -> bool {
    receives(case)
        && case.group.objects > 0
        && (case.group.objects as f64) < OWN * case.group.count as f64
}

/// How goroutines wait.
#[derive(Clone, Copy, Debug)]
struct Waits {
    /// As workers that wait for work do.
    as_workers: bool,
    /// At one object with the others, first come, first served.
    in_line: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Clear,
    /// Nothing tells for how long they have waited, and their ids do not suffice.
    NoClock,
    Accumulated,
    /// They did, but somebody attends to most of them.
    MaybeSessions,
}

/// A sample of a pile, on both clocks.
struct Pile<'a> {
    ids: &'a Ids,
    clock: Clock,
    /// Ids, oldest first, and since when each has waited, in seconds before now.
    order: Vec<(f64, f64)>,
    /// For how long each has waited, as a part of the process's life.
    by_time: Vec<f64>,
    /// How far each id is from the latest of the process, as a part of all.
    by_ids: Vec<f64>,
    /// How many garbage collections timed them.
    times: usize,
}

impl<'a> Pile<'a> {
    fn of(ids: &'a Ids, clock: Clock) -> Self {
        let members = ids.by_id();
        let seconds = clock.life.as_secs_f64().max(f64::MIN_POSITIVE);
        let last = clock.last;
        let timed = members.iter().filter(|member| member.is_timed);
        Self {
            ids,
            clock,
            times: timed.map(|member| member.waited).collect::<BTreeSet<_>>().len(),
            order: members
                .iter()
                .map(|member| (member.goid as f64, -member.waited.as_secs_f64()))
                .collect(),
            by_time: members.iter().map(|it| it.waited.as_secs_f64() / seconds).collect(),
            by_ids: members
                .iter()
                .map(|it| last.saturating_sub(it.goid) as f64 / last.max(1) as f64)
                .collect(),
        }
    }

    fn decide(&self, waits: Waits) -> Decision {
        if self.order.len() < MIN_MOMENTS || self.clock.life < MIN_LIFE {
            return Decision::Clear;
        }
        let by_ids = self.is_even_by_ids();
        if self.is_timed() {
            // A line of workers moves on: only a clock that they are no part of tells.
            let by_time = !waits.in_line && self.is_even_by_time();
            if !(by_time || by_ids && self.lasts()) || !self.waits_since_birth() {
                return Decision::Clear;
            }
        } else if !by_ids || self.order.len() < MIN_UNTIMED {
            return Decision::Clear;
        } else if waits.as_workers && !self.ids.was_started_again_and_again() {
            // Workers may all have been started in one place, at the beginning.
            return Decision::NoClock;
        }
        match self.ids.attended() {
            Some(share) if share <= MAX_ATTENDED => Decision::Accumulated,
            _ => Decision::MaybeSessions,
        }
    }

    /// Whether a garbage collection of long ago has timed them.
    fn is_timed(&self) -> bool {
        self.times > 0 && self.by_time.iter().any(|&age| age >= MIN_TIMED)
    }

    /// Whether it spreads evenly over the process's time.
    fn is_even_by_time(&self) -> bool {
        self.times >= MIN_TIMES && is_even(&self.by_time)
    }

    /// Whether it spreads evenly over the process's ids, which go faster under load.
    fn is_even_by_ids(&self) -> bool {
        self.clock.last >= MIN_IDS && self.ids.density() <= MAX_DENSITY && is_even(&self.by_ids)
    }

    /// Whether it went on growing through the process's time, as far as that is known.
    fn lasts(&self) -> bool {
        if self.times >= MIN_TIMES_TO_LAST {
            lasts(&self.by_time)
        } else {
            lasts_to_end(&self.by_time)
        }
    }

    /// Whether who was born before others has waited for longer, too.
    fn waits_since_birth(&self) -> bool {
        agreement(&self.order, BATCHES).is_some_and(|agreement| agreement >= MIN_AGREEMENT)
    }

    /// How old its members are, by the clock that tells more.
    fn evidence(&self, goroutines: u64, may_be_sessions: bool) -> Evidence {
        let life = self.clock.life;
        let is_timed = self.is_timed();
        let mut shares = if is_timed { self.by_time.clone() } else { self.by_ids.clone() };
        shares.sort_unstable_by(f64::total_cmp);
        let age = |at: usize| {
            let share = shares.get(at).copied().unwrap_or(0.0);
            life.mul_f64(share.clamp(0.0, 1.0))
        };
        let last = shares.len().saturating_sub(1);
        // What came at the beginning came in another way.
        let later = shares.iter().filter(|&&share| share < LATER).count() as f64;
        let minutes = (life.as_secs_f64() / 60.0 * LATER).max(f64::MIN_POSITIVE);
        let rate = later / shares.len().max(1) as f64 * goroutines as f64 / minutes;
        Evidence::Accumulated(Accumulation {
            goroutines,
            life,
            oldest: age(last),
            median: age(last / 2),
            latest: age(0),
            per_minute: is_timed.then_some(rate),
            may_be_sessions,
        })
    }
}

#[cfg(test)]
mod tests;
