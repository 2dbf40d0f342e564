//! The work that threads share while they mark.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Found, Marked};

/// So many spans are taken at once.
const MAX_SPANS: usize = 64;

/// What waits to be searched, and who searches.
#[derive(Default)]
pub(super) struct Crew {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Those that came first are taken first, so that more of their objects are known by then.
    spans: VecDeque<u32>,
    parts: Vec<(u32, u64)>,
    /// How many threads have orders.
    busy: usize,
    /// A thread has ended early.
    is_over: bool,
    marked: Marked,
}

/// What a thread is to do.
pub(super) struct Order {
    pub(super) spans: Vec<u32>,
    /// Of objects with spans of their own: the number of the span, and from which byte on.
    pub(super) parts: Vec<(u32, u64)>,
}

/// Ends the work of all when it is dropped while there is any.
pub(super) struct End<'a>(&'a Crew);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.busy > 0 || state.has_work() {
            state.is_over = true;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

impl State {
    fn has_work(&self) -> bool {
        !self.spans.is_empty() || !self.parts.is_empty()
    }
}

impl Crew {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn marked(&self) -> Marked {
        self.state().marked
    }

    pub(super) fn has_work(&self) -> bool {
        self.state().has_work()
    }

    /// Takes what a thread has found.
    pub(super) fn add(&self, found: &mut Found) {
        let mut state = self.state();
        state.spans.extend(found.spans.drain(..));
        state.parts.append(&mut found.parts);
        state.marked.add(&std::mem::take(&mut found.marked));
        let has_work = state.has_work();
        drop(state);
        if has_work {
            self.changed.notify_all();
        }
    }

    /// Waits for work; `None` once all is done.
    pub(super) fn take(&self) -> Option<Order> {
        let mut state = self.state();
        loop {
            if state.is_over {
                return None;
            }
            if state.has_work() {
                break;
            }
            if state.busy == 0 {
                drop(state);
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.busy += 1;
        let parts: Vec<_> = state.parts.pop().into_iter().collect();
        let spans = if parts.is_empty() { state.spans.len().min(MAX_SPANS) } else { 0 };
        Some(Order { spans: state.spans.drain(..spans).collect(), parts })
    }

    /// An order was carried out.
    pub(super) fn done(&self) {
        let mut state = self.state();
        state.busy -= 1;
        let is_end = state.busy == 0 && !state.has_work();
        drop(state);
        if is_end {
            self.changed.notify_all();
        }
    }

    /// To be kept while a thread works.
    pub(super) const fn end_on_drop(&self) -> End<'_> {
        End(self)
    }
}

impl Marked {
    const fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.read_bytes += other.read_bytes;
        self.untyped += other.untyped;
        self.unread += other.unread;
    }
}
