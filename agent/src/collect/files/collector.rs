//! Takes the goroutines of one text after another and tells where in it one dump ends and the next begins.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::model::{Observation, ProfileForm, Target, Timestamp};
use crate::profile::intake::{Intake, Moment};
use crate::profile::{Reading, Record, Take};

/// Between two dumps of which nothing says when they were made.
pub(super) const STEP: Duration = Duration::from_secs(1);

/// What is said of all dumps of one file.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) target: Arc<Target>,
    pub(super) form: ProfileForm,
    pub(super) only_leaked: bool,
    /// When the first of them was made; `None` where that is not known.
    pub(super) at: Option<Timestamp>,
}

/// Ids that are remembered of one dump. Of a larger one, later repetitions are not noticed.
const MAX_IDS: usize = 1 << 20;

/// Makes observations of a series.
///
/// A dump has each goroutine once: an id that comes again is one of the next dump. (But for those that are on
/// a thread: where a process is killed, each of its threads prints its own again.) The goroutine that makes a
/// dump comes first in it and runs, so that the last one that ran belongs to that next dump too.
pub(super) struct Collector {
    intake: Intake,
    origin: Origin,
    /// Those of the dump that is being read whose stacks it has.
    ids: FxHashSet<NonZeroU64>,
    /// What was read from the last one on that ran.
    latest: Option<Latest>,
    taken: u64,
    /// Whether one of them does not run: else they are stacks of single goroutines, as errors are logged with.
    has_waiting: bool,
    /// What the log says of when the text was written that is read at the moment.
    pub(super) stamp: Option<Timestamp>,
    /// The same of when the dump began, and when the file's first one did.
    begun: Option<Timestamp>,
    first_stamp: Option<Timestamp>,
    /// Dumps of the file that were made into observations.
    of_file: u64,
    clock: Clock,
    done: VecDeque<Observation>,
}

/// What may be the beginning of the next dump.
#[derive(Default)]
struct Latest {
    ids: FxHashSet<NonZeroU64>,
    /// What the log says of when it was written.
    stamp: Option<Timestamp>,
    has_waiting: bool,
    /// Whether what came before it has one that does not run.
    had_waiting: bool,
}

/// The series' own time.
#[derive(Default)]
struct Clock {
    first: Option<Timestamp>,
    last: Option<(Timestamp, Duration)>,
    /// Whether some times are not known.
    guesses: bool,
}

impl Collector {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            intake: Intake::default(),
            origin,
            ids: FxHashSet::default(),
            latest: None,
            taken: 0,
            has_waiting: false,
            stamp: None,
            begun: None,
            first_stamp: None,
            of_file: 0,
            clock: Clock::default(),
            done: VecDeque::new(),
        }
    }

    /// Begins with another file.
    pub(super) fn begin(&mut self, origin: Origin) {
        self.origin = origin;
        self.forget_dump();
        (self.stamp, self.first_stamp, self.of_file) = (None, None, 0);
    }

    /// Ends the file, and says whether there was anything in it.
    pub(super) fn end(&mut self, reading: &Reading) -> bool {
        if self.taken > 0 {
            self.close(reading);
        }
        self.of_file > 0
    }

    /// Where sites of contention are taken.
    pub(super) const fn intake(&mut self) -> &mut Intake {
        &mut self.intake
    }

    /// Makes an observation of contention alone.
    pub(super) fn close_contention(&mut self) {
        let Made { target, at, elapsed, .. } = self.moment();
        let observation = self.intake.observation_of_contention(target, at, elapsed);
        self.done.push_back(observation);
        self.of_file += 1;
    }

    /// The next observation that is whole.
    pub(super) fn next(&mut self) -> Option<Observation> {
        self.done.pop_front()
    }

    /// Whether some times of the series are not known.
    pub(super) const fn guesses_times(&self) -> bool {
        self.clock.guesses
    }

    fn forget_dump(&mut self) {
        self.ids.clear();
        (self.latest, self.taken, self.has_waiting, self.begun) = (None, 0, false, None);
        self.intake.drop_sample();
    }

    /// Another dump has begun: with the last goroutine that ran, or with the one that comes.
    fn split(&mut self) {
        let latest = self.latest.take();
        let is_dump = latest.as_ref().map_or(self.has_waiting, |latest| latest.had_waiting);
        if is_dump {
            let moment = self.moment();
            let reading = Reading::default();
            let observation = self.intake.observation_before_mark(moment.of(&reading));
            self.done.push_back(observation);
            self.of_file += 1;
        } else {
            self.intake.drop_before_mark();
        }
        let Latest { ids, stamp, has_waiting, .. } = latest.unwrap_or_default();
        self.taken = ids.len() as u64;
        (self.ids, self.has_waiting) = (ids, has_waiting);
        self.begun = stamp.or(self.stamp);
    }

    fn close(&mut self, reading: &Reading) {
        let moment = self.moment();
        let observation = self.intake.observation(moment.of(reading));
        self.done.push_back(observation);
        self.of_file += 1;
        self.forget_dump();
    }

    /// Of whom the dump is, and when it was made.
    fn moment(&mut self) -> Made {
        self.first_stamp = self.first_stamp.or(self.begun);
        let since = self.begun.zip(self.first_stamp).map(|(now, first)| {
            Duration::from_nanos(u64::try_from(now.unix_ns() - first.unix_ns()).unwrap_or(0))
        });
        let is_known = self.of_file == 0 || since.is_some();
        let at = self.origin.at.filter(|_| is_known).map(|at| after(at, since.unwrap_or_default()));
        let (at, elapsed) = self.clock.tick(at);
        let Origin { form, only_leaked, .. } = self.origin;
        let target = Arc::clone(&self.origin.target);
        Made { target, at, elapsed, form, only_leaked }
    }
}

