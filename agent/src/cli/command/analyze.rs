//! `analyze`: look long enough to judge, report, end.

use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::args::{Common, INTERVAL};
use crate::cli::command::watch;
use crate::cli::judging::FailOn;

/// How long it takes to tell a leak that grows by one goroutine in five seconds from chance.
pub(super) const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// Looks for `--duration`, with a line a look on standard error.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    let pace = common.pace(INTERVAL, Some(LONG_ENOUGH));
    watch::watch(common, pace, |events, _| {
        watch::progress(common, events);
        Ok(())
    })?
    .report(common, FailOn::Likely)
}
