//! Any number of targets that come and go, sampled by a few threads, and the sinks that are fed.
//!
//! Where a [`super::Session`] gives each target a thread and all one pace, a pool has as many threads as it is told, whoever
//! is due is sampled next, and each target has an interval of its own (`rhythm`). What all take together is held against
//! what the agent may (`load`): where it is too much, all give way. Where it takes too much memory (`pressure`), windows are kept
//! by fewer samples, and then those targets go in which there is least to see.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::fed::Fed;
use super::load::Load;
use super::pressure::{LEAST_TARGETS, Pressure, Relief};
use super::rhythm::{Cost, Pacing, Rhythm};
use super::{Inbox, Observer, Open, Sink, SinkOutcome, Stop};
use crate::collect::{CollectError, Source};
use crate::model::{Assessment, TargetId, Update, Verdict};

/// After a request to stop, samples that are being taken are not waited for longer than this.
const GRACE: Duration = Duration::from_millis(600);

/// The times of targets that begin together are spread by steps of this share of their interval: whatever their number,
/// they come to lie evenly (the golden ratio).
const SPREAD: f64 = 0.618_033_988_75;

/// What observes a source, once it is open.
pub type Observe = Box<dyn FnOnce(Box<dyn Source>) -> Observer + Send>;

/// What memory the agent may take, and how that is known.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What it may take.
    pub max_bytes: u64,
    /// What it takes; `None` where that cannot be told.
    pub taken: fn() -> Option<u64>,
    /// Gives back what was freed.
    pub give_back: fn(),
}

/// How a target leaves a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is there no more.
    Exited,
    /// It runs on, and is not to be sampled any more.
    Released,
}

/// What became of a target by itself.
#[derive(Debug)]
pub enum Event {
    /// It was sampled for the first time.
    Attached(u64),
    /// It has exited.
    Exited(u64),
    /// It could not be attached to, or no longer be sampled.
    Failed(u64, CollectError),
    /// A defect of the agent.
    Panicked(u64),
    /// It was let go, or not attached to, since the agent takes as much memory as it may.
    NoMemory(u64),
}

/// What is known of a target.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Samples so far.
    pub samples: u64,
    /// From the last sample to the next.
    pub interval: Option<Duration>,
    /// What the last sample took of the agent's processor time.
    pub cpu: Duration,
    /// The last assessment.
    pub last: Option<Arc<Assessment>>,
}

/// A target that waits for its turn.
enum Task {
    Open(Open, Observe),
    Sample(Box<Observer>, Rhythm),
}

#[derive(Default)]
struct Standing {
    progress: Progress,
    id: Option<TargetId>,
    /// It leaves once its sample has been taken.
    departure: Option<Departure>,
}

struct State {
    pacing: Pacing,
    load: Load,
    memory: Memory,
    pressure: Pressure,
    /// Targets that are being attached to.
    opening: usize,
    /// Targets that may be attached to though there is no room: others went for them.
    exchanged: usize,
    /// By when it is due, and its key.
    queue: BTreeMap<(Instant, u64), Task>,
    targets: HashMap<u64, Standing>,
    /// Keys that were given.
    given: u64,
    events: Vec<Event>,
    /// Processor time that attaching took, which is none of what goes on.
    attaching: Duration,
}

struct Shared {
    state: Mutex<State>,
    /// Somebody is due earlier than before, or all is over.
    changed: Condvar,
    inboxes: Arc<[Inbox]>,
    keeps: bool,
    stop: Stop,
}

