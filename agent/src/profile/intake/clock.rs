//! Since when each goroutine has been where it is, from one dump of a series to the next.
//!
//! A dump tells goroutines apart by their ids, and says how long one has waited in whole minutes, once a
//! garbage collection has set the runtime's clock (`g.waitsince`).

use std::hash::{Hash, Hasher as _};
use std::num::NonZeroU64;
use std::time::Duration;

use rustc_hash::FxHasher;

use crate::model::{BlockedBasis, BlockedFor, Goroutine, Rates};

const MINUTE: Duration = Duration::from_secs(60);

/// Where collections run at all, one runs every two minutes (`forcegcperiod`, `runtime/proc.go`), and a
/// minute later a dump shows for how long a goroutine has waited. With a minute to spare.
const SHOWN_AFTER: Duration = Duration::from_secs(240);

/// A goroutine of a dump, and the place where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) goid: NonZeroU64,
    /// Its index among the goroutines of the dump.
    pub(super) at: u32,
    /// A digest of its stack and its state.
    place: u64,
    /// A digest of who created it and where; 0 where that is not known.
    creator: u64,
    /// For how many minutes it has waited, where the dump says so.
    minutes: Option<u64>,
}

impl Mark {
    pub(super) fn of(
        goid: NonZeroU64,
        at: u32,
        goroutine: &Goroutine,
        minutes: Option<u64>,
    ) -> Self {
        let place = digest((goroutine.stack, goroutine.wait, goroutine.reason));
        let creator = goroutine.created_by.map(|site| digest((site, goroutine.parent)));
        Self { goid, at, place, creator: creator.unwrap_or(0), minutes }
    }
}

fn digest(what: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}

/// What was last seen of a goroutine.
#[derive(Clone, Copy)]
struct Seen {
    goid: NonZeroU64,
    place: u64,
    creator: u64,
    minutes: Option<u64>,
    first: Duration,
    since: Duration,
}

/// Remembers the goroutines of the last dump.
#[derive(Default)]
pub(super) struct Clock {
    /// By id.
    seen: Vec<Seen>,
    /// When the last dump was made, and whether it was whole.
    last: Option<(Duration, bool)>,
    /// How many came and went so far, since when; `None` from the first gap on.
    sums: Option<(u64, u64)>,
    first: Option<Duration>,
}

impl Clock {
    /// Whether a dump is not of the process that the one before is of. No id is given out twice, so that a
    /// goroutine whose creator is another one is another process's. And ids rise: where the highest one fell,
    /// most goroutines were there before. (Not all: each P takes 16 ids at a time, and may use them late.)
    /// `marks` are sorted by id.
    pub(super) fn is_of_another_process(&self, marks: &[Mark]) -> bool {
        let (Some(highest), Some(now)) = (self.seen.last(), marks.last()) else { return false };
        let mut known = 0;
        let mut before = self.seen.iter().peekable();
        for mark in marks {
            while before.next_if(|seen| seen.goid < mark.goid).is_some() {}
            let Some(seen) = before.next_if(|seen| seen.goid == mark.goid) else { continue };
            if seen.creator != mark.creator && seen.creator != 0 && mark.creator != 0 {
                return true;
            }
            known += 1;
        }
        now.goid < highest.goid && known * 2 < marks.len()
    }

    /// Takes in a dump made at `now`, and tells each of its goroutines for how long it has been there and
    /// stood where it stands. `marks` are sorted by id. How many came and went, where the dump and the one
    /// before are whole.
    pub(super) fn tick(
        &mut self,
        now: Duration,
        marks: &[Mark],
        goroutines: &mut [Goroutine],
        is_whole: bool,
    ) -> Option<Rates> {
        if marks.is_empty() {
            *self = Self::default();
            return None;
        }
        let collects = marks.iter().any(|mark| mark.minutes.is_some());
        let step = self.last.map(|(last, _)| now.saturating_sub(last));
        let mut before = std::mem::take(&mut self.seen).into_iter().peekable();
        let gone = before.len() as u64;
        let mut stayed = 0;
        self.seen.reserve_exact(marks.len());
        for mark in marks {
            while before.next_if(|seen| seen.goid < mark.goid).is_some() {}
            let known = before.next_if(|seen| seen.goid == mark.goid);
            stayed += u64::from(known.is_some());
            let here = known.filter(|seen| seen.place == mark.place);
            let stays = here.filter(|seen| !ran(seen, mark, step.unwrap_or_default(), collects));
            let seen = Seen {
                goid: mark.goid,
                place: mark.place,
                creator: mark.creator,
                minutes: mark.minutes,
                first: known.map_or(now, |seen| seen.first),
                since: stays.map_or(now, |seen| seen.since),
            };
            self.seen.push(seen);
            let Some(goroutine) = goroutines.get_mut(mark.at as usize) else { continue };
            goroutine.seen_for = Some(now.saturating_sub(seen.first));
            goroutine.came = step.map(|_| here.is_none());
            if goroutine.wait.is_blocked() {
                goroutine.blocked = Some(blocked_for(now.saturating_sub(seen.since), mark.minutes));
            }
        }
        let was_whole = self.last.is_none_or(|(_, was_whole)| was_whole);
        self.last = Some((now, is_whole));
        if self.first.is_none() {
            (self.first, self.sums) = (Some(now), Some((0, 0)));
        }
        let (came, went) = (marks.len() as u64 - stayed, gone.saturating_sub(stayed));
        let counted = self.sums.filter(|_| is_whole && was_whole);
        self.sums = counted.map(|sums| (sums.0 + came, sums.1 + went));
        self.sums.and(per_second((came, went), step?))
    }

    /// How many came and went since the first dump, by the second; at least.
    pub(super) fn rates_so_far(&self) -> Option<Rates> {
        per_second(self.sums?, self.last?.0.saturating_sub(self.first?))
    }
}

fn per_second((came, went): (u64, u64), time: Duration) -> Option<Rates> {
    let seconds = time.as_secs_f64();
    (seconds > 0.0).then(|| Rates::at_least(came as f64 / seconds, went as f64 / seconds))
}

/// Whether a goroutine that stands where it stood before has run in between: the runtime's clock of its
/// wait was set again.
fn ran(before: &Seen, now: &Mark, step: Duration, collects: bool) -> bool {
    match (before.minutes, now.minutes) {
        // Both are rounded down.
        (Some(before), Some(now)) => {
            now.saturating_add(1) < before.saturating_add(step.as_secs() / 60)
        }
        (Some(_), None) => true,
        (None, Some(now)) => {
            MINUTE.as_secs().saturating_mul(now) < step.saturating_sub(SHOWN_AFTER).as_secs()
        }
        (None, None) => collects && step > SHOWN_AFTER,
    }
}

/// Both are lower bounds: the longer one is nearer to the truth.
fn blocked_for(seen: Duration, minutes: Option<u64>) -> BlockedFor {
    let runtime = MINUTE.saturating_mul(u32::try_from(minutes.unwrap_or(0)).unwrap_or(u32::MAX));
    if runtime > seen {
        BlockedFor { duration: runtime, basis: BlockedBasis::Runtime }
    } else {
        BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen }
    }
}
