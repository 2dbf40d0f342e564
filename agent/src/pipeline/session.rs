//! A session: targets, each sampled on a thread of its own at one pace, and the sinks that are fed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::fed::Fed;
use super::{End, Observer, Pace, Sink, SinkOutcome, Stop};
use crate::collect::{CollectError, Source};
use crate::model::Assessment;

/// After a request to stop, no target is waited for longer than this. One whose thread has not ended by then
/// (a snapshot or a judgement of a million goroutines) is left behind, and what it gave last counts.
const TARGET_GRACE: Duration = Duration::from_millis(600);

/// Opens a source. Called on the thread that then samples it: attaching takes its time too.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Source>, CollectError> + Send>;

/// Targets that are sampled, and sinks that are fed.
pub struct Session {
    pace: Pace,
    stop: Stop,
    targets: Vec<Planned>,
    sinks: Vec<Box<dyn Sink>>,
}

/// A target before it is attached to.
struct Planned {
    open: Open,
    observe: Box<dyn FnOnce(Box<dyn Source>) -> Observer + Send>,
    is_saved: bool,
}

/// What a session gave, once it is over.
#[derive(Debug)]
pub struct Outcome {
    /// Of each target, in the order in which they were added.
    pub targets: Vec<TargetOutcome>,
    /// Of each sink, in the order in which they were added; none where no target could be attached to,
    /// so that none was started.
    pub sinks: Vec<SinkOutcome>,
}

/// What became of a target.
#[derive(Debug)]
pub struct TargetOutcome {
    /// The last assessment that there was time for; `None` where there was none at all.
    pub last: Option<Arc<Assessment>>,
    /// The last assessments of programs that it ran before, as far as something was found in them.
    pub earlier: Vec<Arc<Assessment>>,
    /// Whether the filters let something pass at any sample.
    pub matched: bool,
    /// How it ended.
    pub end: TargetEnd,
}

/// How sampling a target ended.
#[derive(Debug)]
pub enum TargetEnd {
    /// As planned, or as it was asked to.
    Orderly(End),
    /// It was asked to stop while a sample was taken or judged, or it was attached to, and that was not
    /// waited for.
    Interrupted,
    /// It could not be attached to, or no longer be sampled.
    Failed(CollectError),
    /// A defect of the agent.
    Panicked,
}

/// What the session's own thread waits for.
enum Wake {
    /// A target was attached to.
    Attached,
    /// The thread of a target has ended, whatever it ended in.
    TargetEnded(usize),
    /// The session was asked to stop.
    Stop,
}

/// Tells of the end of a target's thread, by a panic too.
struct Tell {
    to: Sender<Wake>,
    at: usize,
}

impl Drop for Tell {
    fn drop(&mut self) {
        // Nobody waits any more for one that was left behind.
        _ = self.to.send(Wake::TargetEnded(self.at));
    }
}

impl Session {
    /// A session without targets. It stops when `stop` is requested.
    #[must_use]
    pub fn new(pace: Pace, stop: Stop) -> Self {
        Self { pace, stop, targets: Vec::new(), sinks: Vec::new() }
    }

    /// Adds a target: what opens its source, and what observes that. Of one that was saved every
    /// observation is taken, without waiting in between.
    pub fn add(
        &mut self,
        is_saved: bool,
        open: Open,
        observe: impl FnOnce(Box<dyn Source>) -> Observer + Send + 'static,
    ) {
        self.targets.push(Planned { open, observe: Box::new(observe), is_saved });
    }

    /// Adds a sink.
    pub fn feed(&mut self, sink: Box<dyn Sink>) {
        self.sinks.push(sink);
    }