/// Targets that are sampled, and sinks that are fed.
pub struct Pool {
    shared: Arc<Shared>,
    fed: Fed,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool without targets. It stops when `stop` is requested.
    #[must_use]
    pub fn start(
        pacing: Pacing,
        threads: NonZeroUsize,
        memory: Memory,
        sinks: Vec<Box<dyn Sink>>,
        stop: Stop,
    ) -> Self {
        let mut fed = Fed::new(sinks, &stop);
        let keeps = fed.wants_observations();
        fed.start();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                pacing,
                load: Load::default(),
                memory,
                pressure: Pressure::new(memory.max_bytes),
                opening: 0,
                exchanged: 0,
                queue: BTreeMap::new(),
                targets: HashMap::new(),
                given: 0,
                events: Vec::new(),
                attaching: Duration::ZERO,
            }),
            changed: Condvar::new(),
            inboxes: fed.inboxes(),
            keeps,
            stop: stop.clone(),
        });
        stop.on_request({
            let shared = Arc::clone(&shared);
            move || {
                let _state = shared.lock();
                shared.changed.notify_all();
            }
        });
        let worker = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        };
        let workers = (0..threads.get()).map(worker).collect();
        Self { shared, fed, workers }
    }

    /// Adds a target: what opens its source, and what observes that. Gives its key.
    pub fn add(&self, open: Open, observe: Observe) -> u64 {
        let mut state = self.shared.lock();
        state.given += 1;
        let key = state.given;
        state.targets.insert(key, Standing::default());
        state.queue.insert((Instant::now(), key), Task::Open(open, observe));
        self.shared.changed.notify_one();
        key
    }

    /// Takes a target out. Sinks are told how it left.
    pub fn remove(&self, key: u64, departure: Departure) {
        self.shared.remove(key, departure);
    }

    /// Lets go of a target for another: of those that were sampled at least so often, and in which nothing likely is found, the
    /// one that was sampled most often.
    pub fn exchange(&self, samples: u64) {
        let mut state = self.shared.lock();
        let is_meant = |progress: &Progress| {
            progress.samples >= samples.max(1) && !progress.interest().is_likely
        };
        let meant = state.targets.iter().filter(|(_, it)| is_meant(&it.progress));
        let last = meant.max_by_key(|(_, it)| it.progress.samples).map(|(key, _)| *key);
        // Where only as many are sampled as are whatever they take, its place is free without that.
        if last.is_some() && state.sampled() > LEAST_TARGETS {
            state.exchanged += 1;
        }
        drop(state);
        self.shared.let_go(last);
    }

    /// How many of those that were let go may come again.
    #[must_use]
    pub fn room(&self) -> usize {
        let state = self.shared.lock();
        if state.pressure.is_roomy() {
            return usize::MAX;
        }
        LEAST_TARGETS.saturating_sub(state.targets.len()) + state.exchanged
    }

    /// The agent may take another amount of memory from now on, in bytes.
    pub fn limit(&self, max_bytes: u64) {
        self.shared.lock().pressure.limit(max_bytes);
    }

    /// By how many samples windows are kept at most, and whether the agent takes more memory than it may nevertheless.
    #[must_use]
    pub fn shortened(&self) -> (usize, bool) {
        let state = self.shared.lock();
        (state.pressure.samples(), state.pressure.is_over())
    }

    /// Holds the memory that the agent takes against what it may. To be called every second or so.
    pub fn press(&self) {
        let Memory { taken, give_back, .. } = self.shared.lock().memory;
        let Some(mut bytes) = taken() else { return };
        if self.shared.lock().pressure.is_full(bytes) {
            give_back();
            bytes = taken().unwrap_or(bytes);
        }
        let mut state = self.shared.lock();
        let targets = state.sampled();
        match state.pressure.add(Instant::now(), bytes, targets) {
            Relief::Nothing => {}
            // Those that are being sampled follow with their next sample.
            Relief::Windows => {
                let samples = state.pressure.samples();
                for task in state.queue.values_mut() {
                    if let Task::Sample(observer, _) = task {
                        observer.shorten(samples);
                    }
                }
            }
            Relief::Targets(count) => {
                let mut last = state.by_interest();
                last.truncate(count);
                drop(state);
                self.shared.let_go(last);
            }
        }
    }

    /// What became of targets since this was asked last.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.shared.lock().events)
    }

    /// What is known of each target, by its key.
    #[must_use]
    pub fn progress(&self) -> BTreeMap<u64, Progress> {
        let state = self.shared.lock();
        state.targets.iter().map(|(key, it)| (*key, it.progress.clone())).collect()
    }

    /// Goes on at another pace, from each target's next sample on.
    pub fn pace(&self, pacing: Pacing) {
        self.shared.lock().pacing = pacing;
    }

    /// Holds what the process takes against what it may. To be called every second or so.
    pub fn weigh(&self) {
        let cpu = clock(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        let mut state = self.shared.lock();
        let (attaching, allowed) = (state.attaching, state.pacing.host);
        state.load.add(Instant::now(), cpu.saturating_sub(attaching), allowed);
    }

    /// What the agent took of a processor in the last minute, attaching aside, and how much longer all intervals are made by
    /// that, at least 1.
    #[must_use]
    pub fn load(&self) -> (Option<f64>, f64) {
        let state = self.shared.lock();
        (state.load.share(), state.load.stretch())
    }

    /// Asks everything to stop, and waits for what does not take long.
    #[must_use]
    pub fn end(self) -> Vec<SinkOutcome> {
        let Self { shared, fed, workers } = self;
        shared.stop.request();
        let due = Instant::now() + GRACE;
        while Instant::now() < due && workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(Duration::from_millis(5));
        }
        // What they learned is kept.
        let queue = std::mem::take(&mut shared.lock().queue);
        drop(queue);
        fed.end()
    }
}

