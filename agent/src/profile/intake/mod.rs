//! From the records of one profile after another to observations: one [`Intake`] for each series of
//! profiles of one program.
//!
//! A dump has many goroutines and few distinct stacks, so that a stack is searched by its text before
//! anything is made of it, and goroutines without an id, or beyond a bound, are counted together.

mod clock;
mod contention;
mod fold;
mod heap;
mod labels;
mod stacks;
mod states;

use std::sync::Arc;
use std::time::Duration;

use super::proto::{self, Kind};
use super::{Reading, Record, Take};
use crate::model::{
    BlockedBasis, BlockedFor, Coverage, CoverageNote, FrameId, Goroutine, ObjectRange, Observation,
    Overhead, ProfileCoverage, ProfileFault, ProfileForm, Resources, StackTable, StackView, Status,
    Target, Timestamp,
};

use clock::{Clock, Mark};
use fold::Folded;
use labels::Labels;
use stacks::Stacks;
use states::States;

/// Goroutines that are kept one by one; those beyond are counted together.
const MAX_APART: usize = 1 << 20;

/// No process says that it has as many.
const MAX_GOROUTINES: u64 = 1 << 40;

/// What is wrong with a leaked goroutine that has no stack.
const EMPTY_PLACE: &str = "a leaked goroutine without a stack: Go counts the main goroutine in \
                           select {} and does not show it";

/// Takes the records of one profile after another, and makes an observation of each.
pub struct Intake {
    stacks: Stacks,
    states: States,
    clock: Clock,
    sample: Sample,
    contention: contention::Tally,
    heap: heap::Profiled,
    generation: u32,
    max_apart: usize,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            stacks: Stacks::default(),
            states: States::default(),
            clock: Clock::default(),
            sample: Sample::default(),
            contention: contention::Tally::default(),
            heap: heap::Profiled::default(),
            generation: 0,
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
    /// How many goroutines and marks there were when another profile may have begun.
    mark: Option<(usize, usize)>,
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
    /// The program was started anew: forgets who was there. The target of what follows is another
    /// generation. Ids that cannot be the same process's tell it too.
    pub fn begin_anew(&mut self) {
        self.clock = Clock::default();
        self.contention = contention::Tally::default();
        self.generation += 1;
    }

    /// From the next record on, another profile may have begun.
    pub fn mark(&mut self) {
        let Sample { goroutines, marks, folded, mark, .. } = &mut self.sample;
        *mark = folded.is_empty().then_some((goroutines.len(), marks.len()));
    }

    /// The observation that the records up to the mark make, or all of them without one.
    pub fn observation_before_mark(&mut self, moment: Moment<'_>) -> Observation {
        let rest = self.sample.split();
        let observation = self.observation(moment);
        self.sample = rest;
        observation
    }

    /// Forgets the records up to the mark, or all of them without one.
    pub fn drop_before_mark(&mut self) {
        self.sample = self.sample.split();
    }

    /// Forgets what was taken since the last observation, as of a profile that could not be read.
    pub fn drop_sample(&mut self) {
        self.sample = Sample::default();
    }

    /// Takes a site of a block or mutex profile, which [`Self::end_contention`] ends.
    pub fn take_contention(&mut self, site: &proto::Contention<'_>) {
        self.contention.take(&mut self.stacks, site);
    }

    /// Forgets the sites of a block or mutex profile that could not be read.
    pub fn drop_contention(&mut self) {
        self.contention.forget();
    }

    /// Ends a block or mutex profile, which counts since the program started, or `over` a part of its time:
    /// observations have it from now on. Whether it says how often, and how long.
    pub fn end_contention(&mut self, kind: Kind, over: Option<Duration>) -> bool {
        self.contention.end(kind, over)
    }

