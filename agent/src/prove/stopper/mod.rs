//! Holds a target still for the moment of a proof: clones it, or freezes it.
//!
//! A small process, forked before the agent gives up what it does not need, traces the target's threads (ptrace). It
//! forks another one for each target, and cleans up behind that one should it be killed. The agent has a socket to
//! it, and reads what is held as it reads any process.
//!
//! # A freeze
//! All threads are told to stop (`PTRACE_SEIZE`, `PTRACE_INTERRUPT`; no signal is sent), until the kernel lists none that
//! does not stand; their registers are read; they are let go when the proof is done, at the latest when the pause is as
//! long as it may be. No register is written. The kernel lets all of them go when the tracer dies, whatever it was doing.
//!
//! # What ends either
//! One time is set for the whole pause, and a timer of the kernel's ends the tracer by SIGKILL 20 ms after it: also where
//! the tracer is stopped, frozen (cgroup v2) or not given a processor, and where it waits in the kernel for what waits for
//! itself. (Who seizes a thread waits while the target is being replaced, `cred_guard_mutex`; and `execve` waits until all
//! other threads have ended, which one that stands does only when its tracer takes note.) A thread that is killed
//! while it stands is taken note of at once; so is a copy that is: a target that is the first process of its pid namespace
//! waits for it when it ends.
//!
//! # A clone
//! All threads are stopped as above. One of them is made to call `clone`, the kernel copies the page tables, and all go
//! on. The copy is traced from birth, and never runs an instruction of the target's program. Its memory is that of the
//! moment in which all threads stood. It closes its descriptors at once, in a table of its own, without having had
//! any but those that it shared (`CLONE_FILES`): no connection stays open because of it. It is no child that
//! the target hears of (no exit signal), and a `wait` for any child does not see it (one with `__WALL` or `__WCLONE`, as a
//! debugger uses, does). When it has ended, a thread of the target is made to call `wait4` for it, so that nothing is left.
//!
//! **Why no death of the tracer does harm.** When a tracer dies, the thread runs on with the registers of that moment.
//! So a thread is chosen to which it makes no difference: one that waits for work in `runtime.futex`, without a limit
//! in time. `FUTEX_WAIT` may return for no reason, and all of the runtime that calls it looks again at what it waits
//! for and waits once more (`futexsleep`, `os_linux.go`: "spurious wakeups are allowed"; it ignores the result).
//! What behind the call is used of registers is what the assembly function returns by: the stack pointer, and
//! on arm64 the link register. These are never changed; all others that are belong to whoever is called (Go's ABI0).
//! So from whichever point the thread runs on, it has been woken for nothing, and waits again.
//!
//! The copy must not run either, should it be born just as the tracer dies. On amd64 the thread is made to call `clone`
//! from the instruction in `runtime.clone`, which stores its result where `runtime.futex` does and returns as that does.
//! The copy goes the other way there, that of a new thread: with registers that say that there is no m and no g it calls
//! the function that it was given, which is the call of `exit` a few instructions on. It ends by itself, having run nine
//! instructions of the runtime's and none of the program. On arm64 `runtime.clone` wants more than registers. There the
//! thread calls `clone` from `runtime.futex`; a copy that nobody stops finds the futex as it was, waits again, and is
//! ended by the process that watches, within milliseconds. Before the threads go on, at its first stop, the
//! kernel is told to end it with the tracer (`PTRACE_O_EXITKILL`, on the copy alone). If the tracer and the one that watches
//! are killed at once, then the copy ends, and stays as a zombie, a pid and no memory; on arm64, if that is between its birth
//! and its first stop, it stays asleep. Whoever clones the target next removes it, and clones nothing if that cannot be.
//!
//! **In which threads it is done**: in none that forks into other namespaces than its own (`unshare(CLONE_NEWPID)`: the
//! copy would be the first process of a new one), nor in one with a seccomp filter, which is looked at when it stands.
//!
//! What of `ptrace` is used and what is not, so that the tracer's death changes no more than that, is in
//! [`crate::host::trace`]: no single step, marked stops in system calls, stops that are only looked at.
//!
//! **Signals** that come for a thread meanwhile are delivered: what a stop has already taken out of the queue is handed
//! over when the thread is let go. If one comes for the thread that is to clone, before it has, then its registers are put back,
//! it keeps its signal, and another is tried. A target that is stopped (SIGSTOP) is held as it stands, and is stopped again after
//! it. **Restartable sequences**: a thread in a system call is in none, and others see nothing but that they did not run.
//!
//! **Filters.** A wait that was interrupted may go on by `restart_syscall`, which no program makes by itself and filters
//! may not allow: so no target with a seccomp filter in any thread is stopped at all. One that installs its first between
//! that look and the stop, microseconds later, is.
//!
//! **What a target may notice.** A pause of all threads, which is predicted from its memory and its threads before
//! it begins, refused where it would be longer than allowed, and measured. Calls that the kernel never begins again
//! (`epoll_wait`, and others of signal(7)) may return `EINTR`, as they do for the signals with which Go preempts. Until
//! the copy ends, a page that is written for the first time is copied, and huge pages are split. The copy counts as one
//! process, and where memory runs out it is the first to go (`oom_score_adj`, where the tracer may write it: as the same
//! user). If the target is
//! replaced (`execve`) while it is cloned, then the new program has a child that it does not know, until that is let go.
//!
//! **What is refused**, with the reason: see [`StopError`].

