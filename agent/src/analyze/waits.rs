//! Waits that have a name of their own, by the functions on the stack: exhausted pools, the two ends of a
//! pipe.

use super::case::Case;
use crate::model::function::{self, Origin};
use crate::model::{NamedWait, Resolved, WaitClass};

/// A function that waits.
struct Waiting {
    /// How its name begins and ends; all of it where the end is empty.
    function: (&'static str, &'static str),
    /// The kind of wait; any when `None`.
    class: Option<WaitClass>,
    /// What it waits for.
    wait: NamedWait,
}

const fn waiting(
    function: (&'static str, &'static str),
    class: Option<WaitClass>,
    wait: NamedWait,
) -> Waiting {
    Waiting { function, class, wait }
}

/// What is inside of something else comes after it.
const LIST: &[Waiting] = &[
    waiting(("database/sql.(*DB).conn", ""), Some(WaitClass::Select), NamedWait::SqlPool),
    waiting(("database/sql.(*DB).conn", ""), Some(WaitClass::ChanReceive), NamedWait::SqlPool),
    waiting(("github.com/jackc/puddle", "cquire"), None, NamedWait::PgxPool),
    waiting(("github.com/redis/go-redis/", "(*ConnPool).waitTurn"), None, NamedWait::RedisPool),
    waiting(("go.mongodb.org/mongo-driver/", "(*pool).checkOut"), None, NamedWait::MongoPool),
    waiting(
        ("golang.org/x/sync/semaphore.(*Weighted).Acquire", ""),
        None,
        NamedWait::WeightedSemaphore,
    ),
    waiting(("io.(*pipe).write", ""), None, NamedWait::IoPipeWrite),
    waiting(("io.(*pipe).read", ""), None, NamedWait::IoPipeRead),
    waiting(("net.(*pipe).write", ""), None, NamedWait::NetPipeWrite),
    waiting(("net.(*pipe).read", ""), None, NamedWait::NetPipeRead),
    waiting(("os.(*File).Read", ""), Some(WaitClass::IoWait), NamedWait::FileRead),
    waiting(("os.(*File).Write", ""), Some(WaitClass::IoWait), NamedWait::FileWrite),
];

/// The wait of a case, if it has a name: the first of the list that is on the stack, below the program's own
/// code.
pub(super) fn of(case: &Case<'_>) -> Option<NamedWait> {
    let outside =
        |frame: &Resolved<'_>| function::origin(frame.function, frame.file) != Origin::User;
    let names: Vec<_> = case
        .frames()
        .take_while(outside)
        .map(|frame| function::normalise(frame.function))
        .collect();
    let named = LIST.iter().find(|waiting| {
        let (start, end) = waiting.function;
        let fits = |name: &str| {
            if end.is_empty() {
                name == start
            } else {
                name.starts_with(start) && name.ends_with(end)
            }
        };
        waiting.class.is_none_or(|class| class == case.wait())
            && names.iter().any(|name| fits(name))
    });
    named.map(|waiting| waiting.wait)
}
