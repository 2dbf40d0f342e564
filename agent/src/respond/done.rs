//! What came of an order.

use serde::{Deserialize, Serialize};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    /// A command has ended with this status; and the first of what it wrote.
    Exited(i32, String),
    /// A command was ended by this signal.
    Killed(i32, String),
    /// A command took longer than it may, and was killed with all that it had started.
    TimedOut(String),
    /// A signal was sent.
    Sent,
    /// It could not be done.
    Failed(String),
}
