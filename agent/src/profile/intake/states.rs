//! What the text of a state means, each text found out once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Status, WaitClass};
use crate::profile::state::Meaning;
use crate::profile::{Entry, Record, State};

/// Distinct wait reasons that are kept by name: their number is a byte.
const MAX_REASONS: usize = 255;

/// Distinct texts that are remembered.
const MAX_KNOWN: usize = 4096;

/// The states of a series.
#[derive(Default)]
pub(super) struct States {
    known: FxHashMap<Box<str>, Standing>,
    reasons: Arc<[String]>,
}

/// What a goroutine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) status: Status,
    pub(super) wait: WaitClass,
    /// Its wait reason, by number.
    pub(super) reason: Option<u8>,
}

impl States {
    /// The wait reasons so far, by number.
    pub(super) fn reasons(&self) -> Arc<[String]> {
        Arc::clone(&self.reasons)
    }

    pub(super) fn of(&mut self, record: &Record<'_>) -> Standing {
        let Some(state) = &record.state else {
            let Meaning { status, wait, .. } = Meaning::of_stack(record.stack);
            return Standing { status, wait, reason: None };
        };
        let mut standing = match self.known.get(state.text) {
            Some(standing) => *standing,
            None => self.add(state, record.stack),
        };
        if state.leaked {
            standing.status = Status::Leaked;
        }
        standing
    }

    fn add(&mut self, state: &State<'_>, stack: &[Entry<'_>]) -> Standing {
        let state = State { leaked: false, ..*state };
        let Meaning { status, wait, reason } = Meaning::of_state(&state, stack);
        let reason = reason.and_then(|reason| self.reason(reason));
        let standing = Standing { status, wait, reason };
        // Where the stack has a say, a text does not mean the same everywhere.
        if !Meaning::needs_stack(state.text) && self.known.len() < MAX_KNOWN {
            self.known.insert(state.text.into(), standing);
        }
        standing
    }

    fn reason(&mut self, text: &str) -> Option<u8> {
        let at = self.reasons.iter().position(|reason| reason == text);
        let at = at.or_else(|| {
            (self.reasons.len() < MAX_REASONS).then(|| {
                self.reasons = self.reasons.iter().cloned().chain([text.to_owned()]).collect();
                self.reasons.len() - 1
            })
        });
        at.and_then(|at| u8::try_from(at).ok())
    }
}
