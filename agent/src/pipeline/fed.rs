//! The sinks of a session or a pool while they run, each on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Inbox, Role, Sink, SinkError, Stop};

/// After a request to stop, no sink is waited for longer than this: it may write to a pipe that nobody reads.
pub const SINK_GRACE: Duration = Duration::from_millis(200);

/// What became of a sink.
#[derive(Debug)]
pub struct SinkOutcome {
    /// Its name.
    pub name: &'static str,
    /// Updates that it was too slow for.
    pub dropped: u64,
    /// How it ended.
    pub end: SinkEnd,
}

/// How a sink ended.
#[derive(Debug)]
pub enum SinkEnd {
    /// It took what it wanted to.
    Done,
    /// It had not ended when it was not waited for any more.
    LeftBehind,
    /// It could not go on.
    Failed(SinkError),
    /// A defect of the agent.
    Panicked,
}

/// Sinks, with the inbox in front of each.
pub(super) struct Fed {
    stop: Stop,
    /// Those that were not started yet: all or none.
    sinks: Vec<Box<dyn Sink>>,
    inboxes: Arc<[Inbox]>,
    tell: Sender<Wake>,
    wakes: Receiver<Wake>,
    started: Vec<Started>,
}

/// The thread of a sink.
struct Started {
    name: &'static str,
    thread: JoinHandle<Result<(), SinkError>>,
    has_ended: bool,
}

/// What is waited for at the end.
enum Wake {
    /// The thread of a sink has ended, whatever it ended in.
    Ended(usize),
    /// There was a request to stop.
    Stop,
}

/// Tells of a sink's end, by a panic too.
struct Tell {
    inbox: Inbox,
    role: Role,
    stop: Stop,
    to: Sender<Wake>,
    at: usize,
}

impl Drop for Tell {
    fn drop(&mut self) {
        // What ends because there is no more ends nothing else.
        let is_early = !self.inbox.is_ended();
        self.inbox.close();
        // Nobody waits any more for one that was left behind.
        _ = self.to.send(Wake::Ended(self.at));
        if is_early && self.role == Role::Leads {
            self.stop.request();
        }
    }
}

impl Fed {
    /// Sinks that are not started yet.
    pub(super) fn new(sinks: Vec<Box<dyn Sink>>, stop: &Stop) -> Self {
        let (tell, wakes) = channel();
        let inboxes: Arc<[Inbox]> = sinks.iter().map(|sink| Inbox::of(&**sink)).collect();
        stop.on_request({
            let (tell, inboxes) = (tell.clone(), Arc::clone(&inboxes));
            move || {
                inboxes.iter().for_each(Inbox::wake);
                // All may be over.
                _ = tell.send(Wake::Stop);
            }
        });
        Self { stop: stop.clone(), sinks, inboxes, tell, wakes, started: Vec::new() }
    }

    /// Whether one of them makes something of the samples themselves.
    pub(super) fn wants_observations(&self) -> bool {
        self.sinks.iter().any(|sink| sink.terms().has_observations)
    }

    /// Where updates are put.
    pub(super) fn inboxes(&self) -> Arc<[Inbox]> {
        Arc::clone(&self.inboxes)
    }

    /// Starts those that are not started yet.
    pub(super) fn start(&mut self) {
        for (at, sink) in self.sinks.drain(..).enumerate() {
            let (name, role) = (sink.name(), sink.terms().role);
            let (inbox, stop) = (self.inboxes[at].clone(), self.stop.clone());
            let (to, closed) = (self.tell.clone(), inbox.clone());
            let tell = Tell { inbox: closed, role, stop: stop.clone(), to, at };
            let thread = thread::spawn(move || {
                let _told = tell;
                sink.run(&inbox, &stop)
            });
            self.started.push(Started { name, thread, has_ended: false });
        }
    }

    /// Lets them take what is left, and waits for them: for as long as they need, unless there was a request to stop.
    pub(super) fn end(mut self) -> Vec<SinkOutcome> {
        self.inboxes.iter().for_each(Inbox::end);
        let grace = || Some(Instant::now() + SINK_GRACE);
        let mut due = if self.stop.is_requested() { grace() } else { None };
        while self.started.iter().any(|sink| !sink.has_ended) {
            let wake = match due {
                None => self.wakes.recv().ok(),
                Some(due) => {
                    let left = due.saturating_duration_since(Instant::now());
                    self.wakes.recv_timeout(left).ok()
                }
            };
            match wake {
                None => break,
                Some(Wake::Ended(at)) => self.started[at].has_ended = true,
                Some(Wake::Stop) => due = due.or_else(grace),
            }
        }
        let outcome = |(sink, inbox): (Started, &Inbox)| SinkOutcome {
            name: sink.name,
            dropped: inbox.dropped(),
            end: sink.end(),
        };
        self.started.into_iter().zip(self.inboxes.iter()).map(outcome).collect()
    }
}

impl Started {
    fn end(self) -> SinkEnd {
        if !self.has_ended {
            return SinkEnd::LeftBehind;
        }
        match self.thread.join() {
            Ok(Ok(())) => SinkEnd::Done,
            Ok(Err(error)) => SinkEnd::Failed(error),
            Err(_) => SinkEnd::Panicked,
        }
    }
}