mod arch;
mod bulk;
mod copy;
mod error;
mod forecast;
mod inject;
mod link;
mod messages;
mod obstacles;
mod pressure;
mod progress;
mod request;
mod server;
mod stat;
mod threads;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

pub use bulk::read_in_pieces;
pub use error::{Early, MemoryOf, StopError};
pub use messages::How;
pub use request::{MAX_PAUSE, Request};

use super::still::{Still, Thread};
use crate::golang::file_memory::FileMemory;
use crate::golang::live::LiveMemory;
use crate::golang::memory::Memory;
use crate::host::status::Status;
use forecast::Forecast;
use link::Link;
use messages::{Answer, Failure, Hold, Left, Order, Why};
use obstacles::Target;
use pressure::Pressure;

/// What stops targets for as long as this value lives: a process of its own.
#[derive(Debug)]
pub struct Stopper {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    /// Of the last order.
    number: AtomicU64,
    /// One target is held at a time.
    is_busy: Mutex<bool>,
    freed: Condvar,
    forecast: Mutex<Forecast>,
    /// How long targets stood that could not be held, not yet told.
    in_vain: Mutex<Vec<Duration>>,
}

impl Stopper {
    /// Forks the process: a copy of this one as it is now, with the power to trace others that this one still has. To be
    /// done before that is given up, and while there is little to copy. Whatever is asked for later, it has no target stand
    /// for longer than `max_pause` (a minute at the most): also if this process should have been taken over by then.
    ///
    /// # Errors
    /// When it cannot be forked.
    pub fn start(max_pause: Duration) -> Result<Self, StopError> {
        let shared = Shared {
            link: Link::start(max_pause).map_err(StopError::Start)?,
            number: AtomicU64::new(0),
            is_busy: Mutex::new(false),
            freed: Condvar::new(),
            forecast: Mutex::new(Forecast::default()),
            in_vain: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.shared.link.pid()
    }

    /// For how long targets stood that could not be held then, since this was last asked.
    #[must_use]
    pub fn take_pauses_in_vain(&self) -> Vec<Duration> {
        std::mem::take(&mut lock(&self.shared.in_vain))
    }

    /// Holds a target still until the value that comes back ends. While another is held, it waits for that.
    ///
    /// # Errors
    /// When there is a reason not to hold it, and when it cannot be held. It runs as before then.
    pub fn hold(&self, request: &Request) -> Result<Held, StopError> {
        let turn = Turn::take(&self.shared);
        let target = Target::of(request.pid)?;
        let forecast = *lock(&self.shared.forecast);
        match request.how {
            Some(how) => match target.obstacle(how, request, &forecast) {
                Some(obstacle) => Err(obstacle),
                None => turn.hold(&target, how, request),
            },
            None => turn.hold_either(&target, request, &forecast),
        }
    }
}

/// Holds the only turn to hold a target.
struct Turn {
    shared: Arc<Shared>,
}

impl Turn {
    fn take(shared: &Arc<Shared>) -> Self {
        let busy = lock(&shared.is_busy);
        let waited = shared.freed.wait_while(busy, |is_busy| *is_busy);
        *waited.unwrap_or_else(PoisonError::into_inner) = true;
        Self { shared: Arc::clone(shared) }
    }

