//! Known mistakes that leak goroutines.

use serde::{Deserialize, Serialize};

macro_rules! patterns {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A known mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Pattern { $($(#[doc = $doc])+ $variant,)+ }

        impl Pattern {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that people and programs read.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in one line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

patterns! {
    /// The receiver returns early, before it has received what was sent.
    PrematureReturn = "premature-return",
    /// The receiver gives up after a time or a cancellation; the sender stays.
    TimedOutReceiver = "timed-out-receiver",
    /// Several send, one value is received.
    NCast = "n-cast",
    /// One path sends twice where one value is received.
    DoubleSend = "double-send",
    /// A range over a channel that nobody closes.
    UnclosedRange = "unclosed-range",
    /// Something was started whose Stop or Close nobody calls.
    ContractViolation = "contract-violation",
    /// The cancel function of a context is dropped.
    LostCancel = "lost-cancel",
    /// The body of an HTTP response is not closed.
    UnclosedBody = "unclosed-body",
    /// A ticker that nobody stops.
    TickerNotStopped = "ticker-not-stopped",
    /// A return path without the Unlock.
    LockOnEarlyReturn = "lock-on-early-return",
    /// Two locks, taken in both orders.
    LockOrder = "lock-order",
    /// A goroutine waits for a lock that it holds itself.
    SelfDeadlock = "self-deadlock",
    /// A signal was given before anybody waited for it.
    LostSignal = "lost-signal",
    /// More Add than Done.
    AddDoneMismatch = "add-done-mismatch",
    /// A channel that was never made.
    NilChannel = "nil-channel",
    /// `select {}` in a goroutine.
    EmptySelect = "empty-select",
    /// A channel that is read until it is closed, and is not.
    MissingClose = "missing-close",
    /// A producer whose consumer is gone.
    BlockedProducer = "blocked-producer",
    /// A consumer whose producer is gone.
    BlockedConsumer = "blocked-consumer",
    /// A loop that nothing ends.
    LoopForEver = "loop-for-ever",
    /// A network call without a deadline.
    NoDeadline = "no-deadline",
    /// A finalizer or cleanup that blocks.
    BlockedFinalizer = "blocked-finalizer",
}