    /// Samples all targets until each has ended or the session is asked to stop, and feeds the sinks.
    /// One target that ends or fails leaves the others going.
    #[must_use]
    pub fn run(self) -> Outcome {
        let Self { pace, stop, targets, sinks } = self;
        let (tell, wakes) = channel();
        let fed = Fed::new(sinks, &stop);
        stop.on_request({
            let tell = tell.clone();
            // The session may be over.
            move || _ = tell.send(Wake::Stop)
        });
        let keeps = fed.wants_observations();
        let mut running = Running { stop, fed, tell, wakes };
        let mut sampled: Vec<_> = targets
            .into_iter()
            .enumerate()
            .map(|(at, it)| running.sample(at, it, pace, keeps))
            .collect();
        running.watch(&mut sampled);
        let targets = sampled.into_iter().map(Sampled::outcome).collect();
        Outcome { targets, sinks: running.fed.end() }
    }
}

/// The thread of a target.
struct Sampled {
    thread: JoinHandle<Result<End, CollectError>>,
    has_ended: bool,
    progress: Arc<Mutex<Progress>>,
}

/// What a target gave so far, for whoever cannot wait for its thread.
#[derive(Debug, Default)]
struct Progress {
    last: Option<Arc<Assessment>>,
    earlier: Vec<Arc<Assessment>>,
    matched: bool,
}

impl Sampled {
    fn outcome(self) -> TargetOutcome {
        let end = if self.has_ended {
            match self.thread.join() {
                Ok(Ok(end)) => TargetEnd::Orderly(end),
                Ok(Err(error)) => TargetEnd::Failed(error),
                Err(_) => TargetEnd::Panicked,
            }
        } else {
            TargetEnd::Interrupted
        };
        let Progress { last, earlier, matched } = std::mem::take(&mut *lock(&self.progress));
        TargetOutcome { last, earlier, matched, end }
    }
}

/// A panic while it was held left it whole: it is replaced as a whole.
fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session that runs, as its own thread sees it.
struct Running {
    stop: Stop,
    fed: Fed,
    tell: Sender<Wake>,
    wakes: Receiver<Wake>,
}

impl Running {
    fn sample(&self, at: usize, target: Planned, pace: Pace, keeps: bool) -> Sampled {
        let Planned { open, observe, is_saved } = target;
        let pace = if is_saved { Pace::of_a_recording(pace) } else { pace };
        let progress = Arc::new(Mutex::new(Progress::default()));
        let thread = thread::spawn({
            let (stop, inboxes) = (self.stop.clone(), self.fed.inboxes());
            let (tell, progress) = (self.tell.clone(), Arc::clone(&progress));
            move || {
                let _told = Tell { to: tell.clone(), at };
                let mut observer = observe(open()?).until(&stop).keeping(keeps);
                // Nobody waits any more where it took too long.
                _ = tell.send(Wake::Attached);
                let end = observer.watch(pace, |observer, update| {
                    *lock(&progress) = Progress {
                        last: Some(Arc::clone(&update.assessment)),
                        earlier: observer.earlier().cloned().collect(),
                        matched: observer.has_matched(),
                    };
                    for inbox in inboxes.iter() {
                        if is_saved {
                            inbox.put_in_turn(update.clone(), &stop);
                        } else {
                            inbox.put(update.clone());
                        }
                    }
                });
                let last =
                    lock(&progress).last.as_ref().map(|last| last.target.id.of_all_generations());
                if let (Ok(End::TargetExited), false, Some(target)) = (&end, is_saved, last) {
                    inboxes.iter().for_each(|inbox| inbox.tell_exit(target.clone()));
                }
                end
            }
        });
        Sampled { thread, has_ended: false, progress }
    }

    /// Waits until all targets have ended, or must not be waited for any more.
    fn watch(&mut self, sampled: &mut [Sampled]) {
        let mut due = None;
        while sampled.iter().any(|it| !it.has_ended) {
            match self.wake(due) {
                None => return,
                Some(Wake::Attached) => self.fed.start(),
                Some(Wake::TargetEnded(at)) => sampled[at].has_ended = true,
                Some(Wake::Stop) => due = due.or_else(|| Some(Instant::now() + TARGET_GRACE)),
            }
        }
    }

    /// What happened next; `None` once it is `due` and nothing has.
    fn wake(&self, due: Option<Instant>) -> Option<Wake> {
        match due {
            None => self.wakes.recv().ok(),
            Some(due) => {
                self.wakes.recv_timeout(due.saturating_duration_since(Instant::now())).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
