//! The process that stops targets: forks one for each, and cleans up behind it.
//!
//! Runs behind a fork: no allocation, no lock, no panic.

use std::ffi::CStr;
use std::io;
use std::os::fd::BorrowedFd;

use super::copy;
use super::messages::{Answer, Hold, Order, bytes, words};
use super::progress::Progress;
use super::worker;
use crate::host::bare;
use crate::host::forked::{Forked, end, in_another};

/// What it is called, and what it forks. The kernel keeps 15 bytes of a name.
const NAME: &CStr = c"leak-agent-stop";

/// `CAP_SYS_PTRACE`: what tracing other users' processes needs.
const TRACING: u64 = 1 << 19;

/// How often a target is cleaned that was not clean then: who cleans may be killed too.
const MAX_CLEANINGS: usize = 5;

/// Forks it, with its end of a socket, and gives its pid.
pub(super) fn fork_server(socket: BorrowedFd<'_>) -> io::Result<i32> {
    Forked { name: NAME, keeps: TRACING, run: serve }.start(socket)
}

/// Does what it is told, one target after the other, until the agent is gone.
fn serve() -> ! {
    let Some(progress) = Progress::share() else { end() };
    let mut limit_us = None;
    loop {
        let mut room = [0; 64];
        match bare::receive(&mut room) {
            0 => end(),
            len => {
                let order = words(room.get(..len).unwrap_or_default()).and_then(Order::from_words);
                match order {
                    Some(Order::Limit { pause_us }) => {
                        limit_us.get_or_insert(pause_us);
                    }
                    Some(Order::Hold(hold)) => {
                        hold_one(&hold.within(limit_us.unwrap_or(0)), &progress);
                    }
                    // Of what has ended by itself meanwhile.
                    Some(Order::Release { .. }) | None => {}
                }
            }
        }
    }
}

fn hold_one(hold: &Hold, progress: &Progress) {
    progress.begin(hold);
    in_another(|| worker::work(hold, progress));
    let pause_ns = progress.pause_ns();
    for _ in 0..MAX_CLEANINGS {
        if !progress.must_clean() {
            break;
        }
        in_another(|| clean(progress));
    }
    if !progress.is_told() {
        let answer = Answer::Failed { why: progress.failure(), pause_ns };
        bare::send(&bytes(answer.words(progress.number())));
    }
}

/// Removes what is left of a copy whose tracer was killed.
fn clean(progress: &Progress) -> ! {
    if copy::sweep(progress) {
        progress.set_clean();
    }
    end()
}