struct Made {
    target: Arc<Target>,
    at: Timestamp,
    elapsed: Duration,
    form: ProfileForm,
    only_leaked: bool,
}

impl Made {
    fn of(self, reading: &Reading) -> Moment<'_> {
        let Self { target, at, elapsed, form, only_leaked } = self;
        Moment { target, at, elapsed, form, only_leaked, reading }
    }
}

impl Clock {
    /// The time of the next dump, and how long after the first that is. Never earlier than the one before.
    fn tick(&mut self, at: Option<Timestamp>) -> (Timestamp, Duration) {
        let (at, elapsed) = match (at, self.first, self.last) {
            (Some(at), Some(first), Some((before, elapsed))) => {
                let since =
                    u64::try_from(at.unix_ns().saturating_sub(first.unix_ns())).unwrap_or(0);
                (at.max(before), Duration::from_nanos(since).max(elapsed))
            }
            (None, _, Some((before, elapsed))) => {
                self.guesses = true;
                (after(before, STEP), elapsed + STEP)
            }
            (at, ..) => (at.unwrap_or(Timestamp::from_unix_ns(0)), Duration::ZERO),
        };
        self.first = self.first.or(Some(at));
        self.last = Some((at, elapsed));
        (at, elapsed)
    }
}

fn after(at: Timestamp, time: Duration) -> Timestamp {
    let ns = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ns(at.unix_ns().saturating_add(ns))
}

impl Take for Collector {
    fn take(&mut self, record: &Record<'_>) {
        let text = record.state.map_or("", |state| state.text);
        let is_running = text == "running";
        if let Some(goid) = record.goid.filter(|_| !record.stack.is_empty()) {
            if self.ids.contains(&goid) && !is_running && text != "syscall" {
                self.split();
            }
            if self.ids.len() < MAX_IDS {
                self.ids.insert(goid);
            }
            if is_running && self.taken > 0 {
                self.intake.mark();
                self.latest = Some(Latest {
                    stamp: self.stamp,
                    had_waiting: self.has_waiting,
                    ..Latest::default()
                });
            }
            if let Some(latest) = &mut self.latest {
                if latest.ids.len() < MAX_IDS {
                    latest.ids.insert(goid);
                }
                latest.has_waiting |= !is_running;
            }
        }
        if self.taken == 0 {
            self.begun = self.stamp;
        }
        self.has_waiting |= !is_running;
        self.taken += 1;
        self.intake.take(record);
    }
}