/// What became of a task.
enum Turn {
    Sampled(Box<Observer>, Rhythm, Update),
    /// Nothing was seen, which passes.
    Passing(Box<Observer>, Rhythm),
    Exited,
    Failed(CollectError),
}

impl State {
    /// Whether one more target can be attached to, which is begun then.
    fn takes_one_more(&mut self) -> bool {
        let taken = (self.memory.taken)().unwrap_or(0);
        let has_room = self.sampled() + self.opening < LEAST_TARGETS
            || self.pressure.has_room(taken, self.opening + 1);
        if !has_room {
            let Some(fewer) = self.exchanged.checked_sub(1) else { return false };
            self.exchanged = fewer;
        }
        self.opening += 1;
        true
    }

    fn sampled(&self) -> usize {
        self.targets.values().filter(|it| it.progress.samples > 0).count()
    }

    /// Those that are sampled, the one in which there is least to see first.
    fn by_interest(&self) -> Vec<u64> {
        let sampled = self.targets.iter().filter(|(_, it)| it.progress.samples > 0);
        let mut keys: Vec<u64> = sampled.map(|(key, _)| *key).collect();
        keys.sort_by_key(|key| (self.targets[key].progress.interest(), *key));
        keys
    }
}

/// How much there is to see in a target; of two that are alike the larger comes first, as more is freed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Interest {
    is_likely: bool,
    is_suspect: bool,
    interval: Reverse<Option<Duration>>,
    goroutines: Reverse<u64>,
}

impl Progress {
    fn interest(&self) -> Interest {
        let last = self.last.as_deref();
        let findings = last.and_then(|it| it.judgement.as_ref()).map(|it| &it.findings[..]);
        let findings = findings.unwrap_or_default();
        Interest {
            is_likely: findings.iter().any(|it| it.verdict >= Verdict::Likely),
            is_suspect: !findings.is_empty(),
            interval: Reverse(self.interval),
            goroutines: Reverse(last.map_or(0, |it| it.totals.goroutines)),
        }
    }
}

impl Shared {
    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a target out. Sinks are told how it left.
    fn remove(&self, key: u64, departure: Departure) {
        let mut state = self.lock();
        let waiting = state.queue.keys().find(|(_, it)| *it == key).copied();
        match waiting {
            Some(place) => {
                let task = state.queue.remove(&place);
                let standing = state.targets.remove(&key);
                drop(state);
                self.tell(standing.and_then(|it| it.id), departure);
                // What it learned is kept now, and nobody waits for that.
                drop(task);
            }
            None => {
                if let Some(standing) = state.targets.get_mut(&key) {
                    standing.departure = Some(departure);
                }
            }
        }
    }

    /// Takes targets out, since the agent takes too much memory.
    fn let_go(&self, keys: impl IntoIterator<Item = u64>) {
        for key in keys {
            self.remove(key, Departure::Released);
            self.lock().events.push(Event::NoMemory(key));
        }
    }

