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
const INTERVAL: Duration = Duration::from_millis(50);
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
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if is_short(pid) {
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

fn is_short(pid: u32) -> bool {
    let left = [Allowance::of_process(pid).map(|it| it.left_bytes()), commit::available_bytes()];
    left.into_iter().flatten().any(|left| left < MIN_LEFT_BYTES)
}
