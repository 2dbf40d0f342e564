//! The cause of a finding: what its goroutines do, and what does not happen.

use super::case::Case;
use super::caused::CauseLine;
use super::{not_closed, waits};
use crate::model::{Buffer, Cause, CauseClass, ChannelNumber, Channels, Pattern, WaitClass};

/// The cause of a case of a class; `line` is the line of the program's own that leads to it.
pub(super) fn cause(case: &Case<'_>, class: CauseClass, line: Option<&CauseLine>) -> Cause {
    match class {
        CauseClass::DeadlockCycle => return Cause::DeadlockCycle,
        CauseClass::NotClosed => {
            return Cause::NotClosed {
                what: not_closed::made(case, line).map(|made| made.what),
                below: line.map(|line| line.at.frame),
            };
        }
        _ => {}
    }
    if let Some(wait) = waits::of(case) {
        return Cause::Named(wait);
    }
    match class {
        CauseClass::Loop => Cause::Loop,
        CauseClass::Timer if case.wait() == WaitClass::Sleep => {
            Cause::Sleep { in_endless_loop: case.hints.pattern() == Some(Pattern::LoopForEver) }
        }
        CauseClass::Timer if case.hints.is_worker_loop == Some(false) => Cause::TimerOnly,
        CauseClass::Timer => Cause::Ticker,
        CauseClass::RuntimeInternal => Cause::Finalizer,
        CauseClass::SyscallOrCgo => Cause::SyscallOrCgo,
        CauseClass::NetworkIo if case.keep_connections_alive() => Cause::KeptAlive,
        CauseClass::NetworkIo => Cause::Network,
        CauseClass::ContextNotCancelled => Cause::Context,
        CauseClass::SelectEmpty => Cause::EmptySelect,
        CauseClass::ChannelNil => Cause::NilChannel,
        CauseClass::Select => Cause::Select,
        CauseClass::ChannelSend => Cause::Send(channels(case)),
        CauseClass::ChannelReceive => Cause::Receive(channels(case)),
        CauseClass::Mutex => Cause::Lock { read_write: false },
        CauseClass::Rwmutex => Cause::Lock { read_write: true },
        CauseClass::Cond => Cause::Cond,
        CauseClass::Waitgroup => Cause::WaitGroup { nobody_left: case.life.kin.are_gone() },
        CauseClass::DeadlockCycle
        | CauseClass::Resource
        | CauseClass::NotClosed
        | CauseClass::HeapGrowth
        | CauseClass::FinalizerCycle
        | CauseClass::OffHeapGrowth
        | CauseClass::Unknown => Cause::Unknown,
    }
}

fn channels(case: &Case<'_>) -> Channels {
    let buffer =
        case.life.channel.map(|channel| Buffer { capacity: channel.cap, length: channel.len });
    let number = match case.objects {
        _ if case.count == 1 => ChannelNumber::Single,
        Some(1) => ChannelNumber::Shared,
        Some(own) if own == case.count => ChannelNumber::Each,
        Some(some) => ChannelNumber::Several(some),
        None => ChannelNumber::Unknown,
    };
    Channels { buffer, number }
}
