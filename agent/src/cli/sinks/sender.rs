//! The thread that sends what it is given to a store, and what waits for it.

use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cli::output;
use crate::error_chain::one_line;
use crate::export::{Backlog, Parcel, Tally};
use crate::http::{Error, chance};
use crate::pipeline::SINK_GRACE;
use crate::report::format;

/// How long what waits is still sent where somebody waits for the end, who waits for a sink little longer.
const HURRY: Duration = SINK_GRACE.saturating_sub(Duration::from_millis(50));

/// Somebody who takes what is sent, one after the other.
pub(super) trait Deliver: Send + 'static {
    type Parcel: Parcel + Send + 'static;

    /// Sends one.
    fn deliver(&self, parcel: &Self::Parcel) -> Result<(), Error>;

    /// Whether it does not want this one, and would not want it later either.
    fn is_refusal(error: &Error) -> bool;
}

/// How people are told of whom is sent to, and of what.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// `Pyroscope`.
    pub(super) store: String,
    /// `profile` and `profiles`.
    pub(super) parcel: [&'static str; 2],
}

/// Sends what it is given, in turn, as fast as the store takes it.
pub(super) struct Sender<D: Deliver> {
    /// Until it is started.
    to: Option<D>,
    thread: Option<JoinHandle<()>>,
    words: Words,
    queue: Arc<Queue<D::Parcel>>,
}

/// What sending has come to, whenever that is asked.
#[derive(Clone)]
pub(in crate::cli) struct Account {
    words: Words,
    /// What became of parcels, and how many wait.
    read: Arc<dyn Fn() -> (Tally, usize) + Send + Sync>,
}

struct Queue<T> {
    state: Mutex<State<T>>,
    /// One came, or none comes any more.
    changed: Condvar,
}

struct State<T> {
    backlog: Backlog<T>,
    end: Option<End>,
    /// Nobody sends any more.
    has_ended: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State { backlog: Backlog::default(), end: None, has_ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

/// How it ends once nothing comes any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// What waits gets one chance more, until the first failure.
    Flush,
    /// At once.
    Now,
}

impl<T: Parcel> Queue<T> {
    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one to send, which is waited for; `None` once there are no more.
    fn next(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            match state.end {
                Some(End::Now) => return None,
                Some(End::Flush) => return state.backlog.take(),
                None => {}
            }
            state = match state.backlog.delay(Instant::now()) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(delay) if delay.is_zero() => return state.backlog.take(),
                Some(delay) => {
                    let waited = self.changed.wait_timeout(state, delay);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn end(&self, end: End) {
        self.lock().end = Some(end);
        self.changed.notify_all();
    }

    /// Waits until nobody sends any more, but not longer; whether that came to be.
    fn has_ended_by(&self, due: Instant) -> bool {
        let left = due.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), left, |it| !it.has_ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }

    /// Takes in how sending one went; how many were dropped so far.
    fn settle(&self, parcel: T, sent: &Result<(), Error>, is_refusal: fn(&Error) -> bool) -> u64 {
        let mut state = self.lock();
        match sent {
            Ok(()) => state.backlog.pushed(),
            Err(error) if is_refusal(error) => state.backlog.refused(),
            Err(error) => {
                let asked = error.problem.retry_after();
                state.backlog.failed(parcel, Instant::now(), chance(), asked);
                if state.end == Some(End::Flush) {
                    state.end = Some(End::Now);
                }
            }
        }
        state.backlog.tally().dropped
    }
}

impl<D: Deliver> Sender<D> {
    pub(super) fn new(to: D, words: Words) -> Self {
        Self { to: Some(to), thread: None, words, queue: Arc::default() }
    }

    pub(super) fn account(&self) -> Account {
        let queue = Arc::clone(&self.queue);
        let read = move || {
            let state = queue.lock();
            (state.backlog.tally(), state.backlog.waiting())
        };
        Account { words: self.words.clone(), read: Arc::new(read) }
    }

