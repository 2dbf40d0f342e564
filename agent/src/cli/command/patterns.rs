//! `patterns`: the stacks at which goroutines stood through every sample.

use super::watch;
use crate::analyze::view;
use crate::cli::Outcome;
use crate::cli::request::Request;

/// Samples for `--duration` or `--samples`, and reports the stacks that persisted.
pub(in crate::cli) fn run(request: &Request, threshold: u64) -> Outcome {
    let mut seen = watch::watch(request, |events, _| {
        watch::progress(request, events);
        Ok(())
    })?;
    for assessment in &mut seen.assessments {
        view::persistent(assessment, threshold);
    }
    seen.report(request)
}
