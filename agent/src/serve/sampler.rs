//! The thread that takes a target's samples.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::error::NoSample;
use crate::model::Observation;

/// Requests that may wait for a target's next sample.
const MAX_WAITING: usize = 64;

/// How soon it is seen that a target has ended of which nobody asks for a sample.
const PULSE: Duration = Duration::from_secs(1);

/// A target that is to be served.
pub struct Served {
    /// The first part of its paths where there are several: its process id.
    pub name: String,
    /// As people read it: `potato (pid 4711)`.
    pub title: String,
    /// Takes a sample; `Ok(None)` is the orderly end. Called on a thread of its own.
    pub sample: Box<dyn FnMut() -> Result<Option<Observation>, String> + Send>,
    /// Whether it has ended. Called on the same thread, once a second.
    pub has_ended: Box<dyn FnMut() -> bool + Send>,
    /// Its command line: arguments, each with a NUL behind it.
    pub command_line: Box<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>,
}

type Answer = Result<Arc<Observation>, NoSample>;

/// Asks for samples.
#[derive(Clone)]
pub(super) struct Sampler {
    requests: SyncSender<oneshot::Sender<Answer>>,
}

impl Sampler {
    /// Starts the thread of a target. `alive` is kept for as long as the target lives.
    pub(super) fn start(
        mut sample: Box<dyn FnMut() -> Result<Option<Observation>, String> + Send>,
        mut has_ended: Box<dyn FnMut() -> bool + Send>,
        alive: mpsc::Sender<()>,
    ) -> io::Result<Self> {
        let (requests, waiting) = sync_channel(MAX_WAITING);
        let name = "serve sampler".to_owned();
        thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            run(&waiting, &mut *sample, &mut *has_ended);
        })?;
        Ok(Self { requests })
    }

    /// A sample that is begun after this was called, shared with all others who ask meanwhile.
    pub(super) async fn sample(&self) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(answer).map_err(|error| match error {
            TrySendError::Full(_) => NoSample::Busy,
            TrySendError::Disconnected(_) => NoSample::Ended,
        })?;
        answered.await.unwrap_or(Err(NoSample::Ended))
    }
}

/// Until the target has ended, or nobody can ask any more.
fn run(
    requests: &Receiver<oneshot::Sender<Answer>>,
    sample: &mut dyn FnMut() -> Result<Option<Observation>, String>,
    has_ended: &mut dyn FnMut() -> bool,
) {
    loop {
        let first = match requests.recv_timeout(PULSE) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) if has_ended() => return,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let waiting = std::iter::once(first).chain(requests.try_iter());
        // Some may have gone away.
        let waiting: Vec<_> = waiting.filter(|answer| !answer.is_closed()).collect();
        if waiting.is_empty() {
            continue;
        }
        let answer = match sample() {
            Ok(Some(observation)) => Ok(Arc::new(observation)),
            // Those that wait hear of it as this thread ends.
            Ok(None) => return,
            Err(why) => Err(NoSample::Failed(why.into())),
        };
        for one in waiting {
            // Whoever is gone by now needs none.
            let _ = one.send(answer.clone());
        }
    }
}
