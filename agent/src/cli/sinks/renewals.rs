//! What a sink is to go by from now on, given to it while it runs.

use std::sync::mpsc::{Receiver, Sender, channel};

/// What was given and is not yet gone by; empty where nobody gives anything.
pub(super) struct Renewals<T>(Option<Receiver<T>>);

impl<T> Renewals<T> {
    /// Nobody gives anything.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// What gives, from now on.
    pub(super) fn giver(&mut self) -> Sender<T> {
        let (giver, renewals) = channel();
        self.0 = Some(renewals);
        giver
    }

    /// Whether anything may be given.
    pub(super) const fn may_come(&self) -> bool {
        self.0.is_some()
    }

    /// The last that was given since this was last asked.
    pub(super) fn newest(&self) -> Option<T> {
        self.0.iter().flat_map(Receiver::try_iter).last()
    }
}