    /// Begins to send.
    pub(super) fn start(&mut self) {
        let Some(to) = self.to.take() else { return };
        let queue = Arc::clone(&self.queue);
        let mut trouble = Trouble::new(self.words.clone());
        self.thread = Some(thread::spawn(move || {
            while let Some(parcel) = queue.next() {
                let sent = to.deliver(&parcel);
                let dropped = queue.settle(parcel, &sent, D::is_refusal);
                if let Some(line) = trouble.line(&sent, D::is_refusal, dropped) {
                    output::say(format_args!("{line}"));
                }
            }
            queue.lock().has_ended = true;
            queue.changed.notify_all();
        }));
    }

    /// Adds one to send. Never waits.
    pub(super) fn add(&self, parcel: D::Parcel) {
        self.queue.lock().backlog.add(parcel);
        self.queue.changed.notify_all();
    }

    /// Sends what waits for each of them, and waits for that; where it is hurried, for a moment, and leaves behind what was
    /// not taken by then.
    pub(super) fn end(senders: impl IntoIterator<Item = Self>, is_hurried: bool) {
        Self::end_by(senders, is_hurried.then(|| Instant::now() + HURRY));
    }

    fn end_by(senders: impl IntoIterator<Item = Self>, due: Option<Instant>) {
        // All at once, and only then one after the other is waited for.
        let senders: Vec<Self> =
            senders.into_iter().inspect(|sender| sender.queue.end(End::Flush)).collect();
        for Self { thread, queue, .. } in senders {
            let Some(thread) = thread else { continue };
            if due.is_none_or(|due| queue.has_ended_by(due)) {
                // It has no value, and its panic was told.
                _ = thread.join();
            } else {
                queue.end(End::Now);
            }
        }
    }
}

impl Account {
    /// What became of what was to be sent.
    pub(in crate::cli) fn tally(&self) -> Tally {
        (self.read)().0
    }

    /// Says it.
    pub(in crate::cli) fn tell(&self) {
        let (tally, waiting) = (self.read)();
        output::say(format_args!("{}: {}", self.words.store, sum(&self.words, tally, waiting)));
    }
}

/// `12 profiles pushed, 1 refused, 3 dropped, 2 not sent`.
fn sum(words: &Words, tally: Tally, waiting: usize) -> String {
    let [one, many] = words.parcel;
    let mut text = format!("{} pushed", format::counted(tally.pushed, one, many));
    let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
    let others = [(tally.refused, "refused"), (tally.dropped, "dropped"), (waiting, "not sent")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        // Writing into a text cannot fail.
        _ = write!(text, ", {} {what}", format::count(count));
    }
    text
}

/// What people were told, so that they are not told again.
#[derive(Debug)]
struct Trouble {
    words: Words,
    /// It takes nothing at present, since when so many had been dropped.
    since: Option<u64>,
    /// Why it refused one last.
    refusal: Option<String>,
}

impl Trouble {
    const fn new(words: Words) -> Self {
        Self { words, since: None, refusal: None }
    }

    /// What is to be said of how sending went: once when it begins to fail, once when that is over, and of
    /// refusals each new reason.
    fn line(
        &mut self,
        sent: &Result<(), Error>,
        is_refusal: fn(&Error) -> bool,
        dropped: u64,
    ) -> Option<String> {
        let Words { store, parcel: [one, many] } = &self.words;
        match sent {
            Err(error) if is_refusal(error) => {
                let why = one_line(error);
                let is_new = self.refusal.as_ref() != Some(&why);
                self.refusal = Some(why.clone());
                is_new.then(|| format!("warning: {store} has refused a {one}: {why}"))
            }
            Err(error) if self.since.is_none() => {
                self.since = Some(dropped);
                let why = one_line(error);
                Some(format!("warning: {store} takes no {many}, and is tried again: {why}"))
            }
            Err(_) => None,
            Ok(()) => {
                self.refusal = None;
                let lost = match dropped - self.since.take()? {
                    0 => "none was lost".to_owned(),
                    lost => {
                        let verb = if lost == 1 { "was" } else { "were" };
                        format!("{} {verb} dropped meanwhile", format::counted(lost, one, many))
                    }
                };
                Some(format!("{store} takes {many} again; {lost}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
