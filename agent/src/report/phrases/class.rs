//! What the classes of findings mean.

use crate::model::CauseClass;

/// What a class means, for those who do not know the field's words.
#[must_use]
pub const fn class_meaning(class: CauseClass) -> &'static str {
    match class {
        CauseClass::ChannelSend => "they send, and nobody receives",
        CauseClass::ChannelReceive => "they receive, and nobody sends or closes",
        CauseClass::ChannelNil => "the channel was never made: they wait for ever",
        CauseClass::Select => "no case of their select comes true",
        CauseClass::SelectEmpty => "a select without cases: they wait for ever",
        CauseClass::Mutex => "the mutex that they lock is not unlocked",
        CauseClass::Rwmutex => "the RWMutex that they lock is not unlocked",
        CauseClass::Cond => "nobody signals the condition that they wait for",
        CauseClass::Waitgroup => "the wait group that they wait for lacks a Done",
        CauseClass::DeadlockCycle => "they wait for each other's locks in a cycle",
        CauseClass::ContextNotCancelled => "nobody cancels the context that they wait for",
        CauseClass::NetworkIo => "the network brings nothing, and nothing ends the wait",
        CauseClass::Timer => "a ticker, timer or sleep loop is never stopped",
        CauseClass::Loop => "they run for ever",
        CauseClass::RuntimeInternal => "something that the runtime calls does not return",
        CauseClass::SyscallOrCgo => "a system call or C does not return",
        CauseClass::NotClosed => "something is made again and again, and never closed",
        CauseClass::HeapGrowth => "what Go's heap keeps reachable grows and grows",
        CauseClass::FinalizerCycle => "objects keep themselves, so that they are never freed",
        CauseClass::OffHeapGrowth => "memory outside of Go's heap grows and grows",
        CauseClass::Resource => "descriptors, threads, mappings or children pile up",
        CauseClass::Unknown => "of no kind that is known",
    }
}
