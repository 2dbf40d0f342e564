//! Since when each goroutine has been where it is, and how many came and went.
//!
//! Slots of the runtime's list of goroutines are reused but never move, so that what was seen
//! before is found by position, without a search.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::model::{BlockedBasis, BlockedFor, Goroutine, Rates};

/// What tells a goroutine, and the place where it stands, from all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The address of its `runtime.g`, which the runtime uses again for others.
    pub(super) g: u64,
    /// Its position in the runtime's list.
    pub(super) slot: u32,
    /// A digest of where it stands: stack, stack pointer, wait reason.
    pub(super) place: u32,
    /// How often it had stopped running (`g.trackingSeq`); `None` where that is not counted.
    pub(super) stops: Option<u8>,
    /// The runtime's own clock of it (`g.waitsince`), or 0.
    pub(super) wait_since_ns: u64,
}

/// What was last seen in a slot. An empty slot has no goid.
#[derive(Clone, Copy, Default)]
struct Seen {
    goid: Option<NonZeroU64>,
    /// When it was first seen.
    first_ns: u64,
    since_ns: u64,
    wait_since_ns: u64,
    place: u32,
    stops: Option<u8>,
    /// The observation that it was seen in, as far as its number fits.
    tick: u16,
}

/// Remembers the goroutines of the last observation.
#[derive(Default)]
pub(super) struct Clock {
    slots: Vec<Seen>,
    /// Whether there will be no other observation, for which to remember anything.
    once: bool,
    /// By how much the runtime's clock runs ahead of ours; `None` when that is not known, so that
    /// nothing is made of its times.
    runtime_ahead_ns: Option<i64>,
    ticks: u64,
    last: Option<Duration>,
    live: u64,
    /// How many came and went so far, and since when.
    sums: (u64, u64),
    first: Option<Duration>,
}

impl Clock {
    /// For a runtime whose clock runs ahead of ours by so much.
    pub(super) fn new(runtime_ahead_ns: Option<i64>) -> Self {
        Self { runtime_ahead_ns, ..Self::default() }
    }

    /// Remembers nothing for a further observation.
    pub(super) const fn keep_nothing(&mut self) {
        self.once = true;
    }

    /// Remembers what is to come.
    pub(super) const fn keep(&mut self) {
        self.once = false;
    }

    /// Takes in an observation made at `now` and tells each blocked goroutine for how long it has
    /// been. `marks` are those of `goroutines`, in the same order.
    pub(super) fn tick(
        &mut self,
        now: Duration,
        marks: &[Mark],
        goroutines: &mut [Goroutine],
    ) -> Option<Rates> {
        let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let previous = self.ticks;
        let (mut stayed, mut nobody) = (0, Seen::default());
        if !self.once {
            self.make_room(marks);
            self.ticks += 1;
        }
        for (goroutine, mark) in goroutines.iter_mut().zip(marks) {
            let seen = self.slots.get_mut(mark.slot as usize).unwrap_or(&mut nobody);
            let is_same = goroutine.goid.is_some() && seen.goid == goroutine.goid;
            let known = is_same && seen.tick == previous as u16 && previous != 0;
            stayed += u64::from(known);
            // A runtime clock that was set and is another now was reset in between: it ran.
            let ran = seen.wait_since_ns != 0 && seen.wait_since_ns != mark.wait_since_ns;
            let is_here = known && seen.place == mark.place;
            let stays = is_here && seen.stops == mark.stops && !ran;
            let since_ns = if stays { seen.since_ns } else { now_ns };
            let first_ns = if known { seen.first_ns } else { now_ns };
            goroutine.seen_for = Some(Duration::from_nanos(now_ns.saturating_sub(first_ns)));
            goroutine.came = (previous != 0).then_some(!is_here);
            *seen = Seen {
                goid: goroutine.goid,
                first_ns,
                since_ns,
                wait_since_ns: mark.wait_since_ns,
                place: mark.place,
                stops: mark.stops,
                tick: self.ticks as u16,
            };
            if goroutine.wait.is_blocked() {
                let runtime_ns = self.runtime_ahead_ns.map_or(0, |ahead| on_our_clock(mark, ahead));
                goroutine.blocked = Some(blocked_for(now_ns, since_ns, runtime_ns));
            }
        }
        let live = goroutines.len() as u64;
        let rates = self.last.and_then(|last| {
            let seconds = now.checked_sub(last)?.as_secs_f64();
            let (came, went) = (live.saturating_sub(stayed), self.live.saturating_sub(stayed));
            self.sums = (self.sums.0 + came, self.sums.1 + went);
            (seconds > 0.0).then(|| Rates::at_least(came as f64 / seconds, went as f64 / seconds))
        });
        self.first.get_or_insert(now);
        self.last = (!self.once).then_some(now);
        self.live = live;
        rates
    }

    /// How many came and went since the first observation, by the second; at least.
    pub(super) fn rates_so_far(&self) -> Option<Rates> {
        let seconds = self.last?.saturating_sub(self.first?).as_secs_f64();
        let (came, went) = self.sums;
        (seconds > 0.0).then(|| Rates::at_least(came as f64 / seconds, went as f64 / seconds))
    }

    /// Room for all slots, and no more: grown by doubling it would take as much again.
    fn make_room(&mut self, marks: &[Mark]) {
        let slots = marks.iter().map(|mark| mark.slot as usize + 1).max().unwrap_or(0);
        self.slots.reserve_exact(slots.saturating_sub(self.slots.len()));
        self.slots.resize(slots.max(self.slots.len()), Seen::default());
    }
}

/// The runtime's own time of a wait by our clock, or 0. A wait that began before our clock did is as
/// old as that.
fn on_our_clock(mark: &Mark, ahead_ns: i64) -> u64 {
    if mark.wait_since_ns == 0 {
        return 0;
    }
    let ahead = i128::from(mark.wait_since_ns) - i128::from(ahead_ns);
    u64::try_from(ahead.max(1)).unwrap_or(u64::MAX)
}

/// Both clocks give lower bounds: the longer one is nearer to the truth.
fn blocked_for(now_ns: u64, since_ns: u64, wait_since_ns: u64) -> BlockedFor {
    let seen = now_ns.saturating_sub(since_ns);
    let runtime = if wait_since_ns == 0 { 0 } else { now_ns.saturating_sub(wait_since_ns) };
    if runtime > seen {
        BlockedFor { duration: Duration::from_nanos(runtime), basis: BlockedBasis::Runtime }
    } else {
        BlockedFor { duration: Duration::from_nanos(seen), basis: BlockedBasis::FirstSeen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(wait_since_ns: u64) -> Mark {
        Mark { g: 0, slot: 0, place: 0, stops: None, wait_since_ns }
    }

    #[test]
    fn times_of_a_clock_that_runs_ahead_or_behind_are_moved() {
        let second = 1_000_000_000;
        assert_eq!(on_our_clock(&mark(0), 5), 0, "no time is none in any namespace");
        assert_eq!(on_our_clock(&mark(1_007 * second), 1_000 * second as i64), 7 * second);
        assert_eq!(on_our_clock(&mark(2 * second), -5 * second as i64), 7 * second);
        assert_eq!(on_our_clock(&mark(second), 5 * second as i64), 1, "before the host was up");
        assert_eq!(blocked_for(10 * second, 9 * second, 7 * second).duration.as_secs(), 3);
    }
}
