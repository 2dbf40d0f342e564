//! What kinds of leaks there are.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// What kind of leak it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CauseClass {
    /// Sending, and nobody receives.
    ChannelSend,
    /// Receiving, and nobody sends or closes.
    ChannelReceive,
    /// Sending on or receiving from a nil channel.
    ChannelNil,
    /// In a select of which no case comes true.
    Select,
    /// In `select {}`.
    SelectEmpty,
    /// Locking a `sync.Mutex` that is not unlocked.
    Mutex,
    /// Locking a `sync.RWMutex` that is not unlocked.
    Rwmutex,
    /// In `sync.Cond.Wait`, and nobody signals.
    Cond,
    /// In `sync.WaitGroup.Wait`, and `Done` is missing.
    Waitgroup,
    /// Goroutines that wait for each other's locks in a cycle.
    DeadlockCycle,
    /// Waiting for a context that nobody cancels.
    ContextNotCancelled,
    /// In the network poller without progress.
    NetworkIo,
    /// A ticker, timer or sleep loop that is never stopped.
    Timer,
    /// Running for ever.
    Loop,
    /// Inside the runtime: a finalizer or cleanup that does not return.
    RuntimeInternal,
    /// In a system call or in C that does not return.
    SyscallOrCgo,
    /// Something is made again and again and never closed: a client, pool, listener, watcher, iterator.
    /// Its background goroutines pile up.
    NotClosed,
    /// What collections find reachable on Go's heap becomes more and more.
    HeapGrowth,
    /// Objects that their own finalizer, cleanup or entry of a weak cache keeps reachable become more and more.
    FinalizerCycle,
    /// Memory that Go's runtime does not know of becomes more and more: of C, or of `mmap`.
    OffHeapGrowth,
    /// Descriptors, threads, mappings or child processes become more and more, or come near their limit.
    Resource,
    /// None that is known; also what only a later version of the agent knows.
    #[serde(other)]
    Unknown,
}

impl CauseClass {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for CauseClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
