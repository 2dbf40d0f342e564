//! Mistakes with locks, wait groups and conditions.

use crate::model::source_rule::{LockMistake, WaitMistake};

/// Why the lock is not released.
pub(super) fn shows(mistake: &LockMistake) -> String {
    match mistake {
        LockMistake::TakenTwice { lock, first, again, .. } => format!(
            "Line {first} takes {lock} already; line {again} takes it again before it is released."
        ),
        LockMistake::Upgraded { lock, read, write } => format!(
            "Line {read} takes {lock} for reading; the Lock of line {write} waits until that is released."
        ),
        LockMistake::HeldOfAnother { lock, taken, held, held_since } => {
            format!("Line {taken} takes {lock} while {held} is held since line {held_since}.")
        }
        LockMistake::HeldByCaller { lock, function, call, held_since, again, .. } => format!(
            "Line {call} calls {function} with {lock} held since line {held_since}; line {again} takes it again."
        ),
        LockMistake::BothOrders { lock, one, other } => format!(
            "Line {one} takes {lock} while another lock is held; line {other} takes that one while {lock} is held."
        ),
        LockMistake::NeverReleased { lock, taken } => {
            format!("The function that takes {lock} in line {taken} never releases it.")
        }
        LockMistake::LeftHeld { lock, taken, skip, .. } => {
            format!("Line {skip} leaves with {lock} still held since line {taken}.")
        }
    }
}

pub(super) fn fix(mistake: &LockMistake) -> String {
    match mistake {
        LockMistake::TakenTwice { lock, again, .. } => format!(
            "Unlock {lock} before line {again}, or take it once and call what needs it with the lock held."
        ),
        LockMistake::Upgraded { lock, read, write } => format!(
            "RUnlock {lock} before line {write}, and check again under the Lock what was read; or Lock it in line {read}."
        ),
        LockMistake::HeldOfAnother { taken, held_since, .. } => format!(
            "Take the locks of lines {held_since} and {taken} in one order, such as by an id of the values, whichever comes first."
        ),
        LockMistake::HeldByCaller { function, call, .. } => format!(
            "Unlock before the call in line {call}, or give {function} a form that expects the lock to be held."
        ),
        LockMistake::BothOrders { one, other, .. } => format!(
            "Take the two locks in one order everywhere: change line {one} or line {other}."
        ),
        // Deferred, the Unlock would come after what the function waits for.
        LockMistake::LeftHeld { lock, skip, waits_after: true, .. } => {
            format!("Unlock {lock} before line {skip} leaves.")
        }
        LockMistake::NeverReleased { lock, taken }
        | LockMistake::LeftHeld { lock, taken, waits_after: false, .. } => {
            format!("Defer the Unlock of {lock} right after line {taken}.")
        }
    }
}

/// Why the wait does not end.
pub(super) fn shows_wait(mistake: &WaitMistake) -> String {
    match mistake {
        WaitMistake::Copied { parameter, done } => {
            format!("Line {done} calls Done on a copy: {parameter} is given by value.")
        }
        WaitMistake::NoDone { group, wait } => {
            format!("Nothing in the files at hand calls {group}.Done; line {wait} waits for it.")
        }
        WaitMistake::DoneSkipped { skip, done, .. } => {
            format!("Line {skip} returns without the Done of line {done}.")
        }
        WaitMistake::NothingStarted { add, jump } => {
            format!("Line {jump} leaves after the Add of line {add} without starting a goroutine.")
        }
        WaitMistake::TooFewDones { added, dones, add } => {
            let calls = if *dones == 1 { "call of Done is" } else { "calls of Done are" };
            format!("Line {add} adds up to {added}, and {dones} {calls} there.")
        }
        WaitMistake::WaitInLoop { add, wait } => {
            format!("Line {wait} waits inside the loop for all that line {add} adds before it.")
        }
        WaitMistake::DoneOnSomePaths { done, .. } => {
            format!("The Done of line {done} is reached on some paths only.")
        }
        WaitMistake::LostSignal { wait, signal, .. } => format!(
            "Line {wait} waits without a condition that it checks in a loop: if line {signal} signals first, the signal is lost."
        ),
    }
}

pub(super) fn fix_wait(mistake: &WaitMistake) -> String {
    match mistake {
        WaitMistake::Copied { parameter, .. } => format!("Give {parameter} as *sync.WaitGroup."),
        WaitMistake::NoDone { group, .. } => {
            format!("Defer {group}.Done in each goroutine that {group}.Add counts.")
        }
        // Deferred, the Done would come after what the goroutine waits for.
        WaitMistake::DoneSkipped { group, skip, waits_after: true, .. } => {
            format!("Call {group}.Done before the return in line {skip} too.")
        }
        WaitMistake::DoneSkipped { group, done, waits_after: false, .. }
        | WaitMistake::DoneOnSomePaths { group, done } => {
            format!("Defer {group}.Done at the start of the goroutine, in place of line {done}.")
        }
        WaitMistake::NothingStarted { add, .. } => {
            format!("Move the Add of line {add} to right before the go statement.")
        }
        WaitMistake::TooFewDones { add, .. } => {
            format!("Make the Add of line {add} fit the number of goroutines that call Done.")
        }
        WaitMistake::WaitInLoop { wait, .. } => {
            format!("Move the Wait of line {wait} behind the loop.")
        }
        WaitMistake::LostSignal { cond, wait, signal } => format!(
            "Keep what {cond} stands for in a variable under its lock, set it before line {signal}, and wait in line {wait} in a loop while it is not set."
        ),
    }
}
