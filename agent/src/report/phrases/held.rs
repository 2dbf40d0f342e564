//! That a process could not run, and what follows.

use crate::model::{Halt, Held};
use crate::report::format::duration;

/// What was done to a process.
#[must_use]
pub const fn halt(halt: Halt) -> &'static str {
    match halt {
        Halt::Stopped => "stopped by a signal (SIGSTOP, or a job in the background)",
        Halt::Traced => "stopped by a tracer (a debugger, strace)",
        Halt::Frozen => "frozen by its control group (a paused container)",
    }
}

/// In one sentence: that it could not run, and what follows.
#[must_use]
pub fn held(held: &Held) -> String {
    let of = format!("{} of these {}", duration(held.held), duration(held.window));
    match held.halt {
        Some(halted) if held.always => format!(
            "the process is {}: nothing in it can move; no verdict from waiting",
            halt(halted)
        ),
        Some(halted) => format!(
            "the process is {}, and could not run for {of}; waits count only the time in which it \
             could",
            halt(halted)
        ),
        None if held.always => {
            "the process got hardly any CPU (throttled or starved): nothing in it could move; no \
             verdict from waiting"
                .to_owned()
        }
        None => format!(
            "the process could not run for {of} (stopped, or kept waiting for CPU); waits count only \
             the time in which it could"
        ),
    }
}
