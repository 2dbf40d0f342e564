//! Mistakes with what was started and has to be ended: contexts, tickers, loops, bodies, connections.

/// What was started is not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndMistake {
    /// The cancel function of a context is not kept.
    CancelDropped {
        /// The context.
        context: String,
        /// Where it is made.
        made: u32,
    },
    /// Nothing calls the cancel function.
    CancelNeverCalled {
        /// The cancel function.
        cancel: String,
        /// Where it is made.
        made: u32,
    },
    /// The cancel function is kept elsewhere, and nothing calls it here.
    CancelHandedOn {
        /// The cancel function.
        cancel: String,
        /// Where it is made.
        made: u32,
        /// Where it is handed on, or kept.
        given: u32,
        /// A return behind that, on a condition.
        skip: Option<u32>,
    },
    /// A return skips the call of the cancel function.
    CancelSkipped {
        /// The cancel function.
        cancel: String,
        /// Where it is made.
        made: u32,
        /// The call.
        call: u32,
        /// The return.
        skip: u32,
    },
    /// A ticker is stopped, which does not close its channel.
    TickerStopped {
        /// The ticker's channel.
        channel: String,
        /// Where it is received from.
        receive: u32,
        /// The `Stop`.
        stop: u32,
    },
    /// A ticker is never stopped, and its loop has no way out.
    TickerNotStopped {
        /// Where the ticker is made.
        made: u32,
        /// Where its channel is received from.
        tick: u32,
    },
    /// A loop sleeps, and nothing ends it.
    SleepsForEver {
        /// The `time.Sleep`.
        sleep: u32,
    },
    /// The body of a response is never closed.
    BodyNotClosed {
        /// The variable that holds the response.
        response: String,
        /// The request.
        made: u32,
    },
    /// A connection is read or written without a deadline.
    NoDeadline {
        /// The read or write.
        line: u32,
    },
}
