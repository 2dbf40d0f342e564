//! Holds one target still, until it is told to let go.
//!
//! Runs behind a fork: no allocation, no lock, no panic. Whatever goes wrong, this process ends, and with it everything
//! that it traces goes on. As long as threads stand it ends at a time that the kernel keeps ([`Deadline`]): also where it
//! waits in the kernel for what waits for itself, such as a target that is about to be replaced, and where it is stopped,
//! frozen, or not given a processor.

use super::copy::{self, Copy};
use super::messages::{Answer, Failure, Hold, How, Left, Order, Why, bytes, words};
use super::progress::Progress;
use super::stat::Stat;
use super::threads::Threads;
use crate::host::bare::{self, Deadline, Fd};
use crate::host::forked::end;
use crate::host::trace::{self, Seen};

/// How long a target is given to forget its copy: one of its threads must wait for work.
const REAPING_NS: u64 = 30_000_000_000;
/// How long this process may be late before the kernel ends it, while a target stands.
const LATE_NS: u64 = 20_000_000;
/// The same, while only a copy does.
const COPY_LATE_NS: u64 = 10_000_000_000;
/// What the kernel takes at most to end a copy with much memory, and what to let it close its descriptors.
const CLOSING_NS: u64 = 40_000_000_000;
/// How often is looked for what the kernel does not say, while a target stands.
const LOOK_MS: u64 = 5;
/// How often is looked whether a target has ended, where the kernel does not say.
const LOOK_AT_COPY_MS: u64 = 20;
/// The most that is waited for at once.
const WAIT_MS: u64 = 1000;

/// Does what an order says, answers, and ends. What it could not do, the one that watches says, when it has cleaned up
/// behind it.
pub(super) fn work(hold: &Hold, progress: &Progress) -> ! {
    match held(hold, progress) {
        Ok(answer) => {
            progress.set_clean();
            say(hold, answer, u64::MAX);
            progress.set_told();
        }
        Err(failure) => progress.set_failure(failure),
    }
    end()
}

/// Stops the target, and holds it or a copy of it until it is to be let go.
fn held(hold: &Hold, progress: &Progress) -> Result<Answer, Failure> {
    progress.set_since(Stat::of_self().ok_or(Failure::Refused(libc::ENOENT))?.start);
    let process = match Fd::of_process(hold.pid) {
        Ok(process) => Some(process),
        Err(libc::ESRCH) => return Err(Failure::Gone),
        Err(_) => None,
    };
    let mut threads = Threads::new().ok_or(Failure::Refused(libc::ENOMEM))?;
    let deadline = Deadline::new();
    match hold.how {
        How::Freeze => freeze(hold, progress, process.as_ref(), &deadline, &mut threads),
        How::Clone => clone(hold, progress, process.as_ref(), &deadline, &mut threads),
    }
}

/// Has the kernel end this process a little after a time, until which a target may stand.
fn end_after(until: u64, deadline: &Deadline, progress: &Progress) -> Result<(), Failure> {
    let at = until.saturating_add(LATE_NS);
    progress.set_deadline(Some(at));
    // Where the kernel keeps no time for others, nothing is stopped.
    deadline.set(at).then_some(()).ok_or(Failure::Refused(libc::EAGAIN))
}

fn freeze(
    hold: &Hold,
    progress: &Progress,
    process: Option<&Fd>,
    deadline: &Deadline,
    threads: &mut Threads,
) -> Result<Answer, Failure> {
    let began = bare::now_ns();
    let since = || bare::now_ns().saturating_sub(began);
    let until = began.saturating_add(hold.at_most_ms.saturating_mul(1_000_000));
    let stop_until = began.saturating_add(hold.stop_within_us.saturating_mul(1000)).min(until);
    end_after(until, deadline, progress)?;
    progress.stop(began);
    let stopped = threads.stop(hold.pid, stop_until).and_then(|()| threads.record());
    let stopped_ns = since();
    let answer = stopped.map(|()| {
        let held = Answer::Held { copy: 0, stopped_ns, pause_ns: stopped_ns, is_closed: true };
        // Who does not listen waits for nothing.
        let heard = threads.tell(hold.number, until) && say(hold, held, until);
        heard.then(|| wait(hold, until, process, None, threads))
    });
    threads.let_go();
    progress.go_on(since());
    // Those that are still about to end when this process does are forgotten by the kernel.
    let why = answer?.ok_or(Failure::TookTooLong)?;
    Ok(Answer::Ended { why, left: Left::Nothing, pause_ns: since() })
}