    /// Clones, or else freezes.
    fn hold_either(
        self,
        target: &Target,
        request: &Request,
        forecast: &Forecast,
    ) -> Result<Held, StopError> {
        let against = |how| target.obstacle(how, request, forecast);
        let cloned = match against(How::Clone) {
            Some(obstacle) => Err(obstacle),
            None => self.try_to_hold(target, How::Clone, request),
        };
        let clone = match cloned {
            Ok(answered) => return Ok(self.held(target, request, answered)),
            Err(reason) if reason.speaks_against_cloning_alone() => reason,
            Err(reason) => return Err(reason),
        };
        let frozen = match against(How::Freeze) {
            Some(obstacle) => Err(obstacle),
            None => self.try_to_hold(target, How::Freeze, request),
        };
        match frozen {
            Ok(answered) => {
                let mut held = self.held(target, request, answered);
                held.not_cloned = Some(clone);
                Ok(held)
            }
            Err(freeze) => {
                let (pid, clone) = (target.pid, Box::new(clone));
                Err(StopError::Neither { pid, clone, freeze: Box::new(freeze) })
            }
        }
    }

    fn hold(self, target: &Target, how: How, request: &Request) -> Result<Held, StopError> {
        let answered = self.try_to_hold(target, how, request)?;
        Ok(self.held(target, request, answered))
    }

    fn try_to_hold(
        &self,
        target: &Target,
        how: How,
        request: &Request,
    ) -> Result<Answered, StopError> {
        let number = self.shared.number.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let within = request.max_pause;
        // A target that was stopped before may be told to go on at any time.
        let at_most = match how {
            How::Freeze => request.max_pause.min(request.keep_at_most),
            How::Clone => request.keep_at_most,
        };
        let hold = Hold {
            number,
            how,
            pid: target.pid,
            stop_within_us: u64::try_from(within.as_micros()).unwrap_or(u64::MAX),
            at_most_ms: u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX),
        };
        self.shared.link.say(Order::Hold(hold))?;
        let (answer, threads) = self.shared.link.answer(number)?;
        match answer {
            Answer::Held { copy, stopped_ns, pause_ns, is_closed } => {
                let copying = Duration::from_nanos(pause_ns.saturating_sub(stopped_ns));
                if how == How::Clone {
                    lock(&self.shared.forecast).learn(&target.memory, copying);
                }
                let pause = Duration::from_nanos(pause_ns);
                Ok(Answered { number, how, copy, pause, threads, shares_files: !is_closed })
            }
            Answer::Failed { why, pause_ns } => {
                if pause_ns > 0 {
                    lock(&self.shared.in_vain).push(Duration::from_nanos(pause_ns));
                }
                Err(StopError::of(why, target.pid, within))
            }
            Answer::Ended { .. } => Err(StopError::Died),
        }
    }

