//! Mistakes with what was started and has to be ended.

use crate::model::source_rule::EndMistake;

/// What is not ended.
pub(super) fn shows(mistake: &EndMistake) -> String {
    match mistake {
        EndMistake::CancelDropped { context, made } => {
            format!("Line {made} drops the cancel function of {context}.")
        }
        EndMistake::CancelNeverCalled { cancel, made } => {
            format!("Nothing in the files at hand calls {cancel}, which line {made} makes.")
        }
        EndMistake::CancelHandedOn { cancel, made, given, skip: Some(skip) } => format!(
            "Line {given} hands on {cancel}, which line {made} makes, and line {skip} returns without a call of it."
        ),
        EndMistake::CancelHandedOn { cancel, made, given, skip: None } => format!(
            "Line {given} hands on {cancel}, which line {made} makes; whoever has it then has not called it."
        ),
        EndMistake::CancelSkipped { cancel, call, skip, .. } => {
            format!("Line {skip} returns without the {cancel}() of line {call}.")
        }
        EndMistake::TickerStopped { channel, receive, stop } => format!(
            "Line {stop} stops the ticker, which does not close {channel}: line {receive} then waits for ever."
        ),
        EndMistake::TickerNotStopped { made, tick } => format!(
            "The ticker of line {made} is never stopped, and the loop around line {tick} has no way out."
        ),
        EndMistake::SleepsForEver { sleep } => {
            format!("Line {sleep} sleeps in a loop that nothing ends.")
        }
        EndMistake::BodyNotClosed { response, made } => {
            format!("The body of {response} (line {made}) is never closed.")
        }
        EndMistake::NoDeadline { line } => format!(
            "Line {line} reads or writes, and nothing in the files at hand sets a deadline."
        ),
    }
}

pub(super) fn fix(mistake: &EndMistake) -> String {
    match mistake {
        EndMistake::CancelDropped { made, .. } => {
            format!("Keep the cancel function that line {made} drops, and defer it.")
        }
        EndMistake::CancelNeverCalled { cancel, made }
        | EndMistake::CancelSkipped { cancel, made, .. } => {
            format!("Defer {cancel}() right after line {made}.")
        }
        EndMistake::CancelHandedOn { cancel, given, skip: Some(skip), .. } => format!(
            "Call {cancel}() before line {skip} returns, and wherever the work ends for which line {given} hands it on."
        ),
        EndMistake::CancelHandedOn { cancel, given, skip: None, .. } => {
            format!("Call {cancel}() wherever the work ends for which line {given} hands it on.")
        }
        EndMistake::TickerStopped { channel, receive, stop } => format!(
            "Select in line {receive} between {channel} and a channel that is closed where line {stop} stops the ticker."
        ),
        EndMistake::TickerNotStopped { tick, .. } => format!(
            "Select in line {tick} between the tick and the end of a context; use time.NewTicker and defer its Stop."
        ),
        EndMistake::SleepsForEver { sleep } => format!(
            "Select in line {sleep} between time.After and the end of a context, and return there."
        ),
        EndMistake::BodyNotClosed { response, made } => {
            format!("After the error check of line {made}: defer {response}.Body.Close().")
        }
        EndMistake::NoDeadline { line } => {
            format!("Set a deadline before line {line} (SetDeadline, or the client's Timeout).")
        }
    }
}
