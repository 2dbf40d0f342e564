//! The thread that takes a target's samples.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::error::NoSample;
use crate::model::{AllocatedSample, NotAllocated, Observation};
use crate::report::phrases;

/// Requests that may wait for a target's next sample.
const MAX_WAITING: usize = 64;

/// How soon it is seen that a target has ended of which nobody asks for a sample.
const PULSE: Duration = Duration::from_secs(1);

/// Takes a sample of goroutines; `Ok(None)` is the orderly end.
pub type Sample = Box<dyn FnMut() -> Result<Option<Observation>, String> + Send>;

/// Reads the memory profile.
pub type Heap = Box<dyn FnMut() -> Result<AllocatedSample, NotAllocated> + Send>;

/// Has the next sample tried for a proof that goroutines leak.
pub(super) type AskForProof = Box<dyn FnMut() + Send>;

/// A target that is to be served.
pub struct Served {
    /// The first part of its paths where there are several: its process id.
    pub name: String,
    /// As people read it: `potato (pid 4711)`.
    pub title: String,
    /// Called on a thread of its own.
    pub sample: Sample,
    /// Called on the same thread, right before a sample; or why nothing is proven.
    pub proof: Result<AskForProof, String>,
    /// Called on the same thread; or why there is none.
    pub heap: Result<Heap, String>,
    /// Whether it has ended. Called on the same thread, once a second.
    pub has_ended: Box<dyn FnMut() -> bool + Send>,
    /// Its command line: arguments, each with a NUL behind it.
    pub command_line: Box<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>,
}

type Answer<T> = Result<Arc<T>, NoSample>;

/// What is asked for, and whom it is told to.
enum Asked {
    /// With a proof or without.
    Goroutines(bool, oneshot::Sender<Answer<Observation>>),
    Heap(oneshot::Sender<Answer<AllocatedSample>>),
}

/// Asks for samples.
#[derive(Clone)]
pub(super) struct Sampler {
    requests: SyncSender<Asked>,
}

impl Sampler {
    /// Starts the thread of a target. `alive` is kept for as long as the target lives.
    pub(super) fn start(
        mut sample: Sample,
        (mut proof, mut heap): (Option<AskForProof>, Option<Heap>),
        mut has_ended: Box<dyn FnMut() -> bool + Send>,
        alive: mpsc::Sender<()>,
    ) -> io::Result<Self> {
        let (requests, waiting) = sync_channel(MAX_WAITING);
        let name = "serve sampler".to_owned();
        thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            let mut sample = move |is_asked: bool| {
                if let Some(ask) = proof.as_mut().filter(|_| is_asked) {
                    ask();
                }
                sample()
            };
            run(&waiting, &mut sample, heap.as_mut(), &mut *has_ended);
        })?;
        Ok(Self { requests })
    }

    /// A sample that is begun after this was called, shared with all others who ask meanwhile.
    pub(super) async fn sample(&self) -> Answer<Observation> {
        self.ask(|answer| Asked::Goroutines(false, answer)).await
    }

    /// The same with an attempt to prove which of them leak, where the pace of those allows one.
    pub(super) async fn leaks(&self) -> Answer<Observation> {
        self.ask(|answer| Asked::Goroutines(true, answer)).await
    }

    /// The same of the heap, of a target that has a memory profile.
    pub(super) async fn heap(&self) -> Answer<AllocatedSample> {
        self.ask(Asked::Heap).await
    }

    async fn ask<T>(&self, asked: fn(oneshot::Sender<Answer<T>>) -> Asked) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(asked(answer)).map_err(|error| match error {
            TrySendError::Full(_) => NoSample::Busy,
            TrySendError::Disconnected(_) => NoSample::Ended,
        })?;
        answered.await.unwrap_or(Err(NoSample::Ended))
    }
}

/// Until the target has ended, or nobody can ask any more.
fn run(
    requests: &Receiver<Asked>,
    sample: &mut dyn FnMut(bool) -> Result<Option<Observation>, String>,
    mut heap: Option<&mut Heap>,
    has_ended: &mut dyn FnMut() -> bool,
) {
    loop {
        let first = match requests.recv_timeout(PULSE) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) if has_ended() => return,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (mut goroutines, mut of_heap) = (Vec::new(), Vec::new());
        let mut is_proof_asked = false;
        for asked in std::iter::once(first).chain(requests.try_iter()) {
            match asked {
                Asked::Goroutines(with_proof, answer) => {
                    is_proof_asked |= with_proof;
                    goroutines.push(answer);
                }
                Asked::Heap(answer) => of_heap.push(answer),
            }
        }
        let is_over = tell(goroutines, || match sample(is_proof_asked) {
            Ok(Some(observation)) => Ok(observation),
            Ok(None) => Err(NoSample::Ended),
            Err(why) => Err(NoSample::Failed(why.into())),
        }) || tell(of_heap, || match &mut heap {
            Some(heap) => heap().map_err(|why| no_sample(&why)),
            None => Err(NoSample::NoProfile(phrases::not_allocated(&NotAllocated::Off).into())),
        });
        if is_over {
            return;
        }
    }
}

fn no_sample(why: &NotAllocated) -> NoSample {
    let text = || phrases::not_allocated(why).into();
    match why {
        NotAllocated::Off => NoSample::NoProfile(text()),
        NotAllocated::Gone | NotAllocated::Unread { .. } => NoSample::Failed(text()),
    }
}

/// Takes one sample for all that still wait for it, if any do. Whether the target has ended; those that wait hear of
/// that as this thread ends.
fn tell<T>(
    waiting: Vec<oneshot::Sender<Answer<T>>>,
    take: impl FnOnce() -> Result<T, NoSample>,
) -> bool {
    // Some may have gone away.
    let waiting: Vec<_> = waiting.into_iter().filter(|answer| !answer.is_closed()).collect();
    if waiting.is_empty() {
        return false;
    }
    let answer = match take() {
        Err(NoSample::Ended) => return true,
        taken => taken.map(Arc::new),
    };
    for one in waiting {
        // Whoever is gone by now needs none.
        let _ = one.send(answer.clone());
    }
    false
}
