//! `analyze`: look long enough to judge, report, end.

use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::args::Common;
use crate::cli::command::watch;
use crate::pipeline::Pace;

/// How long it takes to tell a leak that grows by one goroutine in five seconds from chance.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// Looks for `--duration`, with a line a look on standard error.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    let duration = Some(common.duration.unwrap_or(LONG_ENOUGH));
    watch::watch(common, Pace { interval: common.interval, duration }, false)
}
