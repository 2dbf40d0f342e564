//! The thread that sends one receiver its messages, in order, and what waits for it. However slow or dead the receiver
//! is, nobody else waits for it.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Rate, Receiver, SendError, Spool, Tally};
use crate::http::{Backoff, chance};
use crate::model::Timestamp;
use crate::report::schema::AlertDoc;
use crate::units;

/// At the end, the receiver is not waited for longer than this beyond what one answer may take.
const END_GRACE: Duration = Duration::from_secs(5);

/// Tells people a line.
pub type Tell = fn(&str);

/// Sends what is put into its spool.
pub struct Sender {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
    /// How long an answer may take.
    timeout: Duration,
}

/// What sending has come to, whenever that is asked.
#[derive(Clone)]
pub struct Account {
    name: String,
    queue: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    /// Something came, or nothing comes any more.
    changed: Condvar,
}

struct State {
    spool: Spool,
    /// What stands, for a receiver that forgets it otherwise: the newest of it, while nothing else waits.
    standing: Vec<AlertDoc>,
    backoff: Backoff,
    rate: Rate,
    end: Option<End>,
    has_ended: bool,
}

/// How it ends once nothing comes any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// What waits gets one chance more, until the first failure.
    Flush,
    /// Somebody waits for the end: at once.
    Now,
}

/// What is sent next.
enum Next {
    /// The oldest that waits.
    Waiting(u64, Box<AlertDoc>),
    /// What stands.
    Standing(Vec<AlertDoc>),
}

impl Queue {
    /// A panic while it was held left it whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next to send, which is waited for; `None` once there is no more.
    fn next(&self) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.end == Some(End::Now) {
                return None;
            }
            let delay = state.delay(Instant::now());
            if delay.is_some_and(|delay| delay.is_zero()) {
                if let Some(next) = state.take() {
                    return Some(next);
                }
                continue;
            }
            // What is not due yet is there for the next agent.
            if state.end == Some(End::Flush) {
                return None;
            }
            state = match delay {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(delay) => {
                    let waited = self.changed.wait_timeout(state, delay);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Takes in what became of a message, and what it has come to.
    fn settle(&self, number: Option<u64>, sent: &Result<String, SendError>) -> Tally {
        let mut state = self.lock();
        match sent {
            Err(error) if !error.is_refusal => {
                state.backoff.failed(Instant::now(), chance(), error.retry_after);
                if state.end == Some(End::Flush) {
                    state.end = Some(End::Now);
                }
            }
            _ => {
                state.backoff.is_well();
                if let Some(number) = number {
                    state.rate.spend();
                    state.spool.settle(number, sent.is_ok());
                }
            }
        }
        state.spool.tally()
    }
}

impl State {
    /// How long it takes until something is to be sent; `None` where nothing waits. At the end, a receiver that is
    /// not well is tried once more at once.
    fn delay(&mut self, now: Instant) -> Option<Duration> {
        let pause = if self.end.is_some() { Duration::ZERO } else { self.backoff.delay(now) };
        if self.spool.has_next() {
            return Some(pause.max(self.rate.delay(now)));
        }
        (!self.standing.is_empty()).then_some(pause)
    }

    fn take(&mut self) -> Option<Next> {
        match self.spool.next() {
            Ok(Some((number, alert))) => return Some(Next::Waiting(number, Box::new(alert))),
            Ok(None) => {}
            Err(_) if self.end.is_none() => {
                // It may be read later.
                self.backoff.failed(Instant::now(), chance(), None);
                return None;
            }
            // The next agent will.
            Err(_) => {
                self.end = Some(End::Now);
                return None;
            }
        }
        let standing = std::mem::take(&mut self.standing);
        (!standing.is_empty()).then_some(Next::Standing(standing))
    }
}

impl Sender {
    /// Begins to send what waits in a spool: at most so many messages an hour, beyond a few at once. `tell` is told
    /// when the receiver gets into trouble, and when that is over.
    #[must_use]
    pub fn start(
        receiver: Arc<dyn Receiver>,
        spool: Spool,
        limits: Limits,
        name: String,
        tell: Tell,
    ) -> Self {
        let Limits { per_hour, timeout } = limits;
        let queue = Arc::new(Queue {
            state: Mutex::new(State {
                spool,
                standing: Vec::new(),
                backoff: Backoff::default(),
                rate: Rate::new(per_hour, Instant::now()),
                end: None,
                has_ended: false,
            }),
            changed: Condvar::new(),
        });
        let shared = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            let mut trouble = Trouble { name, is_failing: false, refusal: None, lost: 0 };
            while let Some(next) = shared.next() {
                let (number, sent) = match next {
                    Next::Waiting(number, alert) => (Some(number), receiver.send(&alert, now())),
                    Next::Standing(alerts) => {
                        let sent = alerts
                            .iter()
                            .try_fold(String::new(), |_, alert| receiver.send(alert, now()));
                        (None, sent)
                    }
                };
                let tally = shared.settle(number, &sent);
                for line in trouble.lines(&sent, tally) {
                    tell(&line);
                }
            }
            shared.lock().has_ended = true;
            shared.changed.notify_all();
        });
        Self { queue, thread, timeout }
    }

