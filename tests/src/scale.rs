//! How often what is repeated is repeated.

use std::env;

/// `in_full` times with `LEAK_AGENT_FULL=1`, else so often as a run of all tests has time for.
#[must_use]
pub fn times(usually: u64, in_full: u64) -> u64 {
    if env::var_os("LEAK_AGENT_FULL").is_some_and(|value| value == "1") { in_full } else { usually }
}
