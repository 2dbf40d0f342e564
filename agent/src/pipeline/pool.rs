//! Any number of targets that come and go, sampled by a few threads, and the sinks that are fed.
//!
//! Where a [`super::Session`] gives each target a thread and all one pace, a pool has as many threads as it is told, whoever
//! is due is sampled next, and each target has an interval of its own (`rhythm`). What all take together is held against
//! what the agent may (`load`): where it is too much, all give way.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::fed::Fed;
use super::load::Load;
use super::rhythm::{Cost, Pacing, Rhythm};
use super::{Inbox, Observer, Open, Sink, SinkOutcome, Stop};
use crate::collect::{CollectError, Source};
use crate::model::{Assessment, TargetId, Update};

/// After a request to stop, samples that are being taken are not waited for longer than this.
const GRACE: Duration = Duration::from_millis(600);

/// The times of targets that begin together are spread by steps of this share of their interval: whatever their number,
/// they come to lie evenly (the golden ratio).
const SPREAD: f64 = 0.618_033_988_75;

/// What observes a source, once it is open.
pub type Observe = Box<dyn FnOnce(Box<dyn Source>) -> Observer + Send>;

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
        let mut state = self.shared.lock();
        let waiting = state.queue.keys().find(|(_, it)| *it == key).copied();
        match waiting {
            Some(place) => {
                let task = state.queue.remove(&place);
                let standing = state.targets.remove(&key);
                drop(state);
                self.shared.tell(standing.and_then(|it| it.id), departure);
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

impl Shared {
    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
