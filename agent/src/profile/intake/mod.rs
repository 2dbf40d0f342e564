//! From the records of one profile after another to observations: one [`Intake`] for each series of
//! profiles of one program.
//!
//! A dump has many goroutines and few distinct stacks, so that a stack is searched by its text before
//! anything is made of it, and goroutines without an id, or beyond a bound, are counted together.

mod clock;
mod fold;
mod labels;
mod stacks;
mod states;

use std::sync::Arc;
use std::time::Duration;

use super::{Reading, Record, Take};
use crate::model::{
    BlockedBasis, BlockedFor, Coverage, Goroutine, ObjectRange, Observation, Overhead,
    ProfileCoverage, ProfileFault, ProfileForm, StackView, Status, Target, Timestamp,
};

use clock::{Clock, Mark};
use fold::Folded;
use labels::Labels;
use stacks::Stacks;
use states::States;

/// Goroutines that are kept one by one; those beyond are counted together.
const MAX_APART: usize = 1 << 20;

/// Takes the records of one profile after another, and makes an observation of each.
pub struct Intake {
    stacks: Stacks,
    states: States,
    clock: Clock,
    sample: Sample,
    max_apart: usize,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            stacks: Stacks::default(),
            states: States::default(),
            clock: Clock::default(),
            sample: Sample::default(),
            max_apart: MAX_APART,
        }
    }
}

/// What was taken of the profile that is being read.
#[derive(Default)]
struct Sample {
    goroutines: Vec<Goroutine>,
    /// Of those among them that have ids, in the same order.
    marks: Vec<Mark>,
    folded: Folded,
    labels: Labels,
    /// Goroutines with an id that were counted with others.
    folded_ids: u64,
    stacks_left_out: u64,
    /// Records whose count no process reaches.
    absurd: u64,
}

/// What an observation is made of beside the records that were taken.
pub struct Moment<'a> {
    /// Of whom.
    pub target: Arc<Target>,
    /// When the profile was made, by the wall clock.
    pub at: Timestamp,
    /// How long after the series' first profile.
    pub elapsed: Duration,
    /// The form of the profile.
    pub form: ProfileForm,
    /// Whether it is a profile of leaked goroutines alone (`goroutineleak`).
    pub only_leaked: bool,
    /// What its reader said at the end.
    pub reading: &'a Reading,
}

impl Intake {
    /// Forgets who was there: the program was started anew. Stacks keep their ids.
    pub fn begin_anew(&mut self) {
        self.clock = Clock::default();
    }

    /// Forgets what was taken since the last observation, as of a profile that could not be read.
    pub fn drop_sample(&mut self) {
        self.sample = Sample::default();
    }

    /// The observation that the records since the one before make.
    pub fn observation(&mut self, moment: Moment<'_>) -> Observation {
        let Moment { target, at, elapsed, form, only_leaked, reading } = moment;
        let mut sample = std::mem::take(&mut self.sample);
        if only_leaked {
            sample.goroutines.iter_mut().for_each(|goroutine| goroutine.status = Status::Leaked);
        }
        let repeated = sample.drop_repeated();
        // Who came and went is known where each is there with its id.
        let is_whole = sample.folded.is_empty() && !reading.cut_short;
        let rates = self.clock.tick(elapsed, &sample.marks, &mut sample.goroutines, is_whole);
        let read = sample.coverage(ProfileCoverage { repeated, only_leaked, ..of(form, reading) });
        let mut coverage = Coverage { profile: Some(read), ..Coverage::default() };
        sample.count(&mut coverage);
        coverage.goroutines_seen = coverage.goroutines_seen.max(reading.announced.unwrap_or(0));
        Observation {
            at,
            elapsed,
            uptime: None,
            target,
            rates_so_far: rates.and_then(|_| self.clock.rates_so_far()),
            rates,
            goroutines: sample.goroutines,
            stacks: self.stacks.table(),
            reasons: self.states.reasons(),
            objects: Vec::new(),
            channels: Vec::new(),
            mentions: Vec::new(),
            labels: sample.labels.into_sets(),
            sites: Vec::new(),
            contention: None,
            coverage,
            overhead: Overhead::default(),
        }
    }
}

