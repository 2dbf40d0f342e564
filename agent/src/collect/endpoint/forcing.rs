//! Collections of garbage that are asked for (`heap?gc=1`), and what is measured around them.
//!
//! The window's first sample is the floor. Right after a sample shortly before the window's end, collections
//! are asked for one after the other: what a finalizer or cleanup lets go is found by the next. A later
//! sample, before which garbage is collected once more, measures what was gone.

use std::time::{Duration, Instant};

use super::life;
use crate::error_chain;
use crate::http::{Client, Url};
use crate::model::{Around, ForcedCollection, MIN_PILED_UP, MIN_PILED_UP_BYTES, Measured};
use crate::profile::memstats::MemStats;

/// When to force collections, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forcing {
    /// How many are asked for one after the other.
    pub cycles: u32,
    /// For how long what they end is waited for before it is measured.
    pub wait: Duration,
    /// By how many percent of the floor goroutines or the heap have to have grown.
    pub threshold_percent: u32,
    /// How long after the first sample they are asked for.
    pub due: Duration,
    /// From when on no other sample may come, so that it is measured whatever the wait was.
    pub end: Duration,
}

/// The collections of a window.
#[derive(Debug)]
pub(super) struct Collections {
    forcing: Forcing,
    state: ForcedCollection,
    floor: Option<Amounts>,
    /// Once they were made.
    made: Option<Made>,
    /// What the program said of its memory at the last one.
    last: Option<MemStats>,
}

/// What there is at one moment.
#[derive(Clone, Debug)]
struct Amounts {
    goroutines: u64,
    memory: MemStats,
}

#[derive(Debug)]
struct Made {
    before: Amounts,
    /// Bytes of the heap right after them.
    heap_bytes: u64,
    at: Instant,
}

impl Collections {
    pub(super) const fn new(forcing: Forcing) -> Self {
        Self { forcing, state: ForcedCollection::Due, floor: None, made: None, last: None }
    }

    /// Another program is there: nothing of before is of it.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::new(self.forcing);
    }

    /// What is to be done before a sample is taken.
    pub(super) fn before_sample(&mut self, client: &Client, base: &Url, elapsed: Duration) {
        let Some(made) = self.made.as_ref().filter(|_| self.state == ForcedCollection::Made) else {
            return;
        };
        if made.at.elapsed() >= self.forcing.wait || elapsed >= self.forcing.end {
            match collect(client, base) {
                Ok(memory) => self.last = Some(memory),
                Err(why) => self.state = ForcedCollection::Failed { why },
            }
        }
    }

    /// What is to be done after a sample was taken, which has so many goroutines; and how far it is.
    pub(super) fn after_sample(
        &mut self,
        client: &Client,
        base: &Url,
        (goroutines, elapsed): (u64, Duration),
    ) -> ForcedCollection {
        match &self.state {
            ForcedCollection::Due if self.floor.is_none() => match memory(client, base, MEMORY) {
                Ok(memory) => self.floor = Some(Amounts { goroutines, memory }),
                Err(why) => self.state = ForcedCollection::Failed { why },
            },
            ForcedCollection::Due if elapsed >= self.forcing.due => {
                self.state = self
                    .make(client, base, goroutines)
                    .unwrap_or_else(|why| ForcedCollection::Failed { why });
            }
            ForcedCollection::Made => {
                if let Some(last) = self.last.take() {
                    self.state = self.measured(goroutines, &last);
                }
            }
            _ => {}
        }
        self.state.clone()
    }

    /// Asks for collections, if something has piled up.
    fn make(
        &mut self,
        client: &Client,
        base: &Url,
        goroutines: u64,
    ) -> Result<ForcedCollection, String> {
        let Forcing { cycles, threshold_percent, .. } = self.forcing;
        let Some(floor) = &self.floor else { return Ok(ForcedCollection::Due) };
        let before = Amounts { goroutines, memory: memory(client, base, MEMORY)? };
        same_program(&floor.memory, &before.memory)?;
        let amounts =
            |of: fn(&Amounts) -> u64| Around { floor: of(floor), before: of(&before), after: 0 };
        let goroutines = amounts(|it| it.goroutines);
        let heap = amounts(|it| it.memory.heap_bytes);
        if !goroutines.has_piled_up(threshold_percent, MIN_PILED_UP)
            && !heap.has_piled_up(threshold_percent, MIN_PILED_UP_BYTES)
        {
            return Ok(ForcedCollection::NothingPiledUp { threshold_percent });
        }
        let mut last = before.memory.clone();
        for _ in 0..cycles {
            last = collect(client, base)?;
        }
        same_program(&before.memory, &last)?;
        let (asked, seen) = (u64::from(cycles), last.collections - before.memory.collections);
        if seen < asked {
            return Ok(ForcedCollection::Ignored { asked, seen });
        }
        let heap_bytes = last.heap_bytes;
        self.made = Some(Made { before, heap_bytes, at: Instant::now() });
        Ok(ForcedCollection::Made)
    }

    fn measured(&self, goroutines: u64, after: &MemStats) -> ForcedCollection {
        let (Some(floor), Some(made)) = (&self.floor, &self.made) else {
            return ForcedCollection::Due;
        };
        let Made { before, heap_bytes, at } = made;
        if let Err(why) = same_program(&before.memory, after) {
            return ForcedCollection::Failed { why };
        }
        ForcedCollection::Measured(Measured {
            asked: u64::from(self.forcing.cycles) + 1,
            seen: after.collections - before.memory.collections,
            waited: at.elapsed(),
            threshold_percent: self.forcing.threshold_percent,
            goroutines: Around {
                floor: floor.goroutines,
                before: before.goroutines,
                after: goroutines,
            },
            heap_bytes: Around {
                floor: floor.memory.heap_bytes,
                before: before.memory.heap_bytes,
                // What was allocated since is none of what had piled up.
                after: after.heap_bytes.min(*heap_bytes),
            },
        })
    }
}

/// What a program says of its memory, and how it is asked to collect garbage first.
const MEMORY: &str = "heap?debug=1";
const COLLECT: &str = "heap?gc=1&debug=1";

fn collect(client: &Client, base: &Url) -> Result<MemStats, String> {
    memory(client, base, COLLECT)
}

fn memory(client: &Client, base: &Url, page: &str) -> Result<MemStats, String> {
    match life::memory(client, base, page) {
        Ok(Some(memory)) => Ok(memory),
        Ok(None) => Err(format!("{page} is not served, or says nothing of the program's memory")),
        Err(error) => Err(error_chain::one_line(&error)),
    }
}

/// That both are of one program, as far as is known.
fn same_program(earlier: &MemStats, now: &MemStats) -> Result<(), String> {
    match now.is_of_same_program(earlier) {
        Some(false) => {
            Err("another program, or another instance of it, answered in between".to_owned())
        }
        _ => Ok(()),
    }
}
