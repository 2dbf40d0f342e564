//! Holds one target still, until it is told to let go.
//!
//! Runs behind a fork: no allocation, no lock, no panic. Whatever goes wrong, this process ends, and with it everything
//! that it traces goes on.

use super::copy;
use super::messages::{Answer, Failure, Hold, How, Left, Order, Why, bytes, words};
use super::progress::Progress;
use super::stat::Stat;
use super::threads::Threads;
use crate::host::bare::{self, Fd};
use crate::host::forked::end;

/// How long a target is given to forget its copy: one of its threads must wait for work.
const REAPING_NS: u64 = 30_000_000_000;
/// How often is looked whether a target has ended, where the kernel does not say.
const LOOK_MS: u64 = 20;

/// Does what an order says, answers, and ends. What it could not do, the one that watches says, when it has cleaned up
/// behind it.
pub(super) fn work(hold: &Hold, progress: &Progress) -> ! {
    match held(hold, progress) {
        Ok(answer) => {
            progress.set_clean();
            say(hold, answer);
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
    let began = bare::now_ns();
    let since = || bare::now_ns().saturating_sub(began);
    let until = began.saturating_add(hold.stop_within_us.saturating_mul(1000));
    let stopped = threads.stop(hold.pid, until).and_then(|()| threads.record());
    let stopped_ns = since();
    if hold.how == How::Freeze {
        let answer = stopped.map(|()| {
            let held = Answer::Held { copy: 0, stopped_ns, pause_ns: stopped_ns, is_closed: true };
            // Who does not listen waits for nothing.
            let heard = threads.tell(hold.number) && say(hold, held);
            if heard { wait(hold, process.as_ref(), began) } else { Why::Asked }
        });
        threads.let_go();
        return answer.map(|why| Answer::Ended { why, left: Left::Nothing, pause_ns: since() });
    }
    let made = stopped.and_then(|()| copy::make(&mut threads, progress));
    threads.let_go();
    let pause_ns = since();
    let mut copy = made?;
    let is_closed = copy.bind()?;
    let held = Answer::Held { copy: copy.pid, stopped_ns, pause_ns, is_closed };
    let heard = threads.tell(hold.number) && say(hold, held);
    let now = bare::now_ns();
    let why = if heard { wait(hold, process.as_ref(), now) } else { Why::Asked };
    copy.end();
    // Who takes over the children of a target that has ended reaps them.
    let is_gone = why == Why::TargetEnded || copy.reap(hold.pid, REAPING_NS);
    let left = if is_gone { Left::Nothing } else { Left::Zombie };
    Ok(Answer::Ended { why, left, pause_ns })
}

fn say(hold: &Hold, answer: Answer) -> bool {
    bare::send(&bytes(answer.words(hold.number)))
}

/// Waits until what is held since a moment is to be let go.
fn wait(hold: &Hold, process: Option<&Fd>, since_ns: u64) -> Why {
    let until = since_ns.saturating_add(hold.at_most_ms.saturating_mul(1_000_000));
    loop {
        let left = until.saturating_sub(bare::now_ns()) / 1_000_000;
        let now = left.min(if process.is_some() { 1000 } else { LOOK_MS });
        let ready = bare::wait_for(process, now as u32);
        let has_ended = process.is_none() && Stat::of(hold.pid).is_none_or(|it| it.state == b'Z');
        if ready.process || has_ended {
            return Why::TargetEnded;
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
