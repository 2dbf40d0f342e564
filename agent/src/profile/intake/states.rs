//! What the text of a state means, each text found out once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Status, WaitClass};
use crate::profile::State;

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

    pub(super) fn of(&mut self, state: Option<&State<'_>>) -> Standing {
        let Some(state) = state else {
            return Standing { status: Status::Waiting, wait: WaitClass::Unknown, reason: None };
        };
        let known = self.known.get(state.text).copied();
        let mut standing = known.unwrap_or_else(|| self.add(state.text));
        if state.leaked {
            standing.status = Status::Leaked;
        }
        standing
    }

    fn add(&mut self, text: &str) -> Standing {
        let (status, wait) = meaning(text);
        let reason = (status == Status::Waiting).then(|| self.reason(text)).flatten();
        let standing = Standing { status, wait, reason };
        if self.known.len() < MAX_KNOWN {
            self.known.insert(text.into(), standing);
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

/// What stands where a wait reason would, of a goroutine that does not wait (`gStatusStrings`).
fn meaning(text: &str) -> (Status, WaitClass) {
    match text {
        "running" => (Status::Running, WaitClass::Running),
        "runnable" => (Status::Runnable, WaitClass::Runnable),
        "preempted" => (Status::Preempted, WaitClass::Runnable),
        "syscall" => (Status::Syscall, WaitClass::Syscall),
        "copystack" => (Status::CopyStack, WaitClass::Unknown),
        reason => (Status::Waiting, WaitClass::of_reason(reason)),
    }
}
