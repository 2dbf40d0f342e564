//! What ends waits that have names of their own.

use crate::model::NamedWait;

/// What ends a wait that has a name of its own.
pub(super) const fn of_named(wait: NamedWait) -> &'static [&'static str] {
    match wait {
        NamedWait::SqlPool => SQL_FIXES,
        NamedWait::PgxPool => PGX_FIXES,
        NamedWait::RedisPool => &["Close each redis.Conn and redis.PubSub, and set PoolTimeout."],
        NamedWait::MongoPool => {
            &["Close each mongo.Cursor, and end each session (defer session.EndSession(ctx))."]
        }
        NamedWait::WeightedSemaphore => {
            &["Release what Acquire took, by defer right after the error check."]
        }
        NamedWait::IoPipeWrite => PIPE_WRITE_FIXES,
        NamedWait::IoPipeRead => PIPE_READ_FIXES,
        NamedWait::NetPipeWrite | NamedWait::NetPipeRead => {
            &["Close both ends of a net.Pipe once one side is done, or set a deadline."]
        }
        NamedWait::FileRead | NamedWait::FileWrite => FILE_FIXES,
    }
}

const SQL_FIXES: &[&str] = &[
    "Give connections back: close each sql.Rows (defer rows.Close() right after the error check), commit or \
     roll back each sql.Tx, close each sql.Conn and sql.Stmt.",
    "Give each query a context with a timeout. A larger SetMaxOpenConns only puts it off.",
];

const PGX_FIXES: &[&str] = &[
    "Give connections back: Release each pgxpool.Conn, close each pgx.Rows, commit or roll back each pgx.Tx, \
     by defer right after the error check.",
    "Give Acquire and each query a context with a timeout. A larger MaxConns only puts it off.",
];

const PIPE_WRITE_FIXES: &[&str] = &[
    "Close the reader where reading stops (defer r.CloseWithError(err)): a write then returns that error.",
    "Or read to the end: io.Copy(io.Discard, r).",
];

const PIPE_READ_FIXES: &[&str] = &[
    "Close the writer on every path of the goroutine that writes (defer w.CloseWithError(err)): a read then \
     ends.",
];

const FILE_FIXES: &[&str] = &[
    "Close the other end of the pipe in every process that has it: a child inherits it, and so do its own \
     children.",
    "Or set a deadline (os.File.SetReadDeadline, SetWriteDeadline), or close this end to end the wait.",
];