    fn held(self, target: &Target, request: &Request, answered: Answered) -> Held {
        let Answered { number, how, copy, pause, mut threads, shares_files } = answered;
        let read = if how == How::Clone { copy } else { request.pid };
        if target.has_own_pids() {
            own_ids(&mut threads);
        }
        let pressure =
            (how == How::Clone).then(|| Pressure::watch(&self.shared, request.pid, number));
        Held {
            memory: memory_of(read, how),
            pid: read,
            number,
            how,
            pause,
            threads,
            shares_files,
            not_cloned: None,
            pressure,
            is_over: false,
            turn: self,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock(&self.shared.is_busy) = false;
        self.shared.freed.notify_one();
    }
}

/// The memory of a copy, whose pages stay the target's too where that can be, or of a target that was frozen.
fn memory_of(pid: u32, how: How) -> Box<dyn Memory + Send + Sync> {
    match how {
        How::Clone => match FileMemory::open(pid) {
            Ok(memory) => Box::new(memory),
            // It is another user's, or has ended, which reading will say.
            Err(_) => Box::new(LiveMemory::new(pid)),
        },
        How::Freeze => Box::new(LiveMemory::new(pid)),
    }
}

struct Answered {
    number: u64,
    how: How,
    copy: u32,
    pause: Duration,
    threads: Vec<Thread>,
    shares_files: bool,
}

/// A target's threads have other ids within its own pid namespace. What has ended since keeps none (0).
fn own_ids(threads: &mut [Thread]) {
    for thread in threads {
        let status = Status::of(thread.tid).ok();
        thread.tid = status.and_then(|it| it.ns_pids.last().copied()).unwrap_or(0);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A target that is held still, until this value ends.
pub struct Held {
    memory: Box<dyn Memory + Send + Sync>,
    pid: u32,
    number: u64,
    how: How,
    pause: Duration,
    threads: Vec<Thread>,
    shares_files: bool,
    not_cloned: Option<StopError>,
    pressure: Option<Pressure>,
    is_over: bool,
    /// The last: what it lets others do must wait for all else.
    turn: Turn,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut it = f.debug_struct("Held");
        it.field("pid", &self.pid).field("how", &self.how).field("pause", &self.pause).finish()
    }
}

/// What became of a target that was held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How long it stood in all.
    pub pause: Duration,
    /// Whether the target has a child that has ended and that it does not know: none of its threads waited for
    /// work, so that none could be made to forget it. It takes a process's id and no memory.
    pub left_a_zombie: bool,
}

impl Held {
    /// What is held: memory that does not change, and the registers of the threads that used it.
    #[must_use]
    pub fn still(&self) -> Still<'_> {
        Still { memory: &*self.memory, threads: self.threads.clone() }
    }

    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &(dyn Memory + Sync) {
        &*self.memory
    }

    /// All threads, as they stood.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }

    /// The process whose memory it is: the copy, or the target itself.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// In which way it is held.
    #[must_use]
    pub const fn how(&self) -> How {
        self.how
    }

    /// How long the target stood until now: of a clone in all, of a freeze until all threads stood.
    #[must_use]
    pub const fn pause(&self) -> Duration {
        self.pause
    }

    /// Why it was frozen, where it might have been cloned.
    #[must_use]
    pub const fn not_cloned(&self) -> Option<&StopError> {
        self.not_cloned.as_ref()
    }

    /// Whether the copy still shares the target's table of descriptors (kernels before 5.9): should the target end
    /// now, then its connections do so only with the copy.
    #[must_use]
    pub const fn shares_files(&self) -> bool {
        self.shares_files
    }

    /// Lets it go. What was read until now is of a program that stood still only if this succeeds.
    ///
    /// # Errors
    /// When it was let go before, or the process that held it was ended.
    pub fn end(mut self) -> Result<Ended, StopError> {
        self.let_go()
    }

    fn let_go(&mut self) -> Result<Ended, StopError> {
        self.is_over = true;
        let was_short = self.pressure.take().is_some_and(|it| it.was_short());
        let link = &self.turn.shared.link;
        // It may have ended by itself; what it said then is still there to be read.
        let said = link.say(Order::Release { number: self.number });
        let answer = match link.answer(self.number) {
            Ok((answer, _)) => answer,
            Err(error) => return Err(said.err().unwrap_or(error)),
        };
        let early = |why| Err(StopError::LetGo { why });
        match answer {
            Answer::Ended { .. } if was_short => early(Early::Memory),
            Answer::Ended { why: Why::Late, .. }
            | Answer::Failed { why: Failure::TookTooLong, .. } => early(Early::Late),
            Answer::Ended { why: Why::CopyEnded, .. } => early(Early::CopyEnded),
            Answer::Ended { why: Why::TargetEnded, .. } if self.how == How::Freeze => {
                early(Early::TargetEnded)
            }
            Answer::Ended { why: Why::Asked | Why::TargetEnded, left, pause_ns } => Ok(Ended {
                pause: Duration::from_nanos(pause_ns),
                left_a_zombie: left == Left::Zombie,
            }),
            Answer::Held { .. } | Answer::Failed { .. } => Err(StopError::Died),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.is_over {
            // Whoever is interested asks by `end`.
            let _ = self.let_go();
        }
    }
}
