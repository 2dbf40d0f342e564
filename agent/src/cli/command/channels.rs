//! `channels`: the lines where many goroutines wait for channels.

use super::watch;
use crate::analyze::view;
use crate::cli::Outcome;
use crate::cli::request::Request;

/// Samples for `--duration`, and reports the lines where at least `threshold` wait.
pub(in crate::cli) fn run(request: &Request, threshold: u64) -> Outcome {
    let mut seen = watch::watch(request, |events, _| {
        watch::progress(request, events);
        Ok(())
    })?;
    for assessment in &mut seen.assessments {
        view::channels(assessment, threshold);
    }
    seen.report(request)
}
