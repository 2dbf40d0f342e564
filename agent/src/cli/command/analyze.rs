//! `analyze`: sample long enough to judge, report, end.

use crate::cli::Outcome;
use crate::cli::command::watch;
use crate::cli::request::Request;

/// Samples for `--duration`, with a line a sample on standard error.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    watch::watch(request, |events, _| {
        watch::progress(request, events);
        Ok(())
    })?
    .report(request)
}
