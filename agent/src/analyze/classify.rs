//! The cause class of a case: from its wait, its stack, its channel, and its source.

use super::case::Case;
use super::caused::CauseLine;
use super::code::{Awaits, Confidence};
use super::detect::is_finalizer;
use crate::model::{CauseBasis, CauseClass, LockWait, Pattern, Verdict, WaitClass};

/// Functions whose wait is one for the network, whatever it looks like to the scheduler.
const NETWORK: [&str; 6] = [
    "net/http.(*persistConn).roundTrip",
    "net/http.(*persistConn).readLoop",
    "net/http.(*Transport).getConn",
    "net.(*Resolver).lookupIPAddr",
    "net.(*Dialer).DialContext",
    "net/http.(*http2ClientConn).RoundTrip",
];

/// What kind of leak a case is, if it is one. `grows` is whether it does as leaks do.
pub(super) fn class(
    case: &Case<'_>,
    lock_wait: &LockWait,
    cause: Option<&CauseLine>,
    grows: bool,
) -> CauseClass {
    if !lock_wait.cycle.is_empty() || takes_twice(case) {
        return CauseClass::DeadlockCycle;
    }
    if is_finalizer(case) {
        return CauseClass::RuntimeInternal;
    }
    if grows && is_not_closed(case, cause) {
        return CauseClass::NotClosed;
    }
    match case.wait() {
        WaitClass::ChanSend => CauseClass::ChannelSend,
        WaitClass::ChanReceive | WaitClass::Select => waiting(case),
        WaitClass::NilChannel => CauseClass::ChannelNil,
        WaitClass::EmptySelect => CauseClass::SelectEmpty,
        // The writer's own lock inside of the read-write mutex.
        WaitClass::Mutex if case.calls("sync.(*RWMutex).Lock") => CauseClass::Rwmutex,
        WaitClass::Mutex => CauseClass::Mutex,
        WaitClass::RwMutex => CauseClass::Rwmutex,
        WaitClass::Cond => CauseClass::Cond,
        WaitClass::WaitGroup => CauseClass::Waitgroup,
        WaitClass::IoWait if is_file(case) => CauseClass::SyscallOrCgo,
        WaitClass::IoWait => CauseClass::NetworkIo,
        WaitClass::Sleep => CauseClass::Timer,
        WaitClass::Syscall | WaitClass::Cgo => CauseClass::SyscallOrCgo,
        WaitClass::Runtime => CauseClass::RuntimeInternal,
        WaitClass::Running | WaitClass::Runnable => CauseClass::Loop,
        WaitClass::Semaphore | WaitClass::Unknown => CauseClass::Unknown,
    }
}

/// Whether the source shows that they wait for a lock which their own path has taken, and nothing contradicts it.
fn takes_twice(case: &Case<'_>) -> bool {
    matches!(case.wait(), WaitClass::Mutex | WaitClass::RwMutex)
        && case.hints.pattern() == Some(Pattern::SelfDeadlock)
        && case.hints.is_as_sure_as(Confidence::Medium)
        && !case.locks.contradicts_source()
}

/// Whether they are the background goroutines of something that is made again and again. One of a kind that
/// says more, such as the ends of a connection whose response nobody reads, is told by its wait.
fn is_not_closed(case: &Case<'_>, cause: Option<&CauseLine>) -> bool {
    if case.are_coroutines() || waits_for_child(case) || case.accepts_connections() {
        return true;
    }
    let is_own = cause.is_some_and(|cause| {
        matches!(cause.at.basis, CauseBasis::Stack | CauseBasis::CreationSite)
    });
    !is_own && case.is_librarys() && !says_more(case)
}

/// Whether they wait for the output of a child process, which outlives the child where one of its own
/// children holds the pipe.
fn waits_for_child(case: &Case<'_>) -> bool {
    case.calls("os/exec.(*Cmd).Wait") && case.wait() == WaitClass::ChanReceive
}

