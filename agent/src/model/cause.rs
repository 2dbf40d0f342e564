//! The cause of a finding, as a value that `report` words.

use super::stack::FrameId;

/// What the goroutines of a finding do, and what does not happen. Their number, growth and waits are the
/// finding's; who holds which lock is in its [`super::LockWait`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// They send, and nobody receives.
    Send(Channels),
    /// They receive, and nobody sends or closes.
    Receive(Channels),
    /// They wait on a nil channel.
    NilChannel,
    /// They wait in a select of which no case comes true.
    Select,
    /// They stand in `select {}`.
    EmptySelect,
    /// They wait for a mutex, or a read-write mutex, that is not unlocked.
    Lock {
        /// Whether it is a `sync.RWMutex`.
        read_write: bool,
    },
    /// They wait for each other's locks, or for one that their own path has taken.
    DeadlockCycle,
    /// They wait on a condition that nobody signals.
    Cond,
    /// They wait for a wait group.
    WaitGroup {
        /// Whether nobody is left to call `Done`.
        nobody_left: bool,
    },
    /// They wait for a context that nobody cancels.
    Context,
    /// They wait for the network without progress.
    Network,
    /// They wait for requests on connections that clients keep open.
    KeptAlive,
    /// They sleep in `time.Sleep`.
    Sleep {
        /// Whether that stands in a loop that nothing ends.
        in_endless_loop: bool,
    },
    /// They wait for a timer and for nothing else.
    TimerOnly,
    /// They wake again and again on a timer that nobody stops.
    Ticker,
    /// They run, and nothing ends them.
    Loop,
    /// They block inside of a finalizer or cleanup.
    Finalizer,
    /// They are in a system call or in C that does not return.
    SyscallOrCgo,
    /// They run for something that is made again and again and never closed.
    NotClosed {
        /// What it is, in the singular: `grpc.ClientConn`; `None` where that is not known.
        what: Option<String>,
        /// The line of the program's own that makes it; `None` where that is not known.
        below: Option<FrameId>,
    },
    /// A wait that has a name of its own.
    Named(NamedWait),
    /// None that is known.
    Unknown,
}

/// The channels that goroutines wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// The buffer of one of them; `None` where none was read.
    pub buffer: Option<Buffer>,
    /// How many there are.
    pub number: ChannelNumber,
}

/// A channel's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// How many values it holds at most; 0 for an unbuffered channel.
    pub capacity: u64,
    /// How many it holds.
    pub length: u64,
}

/// How many channels goroutines wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelNumber {
    /// One goroutine waits on one.
    Single,
    /// All wait on one.
    Shared,
    /// Each waits on one of its own.
    Each,
    /// They wait on this many.
    Several(u64),
    /// It is not known.
    Unknown,
}

/// A wait that is known by a function on the stack, beside what the runtime calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedWait {
    /// For a connection of a `sql.DB` whose pool is exhausted.
    SqlPool,
    /// For a connection of a pgx pool that is exhausted.
    PgxPool,
    /// For a connection of a redis client whose pool is exhausted.
    RedisPool,
    /// For a connection of a `mongo.Client` whose pool is exhausted.
    MongoPool,
    /// For a `semaphore.Weighted`.
    WeightedSemaphore,
    /// To write into an `io.Pipe`.
    IoPipeWrite,
    /// To read from an `io.Pipe`.
    IoPipeRead,
    /// To write into a `net.Pipe`.
    NetPipeWrite,
    /// To read from a `net.Pipe`.
    NetPipeRead,
    /// To read from a pipe, terminal or device.
    FileRead,
    /// To write into a pipe, terminal or device.
    FileWrite,
}
