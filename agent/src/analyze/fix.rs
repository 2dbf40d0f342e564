//! What to do about a finding: by its pattern, and by its class.

use super::case::Case;
use super::caused::Cause;
use super::{not_closed, waits};
use crate::model::function::{self, Origin};
use crate::model::{CauseClass, Pattern, WaitClass};

/// Suggestions, most helpful first.
pub(super) fn suggestions(
    case: &Case<'_>,
    class: CauseClass,
    pattern: Option<Pattern>,
    cause: Option<&Cause>,
) -> Vec<String> {
    let given = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    // What is said of every leak of a kind helps only where nothing better is known.
    if let Some(wait) = waits::of(case) {
        return given(wait.fixes);
    }
    if let Some(own) = case.hints.fix.as_ref().filter(|_| pattern == case.hints.pattern) {
        return vec![own.clone()];
    }
    if let Some(use_of_library) = of_library(case, cause) {
        return use_of_library;
    }
    if case.wait() == WaitClass::Sleep {
        return given(&[
            "Wait in a select between time.After (or a time.Timer) and ctx.Done() in place of time.Sleep, and \
             return when the context ends.",
        ]);
    }
    match pattern.and_then(of_pattern) {
        Some(text) => given(&[text]),
        None => given(of_class(class)),
    }
}

/// What to do about a wait within a module that the program uses: nobody is to change that, only how it is
/// used.
fn of_library(case: &Case<'_>, cause: Option<&Cause>) -> Option<Vec<String>> {
    let line = case.blocked_at()?;
    if function::origin(line.function, line.file) != Origin::Dependency {
        return None;
    }
    let library = function::package(line.function);
    if cause.is_some_and(|cause| Some(cause.at.frame) == case.group.blocked_at) {
        return None;
    }
    let is_called = cause.is_some_and(|cause| cause.callee.is_some());
    let made = not_closed::made(case, cause).filter(|_| is_called || case.is_librarys());
    let own = cause.and_then(|cause| case.stacks.lookup(cause.at.frame).ok()).map(|frame| {
        let file = frame.file.rsplit('/').next().unwrap_or(frame.file);
        format!("{} ({file}:{})", function::short(frame.function), frame.line)
    });
    let place = own.map(|own| format!(": it starts at {own}")).unwrap_or_default();
    let first = match made.as_ref().and_then(|made| Some((made, made.close?))) {
        Some((made, close)) => {
            format!("Call {close} on each {} once it is no longer needed{place}.", made.what)
        }
        None => format!(
            "The wait is inside of {library}. End it by the way you use that{place}: close, stop or \
             unsubscribe what was made there, or cancel the context that it was given."
        ),
    };
    let advice = made.and_then(|made| made.advice).map(str::to_owned);
    Some(std::iter::once(first).chain(advice).collect())
}

const fn of_pattern(pattern: Pattern) -> Option<&'static str> {
    Some(match pattern {
        Pattern::PrematureReturn => {
            "Receive on every path of the function, or give the channel a buffer as large as the \
             number of sends."
        }
        Pattern::TimedOutReceiver => {
            "Give the result channel a buffer of one, so that the sender can finish after the \
             receiver has given up."
        }
        Pattern::NCast => {
            "Give the channel a buffer for every sender, or cancel the others once one value has \
             been received."
        }
        Pattern::DoubleSend => "Return after the first send.",
        Pattern::UnclosedRange => {
            "Close the channel when the last value was sent (defer close(ch) in the sender)."
        }
        Pattern::MissingClose => "Close the channel once nothing more will be sent.",
        Pattern::ContractViolation => {
            "Call Stop, Close or Shutdown on what was started, with defer right after the start."
        }
        Pattern::LostCancel => {
            "Keep the cancel function and defer it: ctx, cancel := ...; defer cancel()."
        }
        Pattern::UnclosedBody => "defer resp.Body.Close() right after the error check.",
        Pattern::TickerNotStopped => {
            "defer ticker.Stop(), and leave the loop on ctx.Done(); time.Tick can never be stopped."
        }
        Pattern::LockOnEarlyReturn => "defer mu.Unlock() right after mu.Lock().",
        Pattern::LockOrder => "Take the locks in one order everywhere.",
        Pattern::SelfDeadlock => {
            "Split the function into an outer one that locks and an inner one that expects the lock \
             held."
        }
        Pattern::LostSignal => {
            "Check the condition under the lock before waiting, and change it under the same lock \
             before signalling."
        }
        Pattern::AddDoneMismatch => "defer wg.Done() first in the goroutine, and Add before go.",
        Pattern::NilChannel => "Make the channel before it is used.",
        Pattern::EmptySelect => "Wait for ctx.Done() in place of select {}.",
        Pattern::BlockedProducer => {
            "select on ctx.Done() beside the send, so that the producer ends with its consumer."
        }
        Pattern::BlockedConsumer => {
            "Close the channel when its producer ends, or select on ctx.Done() beside the receive."
        }
        Pattern::LoopForEver => "Check ctx.Err() in the loop, and return when it is set.",
        Pattern::NoDeadline => {
            "Set a deadline (SetReadDeadline, http.Client.Timeout, or a context with a timeout)."
        }
        Pattern::BlockedFinalizer => {
            "Let the finalizer start a goroutine for anything that can block."
        }
    })
}

const fn of_class(class: CauseClass) -> &'static [&'static str] {
    match class {
        CauseClass::ChannelSend => &[
            "Give the channel a buffer of one, or select on ctx.Done() beside the send.",
            "Let the receiver drain the channel before it returns.",
        ],
        CauseClass::ChannelReceive => {
            &["Close the channel when its sender ends.", "select on ctx.Done() beside the receive."]
        }
        CauseClass::ChannelNil => &["Find where the channel should have been made."],
        CauseClass::Select => &["Add a case for ctx.Done(), and cancel the context."],
        CauseClass::SelectEmpty => &["End the goroutine when its work is done."],
        CauseClass::Mutex | CauseClass::Rwmutex => &[
            "defer the Unlock right after the Lock.",
            "Do not call out (network, channels, callbacks) while the lock is held.",
        ],
        CauseClass::Cond => &["Signal or Broadcast whenever the condition may have changed."],
        CauseClass::Waitgroup => &["Make sure that each Add has its Done on every path."],
        CauseClass::DeadlockCycle => {
            &["Never take a second lock while one is held, or keep one order."]
        }
        CauseClass::ContextNotCancelled => {
            &["Cancel the context when its work is done; give it a timeout where it has an end."]
        }
        CauseClass::NetworkIo => &["Set a deadline on the connection, or a timeout on the client."],
        CauseClass::Timer => &["Stop the ticker or timer, and leave the loop when its owner ends."],
        CauseClass::Loop => &["Give the loop an end: a context, a count, or a closed channel."],
        CauseClass::RuntimeInternal => &["Move what blocks out of the finalizer."],
        CauseClass::SyscallOrCgo => &["Give the call a timeout, or a way to interrupt it."],
        CauseClass::NotClosed => &["Close what is made when its work is done, or make it once."],
        CauseClass::Unknown => &["Look at the stack: nothing more is known."],
    }
}

#[cfg(test)]
mod tests;
