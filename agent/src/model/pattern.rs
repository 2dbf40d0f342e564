//! Known mistakes that leak goroutines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr};

/// A known mistake.
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
    IntoStaticStr,
    strum::EnumMessage,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Pattern {
    /// The receiver returns early, before it has received what was sent.
    PrematureReturn,
    /// The receiver gives up after a time or a cancellation; the sender stays.
    TimedOutReceiver,
    /// Several send, one value is received.
    NCast,
    /// One path sends twice where one value is received.
    DoubleSend,
    /// A range over a channel that nobody closes.
    UnclosedRange,
    /// Something was started whose Stop or Close nobody calls.
    ContractViolation,
    /// The cancel function of a context is dropped.
    LostCancel,
    /// The body of an HTTP response is not closed.
    UnclosedBody,
    /// A ticker that nobody stops.
    TickerNotStopped,
    /// A return path without the Unlock.
    LockOnEarlyReturn,
    /// Two locks, taken in both orders.
    LockOrder,
    /// A goroutine waits for a lock that it holds itself.
    SelfDeadlock,
    /// A signal was given before anybody waited for it.
    LostSignal,
    /// More Add than Done.
    AddDoneMismatch,
    /// A channel that was never made.
    NilChannel,
    /// `select {}` in a goroutine.
    EmptySelect,
    /// A channel that is read until it is closed, and is not.
    MissingClose,
    /// A producer whose consumer is gone.
    BlockedProducer,
    /// A consumer whose producer is gone.
    BlockedConsumer,
    /// A loop that nothing ends.
    LoopForEver,
    /// A network call without a deadline.
    NoDeadline,
    /// A finalizer or cleanup that blocks.
    BlockedFinalizer,
}

impl Pattern {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it is, in one line: the first lines of its documentation above.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }
}
