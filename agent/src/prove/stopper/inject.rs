//! A system call made in a thread of another process, by its registers alone: nothing is written to its memory.
//!
//! Runs behind a fork: no allocation, no lock, no panic.

use super::arch;
use crate::host::bare;
use crate::host::forked::end;
use crate::host::trace::{self, Registers, Seen};

/// In which a thread that was killed has ended.
const LEAVING_NS: u64 = 1_000_000_000;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Injected {
    /// What it returned, and whom it cloned, if it did. The thread stands behind it, with the registers it is to go on
    /// with.
    Returned { value: i64, cloned: Option<u32> },
    /// A signal came before it was made, or the process was stopped (0). The thread stands, as above.
    Interrupted(i32),
    /// The thread has ended.
    Ended,
    /// It has not come back in time. It runs, or will, with the registers of the call.
    Late,
}

/// Makes a call with some registers in a thread that stands, and sets others behind it.
pub(super) fn call(thread: u32, with: &Registers, after: &Registers, until_ns: u64) -> Injected {
    if trace::set_registers(thread, *with).is_err() {
        return Injected::Ended;
    }
    let mut entered = false;
    let mut cloned = None;
    loop {
        match next(thread, until_ns) {
            Seen::Call if !entered => entered = true,
            Seen::Cloned => cloned = trace::cloned(thread).ok(),
            Seen::Call => {
                let value = trace::registers(thread).map(|registers| arch::returned(&registers));
                return match (value, trace::set_registers(thread, *after)) {
                    (Ok(value), Ok(())) => Injected::Returned { value, cloned },
                    _ => Injected::Ended,
                };
            }
            seen @ (Seen::Signal(_) | Seen::Standing | Seen::Other(_)) => {
                let signal = if let Seen::Signal(signal) = seen { signal } else { 0 };
                return match trace::set_registers(thread, *after) {
                    Ok(()) => Injected::Interrupted(signal),
                    Err(_) => Injected::Ended,
                };
            }
            Seen::Running => return Injected::Late,
            Seen::Ended | Seen::Unknown => return Injected::Ended,
        }
    }
}

/// Lets a thread that was stopped go, or takes note of its end. Should it neither stand nor end, then this process ends,
/// and whoever watches it goes on: as long as it lives, a thread that stops late would stand.
pub(super) fn leave(thread: u32, signal: i32) {
    let until = bare::now_ns().wrapping_add(LEAVING_NS);
    while trace::detach(thread, signal).is_err() {
        if matches!(trace::look(thread), Seen::Ended | Seen::Unknown) {
            return;
        }
        if bare::now_ns() > until {
            end();
        }
        bare::sleep_us(20);
    }
}

/// Lets a thread run to its next stop.
fn next(thread: u32, until_ns: u64) -> Seen {
    match trace::run_to_call(thread) {
        Ok(()) => until_stopped(thread, until_ns),
        Err(_) => Seen::Unknown,
    }
}

/// Waits until a thread has stopped or ended; [`Seen::Running`] when the time is over.
pub(super) fn until_stopped(thread: u32, until_ns: u64) -> Seen {
    for round in 0_u32.. {
        match trace::look(thread) {
            Seen::Running if bare::now_ns() > until_ns => return Seen::Running,
            Seen::Running => {}
            seen => return seen,
        }
        if round < 256 { bare::give_way() } else { bare::sleep_us(20) }
    }
    Seen::Running
}