    fn work(&self) {
        while let Some((key, task)) = self.next() {
            let is_first = matches!(task, Task::Open(..));
            let before = clock(ClockId::CLOCK_THREAD_CPUTIME_ID);
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn(task)));
            let cpu = clock(ClockId::CLOCK_THREAD_CPUTIME_ID).saturating_sub(before);
            self.settle(key, turn.ok(), cpu, is_first);
        }
    }

    /// The target that is due next, which is waited for; `None` once all is over.
    fn next(&self) -> Option<(u64, Task)> {
        let mut state = self.lock();
        loop {
            if self.stop.is_requested() {
                return None;
            }
            let now = Instant::now();
            let due = state.queue.first_key_value().map(|((due, _), _)| *due);
            state = match due {
                Some(due) if due <= now => {
                    let ((_, key), task) = state.queue.pop_first()?;
                    if matches!(task, Task::Open(..)) && !state.takes_one_more() {
                        state.targets.remove(&key);
                        state.events.push(Event::NoMemory(key));
                        continue;
                    }
                    return Some((key, task));
                }
                Some(due) => {
                    let waited = self.changed.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn turn(&self, task: Task) -> Turn {
        let samples = self.lock().pressure.samples();
        let (mut observer, rhythm) = match task {
            Task::Open(open, observe) => match open() {
                Ok(source) => {
                    let observer = observe(source).until(&self.stop).keeping(self.keeps);
                    (Box::new(observer), Rhythm::default())
                }
                Err(error) => return Turn::Failed(error),
            },
            Task::Sample(observer, rhythm) => (observer, rhythm),
        };
        observer.shorten(samples);
        match observer.sample() {
            Ok(Some(update)) => Turn::Sampled(observer, rhythm, update),
            Ok(None) => Turn::Exited,
            Err(error) if error.is_passing() => Turn::Passing(observer, rhythm),
            Err(error) => Turn::Failed(error),
        }
    }

    /// Takes in what became of a target's turn: `None` of a panic.
    fn settle(&self, key: u64, turn: Option<Turn>, cpu: Duration, is_first: bool) {
        let mut state = self.lock();
        if is_first {
            state.attaching += cpu;
            state.opening -= 1;
        }
        let State { pacing, load, queue, targets, events, .. } = &mut *state;
        let Some(standing) = targets.get_mut(&key) else { return };
        let (task, interval) = match turn {
            Some(Turn::Sampled(observer, mut rhythm, update)) => {
                let assessment = &update.assessment;
                let snapshot = assessment.overhead.snapshot.unwrap_or_default();
                // That of the first turn is attaching's.
                let cost = Cost { cpu: if is_first { Duration::ZERO } else { cpu }, snapshot };
                let mut interval = rhythm.next(assessment, cost, pacing, load.stretch());
                standing.id = Some(update.key());
                standing.progress = Progress {
                    samples: standing.progress.samples + 1,
                    interval: Some(interval),
                    cpu,
                    last: Some(Arc::clone(assessment)),
                };
                if is_first {
                    events.push(Event::Attached(key));
                    interval = interval.mul_f64((key as f64 * SPREAD).fract().max(0.05));
                }
                for inbox in self.inboxes.iter() {
                    inbox.put(update.clone());
                }
                (Task::Sample(observer, rhythm), interval)
            }
            Some(Turn::Passing(observer, rhythm)) => (Task::Sample(observer, rhythm), pacing.least),
            ended => {
                let (event, departure) = match ended {
                    Some(Turn::Failed(error)) => (Event::Failed(key, error), Departure::Released),
                    None => (Event::Panicked(key), Departure::Released),
                    _ => (Event::Exited(key), Departure::Exited),
                };
                let departure = standing.departure.unwrap_or(departure);
                events.push(event);
                let standing = targets.remove(&key);
                drop(state);
                return self.tell(standing.and_then(|it| it.id), departure);
            }
        };
        match standing.departure {
            None => {
                queue.insert((Instant::now() + interval, key), task);
                self.changed.notify_one();
            }
            Some(departure) => {
                let standing = targets.remove(&key);
                drop(state);
                self.tell(standing.and_then(|it| it.id), departure);
                drop(task);
            }
        }
    }

    /// Tells sinks that a target has left, if they ever saw it.
    fn tell(&self, id: Option<TargetId>, departure: Departure) {
        let Some(id) = id else { return };
        for inbox in self.inboxes.iter() {
            match departure {
                Departure::Exited => inbox.tell_exit(id.clone()),
                Departure::Released => inbox.tell_release(id.clone()),
            }
        }
    }
}

fn clock(id: ClockId) -> Duration {
    clock_gettime(id).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests;
