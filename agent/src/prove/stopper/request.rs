//! What is asked for.

use std::time::Duration;

use super::messages::How;

/// How a target may stand at most unless somebody says otherwise.
pub const MAX_PAUSE: Duration = Duration::from_millis(20);

/// A target that is to be held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its process.
    pub pid: u32,
    /// In which way; `None` for a clone, or where that is not possible a freeze.
    pub how: Option<How>,
    /// How long the target may stand. What is predicted to take longer is refused, and a freeze ends then in any case.
    pub max_pause: Duration,
    /// How long what is held will probably be read: so long a freeze takes.
    pub reading: Duration,
    /// How long a clone is kept at most, whatever happens to this process.
    pub keep_at_most: Duration,
}

impl Request {
    /// Of a process, in whichever way takes at most 20 ms of its time.
    #[must_use]
    pub const fn new(pid: u32) -> Self {
        Self {
            pid,
            how: None,
            max_pause: MAX_PAUSE,
            reading: Duration::from_millis(100),
            keep_at_most: Duration::from_secs(60),
        }
    }
}