    /// An observation of block and mutex profiles alone, without any goroutines.
    pub fn observation_of_contention(
        &mut self,
        target: Arc<Target>,
        at: Timestamp,
        elapsed: Duration,
    ) -> Observation {
        let form = ProfileForm::Counts;
        let reading = &Reading::default();
        let moment = Moment { target, at, elapsed, form, only_leaked: false, reading };
        let mut observation = self.observation(moment);
        observation.rates = None;
        observation.rates_so_far = None;
        observation.coverage.profile = None;
        observation.coverage.notes = vec![CoverageNote::NoGoroutines];
        observation
    }

    /// The observation that the records since the one before make.
    pub fn observation(&mut self, moment: Moment<'_>) -> Observation {
        let Moment { mut target, at, elapsed, form, only_leaked, reading } = moment;
        let mut sample = std::mem::take(&mut self.sample);
        let mut empty = 0;
        if only_leaked {
            if !reading.of_agent {
                empty = sample.drop_empty(&self.stacks.table());
            }
            // Whoever wrote it says so of each, where it says anything of each.
            let tells = |it: &&mut Goroutine| !it.proven && it.status != Status::Leaked;
            for goroutine in sample.goroutines.iter_mut().filter(tells) {
                match reading.of_agent {
                    true => goroutine.proven = true,
                    false => goroutine.status = Status::Leaked,
                }
            }
        }
        let repeated = sample.drop_repeated();
        if self.clock.is_of_another_process(&sample.marks) {
            self.begin_anew();
        }
        if self.generation > 0 {
            Arc::make_mut(&mut target).id.generation = self.generation;
        }
        // Who came and went is known where each is there with its id.
        let is_whole = sample.folded.is_empty() && !reading.cut_short;
        let rates = self.clock.tick(elapsed, &sample.marks, &mut sample.goroutines, is_whole);
        let mut read =
            sample.coverage(ProfileCoverage { repeated, only_leaked, ..of(form, reading) });
        read.faults += empty;
        if empty > 0 {
            let what = EMPTY_PLACE.to_owned();
            read.first_fault.get_or_insert(ProfileFault { at: None, what });
        }
        let mut coverage = Coverage { profile: Some(read), ..Coverage::default() };
        sample.count(&mut coverage);
        let announced = reading.announced.filter(|&count| count < MAX_GOROUTINES);
        coverage.goroutines_seen = coverage.goroutines_seen.max(announced.unwrap_or(0));
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
            contention: self.contention.contention(elapsed),
            resources: Resources::default(),
            memory: self.heap.memory(),
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
        of_agent: reading.of_agent,
        ..ProfileCoverage::of(form)
    }
}

impl Take for Intake {
    fn take(&mut self, record: &Record<'_>) {
        let weight = record.count;
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
            proven: record.state.is_some_and(|state| state.proven),
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

    /// Parts what was taken since the mark from the rest.
    fn split(&mut self) -> Self {
        let mark = self.mark.take().filter(|_| self.folded.is_empty());
        let Some((goroutines, marks)) = mark else { return Self::default() };
        let mut rest = Self {
            goroutines: self.goroutines.split_off(goroutines),
            marks: self.marks.split_off(marks),
            labels: self.labels.clone(),
            ..Self::default()
        };
        for mark in &mut rest.marks {
            mark.at -= goroutines as u32;
        }
        rest
    }

    /// Drops what is counted of goroutines that have no stack, and says how many they were: in a profile of leaked ones
    /// Go leaves a place empty for the main goroutine, which it counts in `select {}` and does not show
    /// (`findGoroutineLeaks`, `runtime/mgc.go`, Go 1.26 and 1.27).
    fn drop_empty(&mut self, stacks: &StackTable) -> u64 {
        let mut empty = 0;
        let is_nowhere = |frame: &FrameId| stacks.lookup(*frame).is_err_and(|pc| pc == 0);
        self.goroutines.retain(|it| {
            let frames = it.stack.id().map_or(&[][..], |stack| stacks.frames_of(stack));
            let is_kept = it.goid.is_some() || !frames.iter().all(is_nowhere);
            empty += if is_kept { 0 } else { u64::from(it.weight) };
            is_kept
        });
        empty
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
