//! How far the process that holds a target has come: in memory that it shares with the one that watches over it, which
//! cleans up behind it when it is killed.

use std::sync::atomic::{AtomicU64, Ordering};

use super::messages::{Failure, Hold};
use crate::host::bare::{self, Pages};

/// The shared words.
pub(super) struct Progress {
    words: Pages<u64>,
}

const TARGET: usize = 0;
const NUMBER: usize = 1;
const SINCE: usize = 2;
const STAGE: usize = 3;
const COPY: usize = 4;
const CODE: usize = 5;
const DETAIL: usize = 6;
const THREAD: usize = 7;
const STACK: usize = 8;
const DEADLINE: usize = 9;
const STOOD_SINCE: usize = 10;
const STOOD: usize = 11;
const COUNT: usize = 12;

/// Nothing in the target was changed.
const UNCHANGED: u64 = 0;
/// A copy may be there.
const CHANGING: u64 = 1;
/// Nothing is left of it that could be removed.
const CLEAN: u64 = 2;
/// And the agent has been told.
const TOLD: u64 = 3;

impl Progress {
    /// New ones. Everything forked later shares them.
    pub(super) fn share() -> Option<Self> {
        Some(Self { words: Pages::map(COUNT, true)? })
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.words.word(index)
    }

    /// Begins anew.
    pub(super) fn begin(&self, hold: &Hold) {
        for (index, value) in [
            (STAGE, UNCHANGED),
            (TARGET, hold.pid.into()),
            (NUMBER, hold.number),
            (COPY, 0),
            (SINCE, u64::MAX),
            (DEADLINE, u64::MAX),
            (STOOD_SINCE, 0),
            (STOOD, 0),
        ] {
            self.word(index).store(value, Ordering::SeqCst);
        }
        // What it is if nobody says otherwise.
        self.set_failure(Failure::Died);
    }

    /// Why the target is not held.
    pub(super) fn set_failure(&self, failure: Failure) {
        let (code, detail) = failure.words();
        self.word(CODE).store(code, Ordering::SeqCst);
        self.word(DETAIL).store(detail, Ordering::SeqCst);
    }

    /// Why it is not.
    pub(super) fn failure(&self) -> Failure {
        let [code, detail, deadline] =
            [CODE, DETAIL, DEADLINE].map(|index| self.word(index).load(Ordering::SeqCst));
        match Failure::from_words(code, detail).unwrap_or(Failure::Died) {
            // By the kernel, at its deadline.
            Failure::Died if bare::now_ns() >= deadline => Failure::TookTooLong,
            failure => failure,
        }
    }

    /// When the kernel ends the process that holds the target (`CLOCK_MONOTONIC`); `None` where it does not.
    pub(super) fn set_deadline(&self, at_ns: Option<u64>) {
        self.word(DEADLINE).store(at_ns.unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// The target is about to be stopped (`CLOCK_MONOTONIC`).
    pub(super) fn stop(&self, at_ns: u64) {
        self.word(STOOD_SINCE).store(at_ns, Ordering::SeqCst);
    }

    /// It goes on, after so long.
    pub(super) fn go_on(&self, pause_ns: u64) {
        self.word(STOOD).store(pause_ns.max(1), Ordering::SeqCst);
    }

    /// How long it stood. Where the process that had it stand was killed, until now at most, for it goes on then.
    pub(super) fn pause_ns(&self) -> u64 {
        let [since, stood] =
            [STOOD_SINCE, STOOD].map(|index| self.word(index).load(Ordering::SeqCst));
        match (since, stood) {
            (0, _) => 0,
            (since, 0) => bare::now_ns().saturating_sub(since),
            (_, stood) => stood,
        }
    }

    /// Before anything is changed: when the process that does it was started, in clock ticks since boot.
    pub(super) fn set_since(&self, ticks: u64) {
        self.word(SINCE).store(ticks, Ordering::SeqCst);
    }

    /// From here on a thread may make a copy. Where its stack is, too.
    pub(super) fn begin_changing(&self, thread: u32, stack: u64) {
        self.word(THREAD).store(thread.into(), Ordering::SeqCst);
        self.word(STACK).store(stack, Ordering::SeqCst);
        self.word(STAGE).store(CHANGING, Ordering::SeqCst);
    }

    pub(super) fn set_copy(&self, pid: u32) {
        self.word(COPY).store(pid.into(), Ordering::SeqCst);
    }

    /// Nothing is left in the target.
    pub(super) fn set_clean(&self) {
        self.word(STAGE).store(CLEAN, Ordering::SeqCst);
    }

    /// And the agent knows.
    pub(super) fn set_told(&self) {
        self.word(STAGE).store(TOLD, Ordering::SeqCst);
    }

    /// Whether something may be left in the target.
    pub(super) fn must_clean(&self) -> bool {
        self.word(STAGE).load(Ordering::SeqCst) == CHANGING
    }

    /// Whether the agent knows how it ended.
    pub(super) fn is_told(&self) -> bool {
        self.word(STAGE).load(Ordering::SeqCst) == TOLD
    }

    pub(super) fn target(&self) -> u32 {
        self.word(TARGET).load(Ordering::SeqCst) as u32
    }

    /// The last thread that was to make a copy.
    pub(super) fn thread(&self) -> u32 {
        self.word(THREAD).load(Ordering::SeqCst) as u32
    }

    /// Where its stack was.
    pub(super) fn stack(&self) -> u64 {
        self.word(STACK).load(Ordering::SeqCst)
    }

    pub(super) fn number(&self) -> u64 {
        self.word(NUMBER).load(Ordering::SeqCst)
    }

    pub(super) fn since(&self) -> u64 {
        self.word(SINCE).load(Ordering::SeqCst)
    }

    /// The copy, if it is known.
    pub(super) fn copy(&self) -> Option<u32> {
        match self.word(COPY).load(Ordering::SeqCst) {
            0 => None,
            pid => Some(pid as u32),
        }
    }
}
