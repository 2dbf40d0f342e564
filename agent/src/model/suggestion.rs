//! What to do about a finding, as values that `report` words.

use super::cause::NamedWait;
use super::class::CauseClass;
use super::pattern::Pattern;
use super::resources::{ResourceKey, ResourceKind};
use super::source_rule::Mistake;
use super::stack::FrameId;

/// What to do about a finding: each is one sentence or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// To fix a mistake in the code.
    Source(Mistake),
    /// What helps against a known mistake.
    Pattern(Pattern),
    /// What helps against any leak of a class.
    Class(CauseClass),
    /// What ends a wait that has a name of its own.
    Named(NamedWait),
    /// Waiting in place of sleeping.
    NoSleep,
    /// What a library waits for is ended by the way it is used.
    UseOfLibrary {
        /// The library's package.
        library: String,
        /// What its user makes, if that is known and has something that closes it.
        made: Option<Made>,
        /// The line of the program's own that leads to the wait.
        from: Option<FrameId>,
    },
    /// To close what is made again and again.
    Close {
        /// What it is.
        made: Made,
        /// The line of the program's own that makes it.
        below: Option<FrameId>,
    },
    /// To give back what a process holds.
    Release {
        /// What it is.
        key: ResourceKey,
        /// Whether they are connections that the other end has closed.
        closed_by_peer: bool,
    },
    /// To raise a limit, where what counts towards it is meant to be there.
    RaiseLimit(ResourceKind),
    /// To end connections that clients keep open.
    IdleConnections,
    /// To break the deadlock of which a goroutine is part that holds what they wait for.
    BreakDeadlock {
        /// The goroutine's id.
        goid: u64,
        /// The line where it waits; `None` where it is not known.
        at: Option<FrameId>,
    },
}

/// Something that a library makes, and that its user must close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is called, in the singular: `grpc.ClientConn`.
    pub what: String,
    /// The function that ends it: `Close`; `None` where the library's documentation has to tell.
    pub close: Option<&'static str>,
    /// What there is to know beyond that.
    pub advice: Option<Advice>,
}

/// What there is to know of things that libraries make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// An `http.Client` or `http.Transport` is to be shared.
    ShareTransport,
    /// A `sql.DB` is a pool, to be opened once.
    OpenDatabaseOnce,
    /// A child's output pipe can stay open after it has ended.
    WaitDelay,
    /// A `grpc.ClientConn` is to be shared.
    ShareClientConn,
    /// A `gorm.DB` holds a pool, to be opened once.
    OpenGormOnce,
    /// The context that was given to an etcd client's `Watch` ends it.
    CancelWatch,
    /// A `lumberjack.Logger` never ends.
    KeepLogger,
    /// An `expirable.LRU` never ends.
    KeepCache,
    /// A cache of go-cache ends only as garbage.
    KeepJanitor,
    /// A loop of package wait ends by its context or stop channel.
    EndLoop,
    /// An informer or watch ends by its stop channel or context.
    EndInformer,
}
