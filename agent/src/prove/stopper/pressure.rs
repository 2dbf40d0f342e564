//! Lets a copy go before what its target writes meanwhile takes too much memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Shared;
use super::messages::Order;
use crate::host::commit;
use crate::host::memory::Allowance;

/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(20);
/// What must be left of the control group's memory and of the machine's.
const MIN_LEFT_BYTES: u64 = 16 << 20;

/// Watches memory for as long as it lives.
#[derive(Debug)]
pub(super) struct Pressure {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    was_short: Arc<AtomicBool>,
}

impl Pressure {
    /// Of a target, a copy of which is held under a number.
    pub(super) fn watch(shared: &Arc<Shared>, pid: u32, number: u64) -> Self {
        let (stop, stopped) = mpsc::channel();
        let was_short = Arc::new(AtomicBool::new(false));
        let (short, shared) = (Arc::clone(&was_short), Arc::clone(shared));
        let watching = move || {
            let mut before = None;
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let left = left(pid);
                if left.is_some_and(|left| is_short(left, before.replace(left))) {
                    short.store(true, Ordering::Relaxed);
                    // Where nobody listens any more there is no copy.
                    let _ = shared.link.say(Order::Release { number });
                    return;
                }
            }
        };
        // Without it a copy is let go when its time is over.
        let thread = thread::Builder::new().name("copy memory".to_owned()).spawn(watching).ok();
        Self { stop: Some(stop), thread, was_short }
    }

    /// Whether it has let go the copy.
    pub(super) fn was_short(&self) -> bool {
        self.was_short.load(Ordering::Relaxed)
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It does not panic; and if it did, nothing would be lost.
            let _ = thread.join();
        }
    }
}

/// The least of what its control group and the machine leave a target, in bytes.
fn left(pid: u32) -> Option<u64> {
    let group = Allowance::of_process_at_full_speed(pid).map(|it| it.left_bytes());
    group.into_iter().chain(commit::available_bytes()).min()
}

/// Whether too little is left, or will be at the second next look if it goes on as since the one before.
fn is_short(left: u64, before: Option<u64>) -> bool {
    let taken = before.map_or(0, |before| before.saturating_sub(left));
    left.saturating_sub(taken.saturating_mul(2)) < MIN_LEFT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_much_at_once_is_short_earlier() {
        assert!(is_short(MIN_LEFT_BYTES - 1, None));
        assert!(!is_short(MIN_LEFT_BYTES, None));
        assert!(!is_short(10 * MIN_LEFT_BYTES, Some(11 * MIN_LEFT_BYTES)));
        assert!(is_short(10 * MIN_LEFT_BYTES, Some(15 * MIN_LEFT_BYTES)));
        assert!(!is_short(MIN_LEFT_BYTES, Some(0)), "more is left than was");
    }
}
