//! `report`: the report of saved observations.

use super::watch;
use crate::cli::Outcome;
use crate::cli::request::Request;

/// Judges what was saved as it was judged live. Ends in 1 only if `--fail-on` asks for it.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    watch::watch(request, |events, _| {
        watch::progress(request, events);
        Ok(())
    })?
    .report(request)
}
