//! What to do by a known mistake, and by a class: the same words for every program.

use crate::model::{CauseClass, Pattern};

/// What helps against a known mistake.
pub(super) const fn of_pattern(pattern: Pattern) -> &'static str {
    match pattern {
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
    }
}

/// What helps against any leak of a class.
pub(super) const fn of_class(class: CauseClass) -> &'static [&'static str] {
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
        CauseClass::HeapGrowth => &[
            "Look for what is only added to: a global map, slice, cache or registry without a bound, and \
             subscribers that nobody removes.",
            "`leak-agent memory --pid PID --save-profile FILE` twice, some minutes apart, or what the program serves at \
             /debug/pprof/heap: `go tool pprof -sample_index=inuse_space -base OLD NEW` names the lines that \
             allocated what stays.",
        ],
        CauseClass::FinalizerCycle => &[
            "Take the pointer that leads back to the object out of what its finalizer or cleanup keeps: set the \
             finalizer on an object of its own that points to nothing of the cycle, and let no closure or argument \
             of a cleanup hold the object.",
            "In a cache of weak pointers let no value lead to its own key, and no entry hold the object itself \
             beside the weak pointer to it.",
            "Close it where its work is done, rather than in a finalizer.",
        ],
        CauseClass::OffHeapGrowth => &[
            "Look at C that is called by cgo (malloc without free), at mmap without munmap, and at libraries \
             that do either: no profile of Go shows it.",
            "`pmap -x PID` twice, some minutes apart, names the mappings that grow.",
        ],
        CauseClass::Resource => &[
            "Look at what is held (`ls -l /proc/PID/fd`, `ss -tnp`): what most of it leads to is what is not \
             given back.",
        ],
        CauseClass::Unknown => &["See the stack: nothing more is known."],
    }
}