fn says_more(case: &Case<'_>) -> bool {
    let body = case.calls("net/http.(*persistConn).readLoop") && case.wait() == WaitClass::Select;
    body || case.keep_connections_alive() || in_context(case)
}

fn in_context(case: &Case<'_>) -> bool {
    case.functions().any(|function| {
        function.starts_with("context.propagateCancel.func")
            || function.starts_with("context.(*cancelCtx).propagateCancel.func")
    })
}

/// A receive or a select: for what?
fn waiting(case: &Case<'_>) -> CauseClass {
    if in_context(case) || case.hints.awaits == Awaits::Context {
        return CauseClass::ContextNotCancelled;
    }
    if NETWORK.iter().any(|name| case.calls(name)) {
        return CauseClass::NetworkIo;
    }
    // Of what is proven to leak the timer was stopped: a running one is a root.
    let may_fire = case.life.proven == 0;
    if may_fire && case.hints.awaits == Awaits::Timer {
        return CauseClass::Timer;
    }
    if case.wait() == WaitClass::Select {
        return CauseClass::Select;
    }
    if may_fire && case.life.channel.is_some_and(|channel| channel.looks_like_timer()) {
        return CauseClass::Timer;
    }
    CauseClass::ChannelReceive
}

/// Files, pipes and terminals share the network's poller.
fn is_file(case: &Case<'_>) -> bool {
    case.frames().any(|frame| frame.function.starts_with("os.(*File)."))
}

/// The known mistake that a case looks like, where its source says nothing.
pub(super) fn pattern(
    case: &Case<'_>,
    class: CauseClass,
    verdict: Verdict,
    lock_wait: &LockWait,
) -> Option<Pattern> {
    if let [first, others @ ..] = lock_wait.cycle.as_slice() {
        // A reader that reads again waits for a writer, which waits for the reader: one lock all the same.
        let is_one_lock = others.iter().all(|waiter| waiter.object == first.object);
        return Some(if is_one_lock { Pattern::SelfDeadlock } else { Pattern::LockOrder });
    }
    if class == CauseClass::RuntimeInternal {
        return Some(Pattern::BlockedFinalizer);
    }
    // The source of a read does not tell a connection from a file or pipe.
    let fits =
        |pattern: &Pattern| *pattern != Pattern::NoDeadline || class == CauseClass::NetworkIo;
    if let Some(pattern) = case.hints.pattern_at(verdict).filter(fits) {
        return Some(pattern);
    }
    if case.calls("io.(*pipe).write") {
        return Some(Pattern::BlockedProducer);
    }
    if case.calls("io.(*pipe).read") {
        return Some(Pattern::MissingClose);
    }
    match class {
        CauseClass::ChannelNil => Some(Pattern::NilChannel),
        CauseClass::SelectEmpty => Some(Pattern::EmptySelect),
        CauseClass::NetworkIo if case.calls("net/http.(*persistConn).readLoop") => {
            Some(Pattern::UnclosedBody)
        }
        CauseClass::NetworkIo if case.keep_connections_alive() => None,
        CauseClass::NetworkIo => Some(Pattern::NoDeadline),
        CauseClass::ContextNotCancelled => Some(Pattern::LostCancel),
        CauseClass::ChannelSend => Some(Pattern::BlockedProducer),
        CauseClass::ChannelReceive => Some(Pattern::BlockedConsumer),
        CauseClass::Loop => Some(Pattern::LoopForEver),
        CauseClass::Waitgroup if case.life.kin.are_gone() => Some(Pattern::AddDoneMismatch),
        CauseClass::Waitgroup
        | CauseClass::RuntimeInternal
        | CauseClass::Timer
        | CauseClass::Select
        | CauseClass::Mutex
        | CauseClass::Rwmutex
        | CauseClass::Cond
        | CauseClass::DeadlockCycle
        | CauseClass::SyscallOrCgo
        | CauseClass::NotClosed
        | CauseClass::HeapGrowth
        | CauseClass::FinalizerCycle
        | CauseClass::OffHeapGrowth
        | CauseClass::Resource
        | CauseClass::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
