//! Over which time contention was counted, in words.

use std::time::Duration;

use crate::model::{ContendedLine, LinesOf};
use crate::report::format::{counted, duration};

/// Over which time something was counted: since the program started, or a part of its time.
pub(super) fn over(over: Option<Duration>) -> String {
    match over {
        None => "since the program started".to_owned(),
        Some(Duration::ZERO) => "in parts of its time".to_owned(),
        Some(over) => format!("in {} of its time", duration(over)),
    }
}

/// The same of lines.
#[must_use]
pub fn contended_over(lines: &LinesOf) -> String {
    over(lines.over)
}

/// How much of a line's waiting is of the window: `2.0s in 3 waits of it in the last 10s`.
#[must_use]
pub fn within(line: &ContendedLine, lines: &LinesOf) -> Option<String> {
    let ((count, delay), within) = line.within.zip(lines.within)?;
    let waits = counted(count, "wait", "waits");
    Some(format!("of that {} in {waits} in the last {}", duration(delay), duration(within)))
}