fn clone(
    hold: &Hold,
    progress: &Progress,
    process: Option<&Fd>,
    deadline: &Deadline,
    threads: &mut Threads,
) -> Result<Answer, Failure> {
    if !copy::remove_earlier(hold.pid, deadline) {
        return Err(Failure::OldCopy);
    }
    let began = bare::now_ns();
    let since = || bare::now_ns().saturating_sub(began);
    // For all of it: to stop it, to copy it, to let it go.
    let until = began.saturating_add(hold.stop_within_us.saturating_mul(1000));
    end_after(until, deadline, progress)?;
    progress.stop(began);
    let stopped = threads.stop(hold.pid, until).and_then(|()| threads.record());
    let stopped_ns = since();
    let made = stopped.and_then(|()| copy::make(threads, progress, until));
    let bound = made.and_then(|copy| copy.bind(until).map(|()| copy));
    threads.let_go();
    let pause_ns = since();
    progress.go_on(pause_ns);
    progress.set_deadline(None);
    let copy = bound?;
    threads.forget_ended();
    deadline.set(bare::now_ns().saturating_add(COPY_LATE_NS));
    copy.offer_first();
    let is_closed = copy.close()?;
    let held = Answer::Held { copy: copy.pid, stopped_ns, pause_ns, is_closed };
    let now = bare::now_ns();
    let until = now.saturating_add(hold.at_most_ms.saturating_mul(1_000_000));
    deadline.set(until.saturating_add(COPY_LATE_NS));
    let heard = threads.tell(hold.number, until) && say(hold, held, until);
    let why = if heard { wait(hold, until, process, Some(&copy), threads) } else { Why::Asked };
    deadline.set(bare::now_ns().saturating_add(CLOSING_NS));
    copy.end();
    deadline.clear();
    // A target that seems to have ended may have been replaced: some kernels say of its pidfd for a moment that it has.
    let is_gone = copy.reap(hold.pid, deadline, REAPING_NS);
    let left = if is_gone { Left::Nothing } else { Left::Zombie };
    Ok(Answer::Ended { why, left, pause_ns })
}

fn say(hold: &Hold, answer: Answer, until_ns: u64) -> bool {
    let message = bytes(answer.words(hold.number));
    if until_ns == u64::MAX { bare::send(&message) } else { bare::send_until(&message, until_ns) }
}

/// Waits until what is held is to be let go: the copy, or where there is none the target itself.
fn wait(
    hold: &Hold,
    until: u64,
    process: Option<&Fd>,
    copy: Option<&Copy>,
    threads: &mut Threads,
) -> Why {
    let copy_process = copy.and_then(|copy| Fd::of_process(copy.pid).ok());
    loop {
        let left = until.saturating_sub(bare::now_ns()) / 1_000_000;
        // A thread that was killed while it stood keeps its process from ending until its end is taken note of.
        let none_lingers = threads.forget_ended();
        let is_told = process.is_some() && copy_process.is_some() && none_lingers;
        let longest = match copy {
            None => LOOK_MS,
            Some(_) if is_told => WAIT_MS,
            Some(_) => LOOK_AT_COPY_MS,
        };
        let ready = bare::wait_for([process, copy_process.as_ref()], left.min(longest) as u32);
        let [target_ended, copy_ended] = ready.processes;
        let has_ended =
            || process.is_none() && Stat::of(hold.pid).is_none_or(|it| it.state == b'Z');
        if target_ended || has_ended() || (copy.is_none() && !threads.have_all_stood()) {
            return Why::TargetEnded;
        }
        // Somebody may wait for it, such as a target that is the first process of its pid namespace and ends.
        if let Some(copy) = copy
            && (copy_ended || copy_process.is_none())
            && matches!(trace::look(copy.pid), Seen::Ended | Seen::Unknown)
        {
            return Why::CopyEnded;
        }
        if ready.socket {
            let mut room = [0; 64];
            let len = bare::receive(&mut room);
            let order = words(room.get(..len).unwrap_or_default()).and_then(Order::from_words);
            // Anything else is about something that is over.
            if len == 0 || order == Some(Order::Release { number: hold.number }) {
                return Why::Asked;
            }
        } else if left == 0 {
            return Why::Late;
        }
    }
}
