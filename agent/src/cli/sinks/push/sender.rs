//! The thread that sends profiles to a store, and what waits for it.

use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::cli::output;
use crate::error_chain::one_line;
use crate::export::{Backlog, Labelled, Pusher, Tally, is_refusal};
use crate::http::{Error, chance};
use crate::model::Store;
use crate::report::format;

/// Sends what it is given, in turn, as fast as the store takes it.
pub(super) struct Sender {
    /// Until it is started.
    pusher: Option<Pusher>,
    thread: Option<JoinHandle<()>>,
    store: Store,
    queue: Arc<Queue>,
}

/// What a push has come to.
#[derive(Clone)]
pub(in crate::cli) struct Account {
    store: Store,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// One came, or none comes any more.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    backlog: Backlog,
    end: Option<End>,
}

/// How it ends once nothing comes any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// What waits gets one chance more, until the first failure.
    Flush,
    /// Somebody waits for the end: at once.
    Now,
}

impl Queue {
    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one to send, which is waited for; `None` once there are no more.
    fn next(&self) -> Option<Labelled> {
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

    /// Takes in how a push went; how many were dropped so far.
    fn settle(&self, labelled: Labelled, sent: &Result<(), Error>) -> u64 {
        let mut state = self.lock();
        match sent {
            Ok(()) => state.backlog.pushed(),
            Err(error) if is_refusal(error) => state.backlog.refused(),
            Err(error) => {
                let asked = error.problem.retry_after();
                state.backlog.failed(labelled, Instant::now(), chance(), asked);
                if state.end == Some(End::Flush) {
                    state.end = Some(End::Now);
                }
            }
        }
        state.backlog.tally().dropped
    }
}

impl Sender {
    pub(super) fn new(store: Store, pusher: Pusher) -> Self {
        Self { pusher: Some(pusher), thread: None, store, queue: Arc::default() }
    }

    pub(super) fn account(&self) -> Account {
        Account { store: self.store, queue: Arc::clone(&self.queue) }
    }

    /// Begins to send.
    pub(super) fn start(&mut self) {
        let Some(pusher) = self.pusher.take() else { return };
        let (store, queue) = (self.store, Arc::clone(&self.queue));
        self.thread = Some(thread::spawn(move || {
            let mut trouble = Trouble::default();
            while let Some(labelled) = queue.next() {
                let sent = pusher.push(&labelled);
                let dropped = queue.settle(labelled, &sent);
                if let Some(line) = trouble.line(store, &sent, dropped) {
                    output::say(format_args!("{line}"));
                }
            }
        }));
    }

    /// Adds one to send. Never waits.
    pub(super) fn add(&self, labelled: Labelled) {
        self.queue.lock().backlog.add(labelled);
        self.queue.changed.notify_all();
    }

    /// Sends what waits, and waits for that; or leaves it, and a push that goes on, behind.
    pub(super) fn end(self, is_hurried: bool) {
        if is_hurried {
            self.queue.end(End::Now);
            return;
        }
        self.queue.end(End::Flush);
        if let Some(thread) = self.thread {
            // It has no value, and its panic was told.
            _ = thread.join();
        }
    }
}

impl Account {
    /// Says it.
    pub(in crate::cli) fn tell(&self) {
        let state = self.queue.lock();
        let sum = sum(state.backlog.tally(), state.backlog.waiting());
        output::say(format_args!("{}: {sum}", self.store));
    }
}

/// `12 profiles pushed, 1 refused, 3 dropped, 2 not sent`.
fn sum(tally: Tally, waiting: usize) -> String {
    let mut text = format!("{} pushed", format::counted(tally.pushed, "profile", "profiles"));
    let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
    let others = [(tally.refused, "refused"), (tally.dropped, "dropped"), (waiting, "not sent")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        // Writing into a text cannot fail.
        _ = write!(text, ", {} {what}", format::count(count));
    }
    text
}

/// What people were told, so that they are not told again.
#[derive(Debug, Default)]
struct Trouble {
    /// The store does not take profiles at present, since when so many had been dropped.
    since: Option<u64>,
    /// Why it refused one last.
    refusal: Option<String>,
}

impl Trouble {
    /// What is to be said of how a push went: once when it begins to fail, once when that is over, and of
    /// refusals each new reason.
    fn line(&mut self, store: Store, sent: &Result<(), Error>, dropped: u64) -> Option<String> {
        match sent {
            Err(error) if is_refusal(error) => {
                let why = one_line(error);
                let is_new = self.refusal.as_ref() != Some(&why);
                self.refusal = Some(why.clone());
                is_new.then(|| format!("warning: {store} has refused a profile: {why}"))
            }
            Err(error) if self.since.is_none() => {
                self.since = Some(dropped);
                let why = one_line(error);
                Some(format!("warning: {store} takes no profiles, and is tried again: {why}"))
            }
            Err(_) => None,
            Ok(()) => {
                self.refusal = None;
                let lost = match dropped - self.since.take()? {
                    0 => "none was lost".to_owned(),
                    lost => {
                        let lost = format::counted(lost, "profile was", "profiles were");
                        format!("{lost} dropped meanwhile")
                    }
                };
                Some(format!("{store} takes profiles again; {lost}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