    /// What it has come to.
    #[must_use]
    pub fn account(&self, name: &str) -> Account {
        Account { name: name.to_owned(), queue: Arc::clone(&self.queue) }
    }

    /// Puts a message into the spool, as [`Spool::put`] does. Never waits for the receiver.
    ///
    /// # Errors
    /// When the disk has not taken it.
    pub fn put(&self, number: u64, alert: AlertDoc) -> io::Result<()> {
        let mut state = self.queue.lock();
        // It may tell that something is over which that says to stand.
        state.standing.clear();
        state.spool.put(number, alert)
    }

    /// Lets what was put be sent, up to this number.
    pub fn release(&self, number: u64) {
        self.queue.lock().spool.release(number);
        self.queue.changed.notify_all();
    }

    /// What stands now.
    pub fn stands(&self, alerts: Vec<AlertDoc>) {
        self.queue.lock().standing = alerts;
        self.queue.changed.notify_all();
    }

    /// Says that nothing comes any more: what waits is sent until the first failure, or where somebody waits for the
    /// end, left behind, as is a message that is being sent. What is left behind is in the spool for the next agent.
    pub fn finish(&self, is_hurried: bool) {
        self.queue.lock().end = Some(if is_hurried { End::Now } else { End::Flush });
        self.queue.changed.notify_all();
    }

    /// Waits until it has ended, within reason: as long as messages are taken.
    pub fn wait(self) {
        let mut state = self.queue.lock();
        let mut tally = state.spool.tally();
        while !state.has_ended && !self.thread.is_finished() {
            let waited = self.queue.changed.wait_timeout(state, self.timeout + END_GRACE);
            let (now, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = now;
            if waited.timed_out() && state.spool.tally() == tally {
                state.end = Some(End::Now);
                break;
            }
            tally = state.spool.tally();
        }
    }
}

/// How much a receiver is asked to take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages an hour, at most, beyond a few at once.
    pub per_hour: u32,
    /// How long an answer may take.
    pub timeout: Duration,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

impl Account {
    /// `alert ops: 12 sent, 1 refused, 3 dropped, 2 wait for the next start`.
    #[must_use]
    pub fn sum(&self) -> String {
        let state = self.queue.lock();
        let Tally { sent, refused, dropped, unreadable } = state.spool.tally();
        let waiting = state.spool.waiting() as u64;
        let mut text = format!("alert {}: {} sent", self.name, units::count(sent));
        for (count, what) in [
            (refused, "refused"),
            (dropped, "dropped"),
            (unreadable, "unreadable and set aside"),
            (
                waiting,
                units::plural(waiting, "waits for the next start", "wait for the next start"),
            ),
        ] {
            if count > 0 {
                text.push_str(&format!(", {} {what}", units::count(count)));
            }
        }
        text
    }
}

/// What people were told, so that they are not told again.
struct Trouble {
    name: String,
    is_failing: bool,
    /// Why it refused one last.
    refusal: Option<String>,
    /// How many were lost when that was said last.
    lost: u64,
}

impl Trouble {
    /// What is to be said of how sending went: once when it begins to fail, once when that is over, of refusals each
    /// new reason, and what was lost.
    fn lines(&mut self, sent: &Result<String, SendError>, tally: Tally) -> Vec<String> {
        let name = &self.name;
        let mut lines = Vec::new();
        match sent {
            Err(error) if error.is_refusal => {
                if self.refusal.as_ref() != Some(&error.why) {
                    lines.push(format!("warning: alert {name}: a message was refused: {error}"));
                }
                self.refusal = Some(error.why.clone());
            }
            Err(error) if !self.is_failing => {
                self.is_failing = true;
                lines.push(format!("warning: alert {name} is not taken, and tried again: {error}"));
            }
            Err(_) => {}
            Ok(_) => {
                self.refusal = None;
                if std::mem::take(&mut self.is_failing) {
                    lines.push(format!("alert {name} is taken again"));
                }
            }
        }
        let lost = tally.dropped + tally.unreadable;
        if lost > self.lost {
            let messages = units::counted(lost - self.lost, "message", "messages");
            lines.push(format!(
                "warning: alert {name}: {messages} that waited can no longer be sent"
            ));
            self.lost = lost;
        }
        lines
    }
}
