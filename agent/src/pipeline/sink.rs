//! Those that a session's updates are shown or sent to, and the queue in front of each.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Stop;
use crate::model::{TargetId, Update};

/// Somebody whom the updates of a session are shown or sent to, on a thread of its own. However slow it
/// is, sampling does not wait for it: [`Terms::keep`] says what becomes of updates that it is too slow
/// for.
pub trait Sink: Send {
    /// What it is called where people are told of it: `the live view`.
    fn name(&self) -> &'static str;

    /// What it gets, and what it is to the session.
    fn terms(&self) -> Terms;

    /// Takes updates until there are no more, or as long as it wants to. Called once, after the
    /// first target was attached to. After a request to stop it has to return soon: it is not waited
    /// for longer than a moment.
    ///
    /// # Errors
    /// When it cannot go on: what it writes to is full, or closed.
    fn run(self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError>;
}

/// What a sink gets, and what it is to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What becomes of updates that it has not taken when more come.
    pub keep: Keep,
    /// What its end means for the session.
    pub role: Role,
    /// Whether its updates have the sample itself too, which is kept in memory for it until it has taken them.
    pub has_observations: bool,
}

impl Terms {
    /// It shows updates.
    #[must_use]
    pub const fn shows(keep: Keep, role: Role) -> Self {
        Self { keep, role, has_observations: false }
    }

    /// It makes something of the present sample, beside what the session is for.
    pub const OF_SAMPLES: Self =
        Self { keep: Keep::Newest, role: Role::Follows, has_observations: true };
}

/// What becomes of updates that a sink has not taken when more come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Of each target the newest is kept: for what shows the present.
    Newest,
    /// So many of all targets are kept, and the oldest go first: for what tells one after the other.
    Last(NonZeroUsize),
}

/// What the end of a sink means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is what the session is for: when it ends, by a quit or a failure, everything stops.
    Leads,
    /// The session goes on without it; at the end people are told that it failed.
    Follows,
}

/// Why a sink could not go on.
#[derive(Debug, Error)]
pub enum SinkError {
    /// What it writes to takes no more.
    #[error("cannot write")]
    Write(#[source] std::io::Error),
    /// The terminal cannot be used.
    #[error("cannot use this terminal")]
    Terminal(#[source] std::io::Error),
}

/// The updates that wait for a sink. Clones are of the same queue.
#[derive(Clone)]
pub struct Inbox(Arc<Queue>);

struct Queue {
    terms: Terms,
    state: Mutex<State>,
    /// Something came, or something went.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Update>,
    dropped: u64,
    /// Targets that have exited, until somebody asks.
    exited: Vec<TargetId>,
    /// Targets that run on and are sampled no more, until somebody asks.
    released: Vec<TargetId>,
    /// Nothing comes any more.
    is_ended: bool,
    /// Nobody takes anything any more.
    is_closed: bool,
}

impl Inbox {
    /// The one in front of a sink.
    pub(super) fn of(sink: &dyn Sink) -> Self {
        Self(Arc::new(Queue {
            terms: sink.terms(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// The next update, which is waited for; `None` once there are no more.
    #[must_use]
    pub fn next(&self) -> Option<Update> {
        let mut state = self.lock();
        loop {
            match self.take(&mut state) {
                Ok(update) => return Some(update),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// As [`Inbox::next`], but not waited for longer than this.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] where none came in time, [`TryRecvError::Disconnected`] once there are
    /// no more.
    pub fn next_within(&self, patience: Duration) -> Result<Update, TryRecvError> {
        let due = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            let taken = self.take(&mut state);
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || !matches!(taken, Err(TryRecvError::Empty)) {
                return taken;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many updates it never got.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// The targets, by [`Update::key`], that have exited since this was asked last, and of which no update waits any
    /// more.
    #[must_use]
    pub fn exited(&self) -> Vec<TargetId> {
        let mut state = self.lock();
        let exited = std::mem::take(&mut state.exited);
        let (later, now) = exited.into_iter().partition(|target| state.waits(target));
        state.exited = later;
        now
    }

    /// The same of targets that run on, and are sampled no more.
    #[must_use]
    pub fn released(&self) -> Vec<TargetId> {
        let mut state = self.lock();
        let released = std::mem::take(&mut state.released);
        let (later, now) = released.into_iter().partition(|target| state.waits(target));
        state.released = later;
        now
    }

    fn take(&self, state: &mut State) -> Result<Update, TryRecvError> {
        match state.waiting.pop_front() {
            Some(update) => {
                self.0.changed.notify_all();
                Ok(update)
            }
            None if state.is_ended => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Adds an update, and drops one that waits where there is no room. Never waits.
    pub(super) fn put(&self, mut update: Update) {
        if !self.0.terms.has_observations {
            update.observation = None;
        }
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        state.waiting.push_back(update);
        match self.0.terms.keep {
            Keep::Newest => {
                let newest = state.waiting.len() - 1;
                let key = state.waiting[newest].key();
                let known = state.waiting.iter().take(newest).position(|it| it.key() == key);
                if let Some(at) = known {
                    state.drop_one(at);
                }
            }
            Keep::Last(most) => {
                if state.waiting.len() > most.get() {
                    state.drop_one(0);
                }
            }
        }
        self.0.changed.notify_all();
    }

    /// Adds an update once there is room for it, so that none is dropped: for those of a recording,
    /// which can wait. Gives up once it is stopped, or nobody takes anything any more.
    pub(super) fn put_in_turn(&self, update: Update, stop: &Stop) {
        let most = match self.0.terms.keep {
            Keep::Newest => 1,
            Keep::Last(most) => most.get(),
        };
        let mut state = self.lock();
        while state.waiting.len() >= most && !state.is_closed && !stop.is_requested() {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.put(update);
    }

    /// Says that a target has exited.
    pub(super) fn tell_exit(&self, target: TargetId) {
        self.lock().exited.push(target);
    }

    /// Says that a target is sampled no more, and runs on.
    pub(super) fn tell_release(&self, target: TargetId) {
        self.lock().released.push(target);
    }

    /// Whether nothing comes any more.
    pub(super) fn is_ended(&self) -> bool {
        self.lock().is_ended
    }

    /// Says that nothing comes any more.
    pub(super) fn end(&self) {
        self.lock().is_ended = true;
        self.0.changed.notify_all();
    }

    /// Says that nobody takes anything any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.waiting.clear();
        self.0.changed.notify_all();
    }

    /// Wakes those that wait, so that they see that they are to stop.
    pub(super) fn wake(&self) {
        let _state = self.lock();
        self.0.changed.notify_all();
    }

    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waits(&self, target: &TargetId) -> bool {
        self.waiting.iter().any(|it| it.key() == *target)
    }

    /// Drops one that waits. That the target executed another program is told with the next of it.
    fn drop_one(&mut self, at: usize) {
        let Some(dropped) = self.waiting.remove(at) else { return };
        self.dropped += 1;
        if let Some(replaced) = dropped.replaced {
            let key = dropped.assessment.target.id.of_all_generations();
            if let Some(next) = self.waiting.iter_mut().skip(at).find(|it| it.key() == key) {
                next.replaced.get_or_insert(replaced);
            }
        }
    }
}
