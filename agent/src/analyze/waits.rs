//! Waits that have a name of their own, by the functions on the stack: exhausted pools, the two ends of a
//! pipe, sleep. What they wait for, and what ends it.

use super::case::Case;
use crate::model::function::{self, Origin};
use crate::model::{Resolved, WaitClass};

/// A wait with a name.
#[derive(Debug)]
pub(super) struct Wait {
    /// The function that waits: how its name begins and ends.
    function: (&'static str, &'static str),
    /// The kind of wait; any when `None`.
    class: Option<WaitClass>,
    /// What they do, to follow their number in a sentence.
    pub(super) says: &'static str,
    /// What to do, most helpful first.
    pub(super) fixes: &'static [&'static str],
}

const fn wait(
    function: (&'static str, &'static str),
    class: Option<WaitClass>,
    says: &'static str,
    fixes: &'static [&'static str],
) -> Wait {
    Wait { function, class, says, fixes }
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

/// What is inside of something else comes after it.
const LIST: &[Wait] = &[
    wait(
        ("database/sql.(*DB).conn", ""),
        Some(WaitClass::Select),
        "wait for a connection of a sql.DB whose pool is exhausted: rows, transactions or connections are not \
         given back",
        SQL_FIXES,
    ),
    wait(
        ("database/sql.(*DB).conn", ""),
        Some(WaitClass::ChanReceive),
        "wait for a connection of a sql.DB whose pool is exhausted: rows, transactions or connections are not \
         given back",
        SQL_FIXES,
    ),
    wait(
        ("github.com/jackc/puddle", "cquire"),
        None,
        "wait for a connection of a pgx pool that is exhausted: rows, transactions or connections are not given \
         back",
        PGX_FIXES,
    ),
    wait(
        ("github.com/redis/go-redis/", "(*ConnPool).waitTurn"),
        None,
        "wait for a connection of a redis client whose pool is exhausted",
        &["Close each redis.Conn and redis.PubSub, and set PoolTimeout."],
    ),
    wait(
        ("go.mongodb.org/mongo-driver/", "(*pool).checkOut"),
        None,
        "wait for a connection of a mongo.Client whose pool is exhausted: cursors or sessions are not given back",
        &["Close each mongo.Cursor, and end each session (defer session.EndSession(ctx))."],
    ),
    wait(
        ("golang.org/x/sync/semaphore.(*Weighted).Acquire", ""),
        None,
        "wait for a semaphore.Weighted that is not given back",
        &["Release what Acquire took, by defer right after the error check."],
    ),
    wait(
        ("io.(*pipe).write", ""),
        None,
        "wait to write into an io.Pipe from which nobody reads",
        PIPE_WRITE_FIXES,
    ),
    wait(
        ("io.(*pipe).read", ""),
        None,
        "wait to read from an io.Pipe into which nobody writes, and whose writer is not closed",
        PIPE_READ_FIXES,
    ),
    wait(
        ("net.(*pipe).write", ""),
        None,
        "wait to write into a net.Pipe from whose other end nobody reads",
        &["Close both ends of a net.Pipe once one side is done, or set a deadline."],
    ),
    wait(
        ("net.(*pipe).read", ""),
        None,
        "wait to read from a net.Pipe into whose other end nobody writes",
        &["Close both ends of a net.Pipe once one side is done, or set a deadline."],
    ),
    wait(
        ("os.(*File).Read", ""),
        Some(WaitClass::IoWait),
        "wait to read from a pipe, terminal or device whose other end is open and silent",
        FILE_FIXES,
    ),
    wait(
        ("os.(*File).Write", ""),
        Some(WaitClass::IoWait),
        "wait to write into a pipe, terminal or device that nobody reads from",
        FILE_FIXES,
    ),
];

/// The wait of a case, if it has a name: the first of the list that is on the stack, below the program's own
/// code.
pub(super) fn of(case: &Case<'_>) -> Option<&'static Wait> {
    let outside =
        |frame: &Resolved<'_>| function::origin(frame.function, frame.file) != Origin::User;
    let names: Vec<_> = case
        .frames()
        .take_while(outside)
        .map(|frame| function::normalise(frame.function))
        .collect();
    LIST.iter().find(|wait| {
        let (start, end) = wait.function;
        let fits = |name: &str| {
            if end.is_empty() {
                name == start
            } else {
                name.starts_with(start) && name.ends_with(end)
            }
        };
        wait.class.is_none_or(|class| class == case.wait()) && names.iter().any(|name| fits(name))
    })
}
