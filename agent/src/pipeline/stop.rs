//! A request to stop, which everything that waits or works for long heeds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is done when the request comes.
type Listener = Box<dyn FnOnce() + Send>;

/// A request to stop. Clones are of the same request; once made it stands.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Set by a signal's handler too, which may do no more than that.
    flag: Arc<AtomicBool>,
    listeners: Mutex<Vec<Listener>>,
    requested: Condvar,
}

impl Stop {
    /// Asks everybody to stop. Asking twice is asking once.
    pub fn request(&self) {
        let listeners = {
            let mut listeners = self.listeners();
            self.0.flag.store(true, Ordering::SeqCst);
            self.0.requested.notify_all();
            std::mem::take(&mut *listeners)
        };
        for listener in listeners {
            listener();
        }
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.flag.load(Ordering::SeqCst)
    }

    /// The flag behind it, for what can only check a flag: analysis, and signal handlers, which set it.
    /// Whoever sets it has to call [`Stop::request`] soon, for those that wait.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.flag)
    }

    /// Waits until it is requested, or the time has come. Whether it was requested.
    #[must_use]
    pub fn wait_until(&self, due: Instant) -> bool {
        let mut listeners = self.listeners();
        while !self.is_requested() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.requested.wait_timeout(listeners, left);
            listeners = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Calls `listener` once it is requested; at once, if it was.
    pub fn on_request(&self, listener: impl FnOnce() + Send + 'static) {
        let mut listeners = self.listeners();
        if self.is_requested() {
            drop(listeners);
            listener();
        } else {
            listeners.push(Box::new(listener));
        }
    }

    /// A panic while they were held left them whole: each change of them is one step.
    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_wakes_whoever_waits_and_tells_whoever_listens() {
        let stop = Stop::default();
        let (told, heard) = channel();
        let early = told.clone();
        stop.on_request(move || early.send("early").expect("somebody hears"));
        let waiting = {
            let stop = stop.clone();
            thread::spawn(move || stop.wait_until(Instant::now() + Duration::from_secs(600)))
        };
        assert!(!stop.wait_until(Instant::now()), "nobody has asked yet");
        stop.request();
        assert!(waiting.join().expect("no panic"), "it was woken");
        stop.on_request(move || told.send("late").expect("somebody hears"));
        stop.request();
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["early", "late"]);
    }
}
