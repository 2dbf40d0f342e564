//! Mistakes with channels.

use super::MakeSite;

/// A mistake of a channel, whichever way it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelMistake {
    /// It is nil.
    NeverMade {
        /// The channel.
        channel: String,
        /// Where it is declared, if nothing makes it; `None` where it is only known to be nil.
        declared: Option<u32>,
        /// Where it is used.
        used: u32,
    },
    /// A method such as `Stop` closes it, and nothing calls that.
    EndNotCalled {
        /// The channel.
        channel: String,
        /// Where it is closed.
        close: u32,
        /// The method that closes it.
        method: String,
        /// The type of that method; `None` where it is not known.
        receiver: Option<String>,
    },
    /// A return skips the call of the method that closes it.
    EndSkipped {
        /// The channel.
        channel: String,
        /// The method that closes it.
        method: String,
        /// The call of that method.
        call: u32,
        /// Where the wait is started.
        start: u32,
        /// The return.
        skip: u32,
    },
    /// Its name says that it ends things, and nothing closes it or sends on it.
    NeverEnded {
        /// The channel.
        channel: String,
        /// Where it is waited for.
        wait: u32,
    },
    /// A select without cases.
    EmptySelect {
        /// The select.
        select: u32,
    },
}

/// A send that nobody receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendMistake {
    /// The channel.
    pub channel: String,
    /// The send that blocks.
    pub send: u32,
    /// Where the channel is made; `None` where that is not in the code at hand.
    pub made: Option<MakeSite>,
    /// Why nobody receives.
    pub problem: SendProblem,
}

/// Why nobody receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendProblem {
    /// Nothing receives from the channel.
    NoReceiver,
    /// The receiver's loop is left while others may still send.
    LoopLeft {
        /// What leaves it.
        out: u32,
        /// The receive.
        receive: u32,
    },
    /// A return comes before the receive.
    ReturnsFirst {
        /// The return.
        skip: u32,
        /// The receive.
        receive: u32,
    },
    /// Another case ends the select that receives.
    EndedBy {
        /// The case that ends it.
        exit: SelectCase,
        /// Whether that case is a timer's.
        is_timer: bool,
        /// The receive.
        receive: u32,
    },
    /// The select that receives may take another case.
    MayTakeOther {
        /// The select.
        select: u32,
        /// The other case.
        other: SelectCase,
    },
    /// The select that receives does not wait.
    HasDefault {
        /// The select.
        select: u32,
    },
    /// One path sends twice, for one receive.
    SendsTwice {
        /// The first send.
        first: u32,
        /// The second send.
        second: u32,
    },
    /// A loop starts senders, for one receive.
    StartedInLoop {
        /// The `go` statement.
        go: u32,
        /// The receive.
        receive: u32,
    },
    /// Several functions send, for fewer receives.
    SeveralSenders {
        /// How many.
        senders: u64,
        /// The receive.
        receive: u32,
    },
    /// A loop sends, for one receive.
    SendsInLoop {
        /// The receive.
        receive: u32,
    },
    /// Not every path reaches the receive.
    SomePathsOnly {
        /// The receive.
        receive: u32,
    },
}

/// A case of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectCase {
    /// Its line.
    pub line: u32,
    /// The channel that it waits on.
    pub channel: String,
}

/// A receive, range or select that nobody serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiveMistake {
    /// No case of a select is served.
    NoCaseServed {
        /// The select.
        select: u32,
    },
    /// No case of a select ends the loop around it.
    NoCaseEnds {
        /// The select.
        select: u32,
    },
    /// It is read until it is closed, and nothing closes it.
    NeverClosed {
        /// The channel.
        channel: String,
        /// Where it is read.
        read: u32,
        /// Where it should be closed.
        close: CloseWhere,
    },
    /// Nothing sends on it or closes it.
    NoSender {
        /// The channel.
        channel: String,
        /// The receive.
        receive: u32,
        /// Whether it is there to end things, by its name, so that closing it is the fix.
        ends: bool,
    },
    /// A return skips the close.
    CloseSkipped {
        /// The channel.
        channel: String,
        /// The close.
        close: u32,
        /// The return.
        skip: u32,
        /// What waits for the close after it in the same function, so that it cannot be deferred.
        waits_after: Option<u32>,
    },
    /// The close comes after the wait that it should end.
    ClosedAfterWait {
        /// The channel.
        channel: String,
        /// The close.
        close: u32,
        /// The wait.
        wait: u32,
    },
    /// The sender may end before it sends.
    SendSkipped {
        /// The channel.
        channel: String,
        /// The send.
        send: u32,
        /// The receive.
        receive: u32,
        /// What skips the send.
        by: SkippedBy,
    },
    /// There are more receives than sends.
    TooFewSends {
        /// The channel.
        channel: String,
        /// The receive.
        receive: u32,
        /// The send.
        send: u32,
    },
}

/// What skips a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkippedBy {
    /// The return in this line.
    Return(u32),
    /// Another case of the select in this line.
    Select(u32),
    /// A condition.
    Condition,
}

/// Where a channel should be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseWhere {
    /// Once all of its senders have ended: a second one would send on a closed channel, which panics.
    AfterAllSenders,
    /// Right after the send in this line: the function waits afterwards.
    AfterSend(u32),
    /// When the function that sends in this line returns.
    WhenSenderReturns(u32),
    /// When nothing more is sent; no send is known.
    WhenDone,
}