/// What a reader said, as the coverage keeps it.
fn of(form: ProfileForm, reading: &Reading) -> ProfileCoverage {
    let fault = reading.first_fault.as_ref();
    ProfileCoverage {
        bytes: reading.bytes,
        announced: reading.announced,
        other_lines: reading.other_lines,
        faults: reading.faults,
        first_fault: fault
            .map(|fault| ProfileFault { at: Some(fault.at), what: fault.what.to_owned() }),
        cut_short: reading.cut_short,
        ..ProfileCoverage::of(form)
    }
}

impl Take for Intake {
    fn take(&mut self, record: &Record<'_>) {
        let Ok(weight) = u32::try_from(record.count) else {
            self.sample.absurd += 1;
            return;
        };
        if weight == 0 {
            return;
        }
        let stack = self.stacks.find(record);
        let state = self.states.of(record);
        self.sample.stacks_left_out += if stack.left_out { u64::from(weight) } else { 0 };
        let minutes = record.state.and_then(|state| state.minutes);
        let goroutine = Goroutine {
            goid: record.goid,
            parent: record.created_by.and_then(|site| site.parent),
            objects: ObjectRange::default(),
            stack: match stack.view {
                StackView::NotUnwound if state.status == Status::Running => StackView::Running,
                view => view,
            },
            created_by: stack.created_by,
            started_in: stack.started_in,
            labels: self.sample.labels.of(record.labels),
            reason: state.reason,
            wait: state.wait,
            status: state.status,
            locked_to_thread: record.state.is_some_and(|state| state.locked_to_thread),
            blocked: minutes.filter(|_| state.wait.is_blocked()).map(blocked_for),
            age: None,
            seen_for: None,
            came: None,
            parks: None,
            stack_bytes: None,
            weight,
        };
        let has_room = self.sample.marks.len() < self.max_apart;
        self.sample.take(goroutine, minutes, has_room);
    }
}

/// The runtime says whole minutes.
fn blocked_for(minutes: u64) -> BlockedFor {
    let duration = Duration::from_secs(minutes.saturating_mul(60));
    BlockedFor { duration, basis: BlockedBasis::Runtime }
}

impl Sample {
    fn take(&mut self, goroutine: Goroutine, minutes: Option<u64>, has_room: bool) {
        let is_one = goroutine.goid.is_some() && goroutine.weight == 1;
        if let Some(goid) = goroutine.goid.filter(|_| is_one && has_room) {
            let at = u32::try_from(self.goroutines.len()).unwrap_or(u32::MAX);
            self.marks.push(Mark::of(goid, at, &goroutine, minutes));
            self.goroutines.push(goroutine);
            return;
        }
        self.folded_ids += u64::from(is_one);
        let weight = u64::from(goroutine.weight);
        let is_kept = self.folded.take(goroutine, &mut self.goroutines);
        self.stacks_left_out += if is_kept { 0 } else { weight };
    }

    /// Drops those whose id another one before them has, and says how many there were.
    fn drop_repeated(&mut self) -> u64 {
        self.marks.sort_unstable();
        let mut gone: Vec<u32> = Vec::new();
        self.marks.dedup_by(|later, first| {
            let is_same = later.goid == first.goid;
            if is_same {
                gone.push(later.at);
            }
            is_same
        });
        if gone.is_empty() {
            return 0;
        }
        gone.sort_unstable();
        let mut at = 0;
        self.goroutines.retain(|_| {
            at += 1;
            gone.binary_search(&(at - 1)).is_err()
        });
        for mark in &mut self.marks {
            mark.at -= gone.partition_point(|&gone| gone < mark.at) as u32;
        }
        gone.len() as u64
    }

    fn coverage(&self, mut read: ProfileCoverage) -> ProfileCoverage {
        read.folded = self.folded_ids;
        read.stacks_left_out = self.stacks_left_out;
        read.faults = read.faults.saturating_add(self.absurd);
        if self.absurd > 0 && read.first_fault.is_none() {
            let what = "a count that no process reaches".to_owned();
            read.first_fault = Some(ProfileFault { at: None, what });
        }
        read
    }

    fn count(&self, coverage: &mut Coverage) {
        for goroutine in &self.goroutines {
            let weight = u64::from(goroutine.weight);
            coverage.goroutines_seen += weight;
            *match goroutine.stack {
                StackView::Read(_) => &mut coverage.goroutines_read,
                StackView::Running => &mut coverage.running,
                StackView::Torn => &mut coverage.torn,
                StackView::NotUnwound => &mut coverage.not_unwound,
            } += weight;
        }
    }
}

#[cfg(test)]
mod tests;
