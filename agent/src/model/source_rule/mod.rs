//! What the rules that read Go code found at a blocked line. Lines are those of the code, from 1;
//! names and expressions are as the code has them.

mod channel;
mod end;
mod lock;

pub use channel::{
    ChannelMistake, CloseWhere, ReceiveMistake, SelectCase, SendMistake, SendProblem, SkippedBy,
};
pub use end::EndMistake;
pub use lock::{LockMistake, WaitMistake};

/// What a rule states of a blocked line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNote {
    /// The mistake that it looks like.
    Mistake(Mistake),
    /// Where the channel is made.
    ChannelMade {
        /// The channel.
        channel: String,
        /// How it is made.
        made: MakeSite,
    },
    /// The line has no statement that waits in this way.
    NothingWaits {
        /// The line.
        line: u32,
    },
    /// Who holds the lock may wait meanwhile.
    HolderWaits {
        /// The lock.
        lock: String,
        /// The function that holds it.
        function: CodeFunction,
        /// Where that function may wait.
        line: u32,
    },
    /// A goroutine may wait before it calls `Done`.
    WaitsBeforeDone {
        /// Where it may wait.
        line: u32,
        /// The `Done`.
        done: u32,
    },
    /// The rows of a query are never closed.
    RowsNotClosed {
        /// The variable that holds the rows.
        rows: String,
        /// The query.
        made: u32,
    },
}

/// A mistake that the code shows, with what is needed to say how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Of a channel, whichever way it is used.
    Channel(ChannelMistake),
    /// Nobody receives what is sent.
    Send(SendMistake),
    /// Nobody sends, closes or ends what is waited for.
    Receive(ReceiveMistake),
    /// A lock is not released.
    Lock(LockMistake),
    /// A wait group or condition is not served.
    Wait(WaitMistake),
    /// What was started is not ended.
    End(EndMistake),
}

/// Where and how a channel is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakeSite {
    /// The `make`.
    pub line: u32,
    /// Its buffer.
    pub buffer: BufferSize,
}

/// The size of a channel's buffer, as its `make` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferSize {
    /// No buffer.
    Unbuffered,
    /// A constant number of elements.
    Constant(u64),
    /// What is computed when the program runs.
    Computed,
}

/// A function of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeFunction {
    /// One with a name: `serve`, `Worker.run`.
    Named(String),
    /// A function literal within one with a name.
    LiteralIn(String),
    /// A function literal outside of every function.
    Literal,
}
