//! Whether probes see every creation: each goroutine that came between two snapshots is looked up in
//! the kernel's table. A probe misses what is created by code that it is not on, such as another copy of
//! the Go runtime, and then nothing that it counts is exact.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::clock::Mark;
use super::probes::Slot;
use crate::model::{CoverageNote, Goroutine, Rates};

/// With at least this many missed, it is no accident of reading.
const ENOUGH: u64 = 3;

/// Goroutines that snapshots saw come while creations were watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Births {
    /// Whose creation a probe saw.
    pub(super) seen: u64,
    /// Whose creation none saw.
    pub(super) missed: u64,
}

impl Births {
    /// Those that came between the snapshot before and the one that was begun at `start`, all of the
    /// time with probes attached. The kernel's table was read after it.
    pub(super) fn between(
        start: Duration,
        goroutines: &[Goroutine],
        marks: &[Mark],
        slots: &[Slot],
    ) -> Self {
        let came = |it: &Goroutine| it.came == Some(true) && it.seen_for == Some(Duration::ZERO);
        let born: Vec<(u64, u64)> = goroutines
            .iter()
            .zip(marks)
            .filter(|(goroutine, _)| came(goroutine))
            .filter_map(|(goroutine, mark)| Some((mark.g, goroutine.id()?)))
            .collect();
        let structs: FxHashSet<u64> = born.iter().map(|(g, _)| *g).collect();
        let slots: FxHashMap<u64, &Slot> = slots
            .iter()
            .filter(|slot| structs.contains(&slot.g))
            .map(|slot| (slot.g, slot))
            .collect();
        let mut births = Self::default();
        for (g, goid) in born {
            let slot = slots.get(&g);
            // Its struct has changed hands since: nothing is known of it any more.
            let is_later = |slot: &&&Slot| Duration::from_nanos(slot.created_ns) > start;
            if slot.filter(is_later).is_some() {
                continue;
            }
            // The id is not known before the first park, in some versions.
            let is_its = |slot: &&&Slot| slot.goid == goid || slot.goid == 0;
            match slot.filter(is_its) {
                Some(slot) if slot.created_ns != 0 => births.seen += 1,
                _ => births.missed += 1,
            }
        }
        births
    }

    pub(super) fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.missed += other.missed;
    }

    /// Whether probes are known to miss some.
    pub(super) const fn disagree(&self) -> bool {
        self.missed >= ENOUGH
    }

    /// What there is to say of it.
    pub(super) fn note(self) -> Option<CoverageNote> {
        let Self { seen, missed } = self;
        self.disagree().then_some(CoverageNote::BirthsMissed { seen, missed })
    }
}

/// What probes that miss some counted, with what they are known to have missed in `seconds`.
pub(super) fn bound(counted: Rates, missed: u64, seconds: f64) -> Rates {
    let more = if seconds > 0.0 { missed as f64 / seconds } else { 0.0 };
    Rates::at_least(counted.created_per_second + more, counted.exited_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{StackView, WaitClass};
    use crate::sample::Sample;

    const START: Duration = Duration::from_secs(9);

    fn slot(g: u64, goid: u64, created: u64) -> Slot {
        let created_ns = Duration::from_secs(created).as_nanos() as u64;
        Slot { g, goid, created_ns, ..Slot::default() }
    }

    /// Goroutine 1 was there before, the others came.
    fn births(slots: &[Slot]) -> Births {
        let mut sample = Sample::new();
        for goid in 1..=3 {
            let goroutine = sample.add(goid, WaitClass::Select, StackView::Running);
            let is_new = goid > 1;
            goroutine.came = Some(is_new);
            goroutine.seen_for = Some(Duration::from_secs(u64::from(!is_new)));
        }
        let mark = |g| Mark { g, slot: 0, place: 0, stops: None, wait_since_ns: 0 };
        let marks = [mark(10), mark(20), mark(30)];
        Births::between(START, &sample.observe(9).goroutines, &marks, slots)
    }

    #[test]
    fn those_that_came_are_looked_up() {
        assert_eq!(births(&[]), Births { seen: 0, missed: 2 });
        let both = [slot(20, 2, 8), slot(30, 0, 8)];
        assert_eq!(births(&both), Births { seen: 2, missed: 0 });
        let predecessor = [slot(20, 2, 8), slot(30, 1, 5)];
        assert_eq!(births(&predecessor), Births { seen: 1, missed: 1 });
        let parked_only = [slot(20, 2, 0), slot(30, 3, 8)];
        assert_eq!(births(&parked_only), Births { seen: 1, missed: 1 });
        let successor = [slot(20, 2, 8), slot(30, 4, 10)];
        assert_eq!(births(&successor), Births { seen: 1, missed: 0 });
    }

    #[test]
    fn some_that_were_missed_make_it_a_lower_bound() {
        let mut births = Births { seen: 100, missed: 2 };
        assert!(births.note().is_none());
        births.add(Births { seen: 1, missed: 1 });
        assert_eq!(births.note(), Some(CoverageNote::BirthsMissed { seen: 101, missed: 3 }));
        let rates = bound(Rates::at_least(10.0, 1.0), 3, 2.0);
        assert_eq!((rates.created_per_second, rates.exited_per_second), (11.5, 1.0));
    }
}
