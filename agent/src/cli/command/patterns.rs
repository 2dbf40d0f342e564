//! `patterns`: the stacks at which goroutines stood through every sample.

use crate::analyze::view;
use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};

/// Samples for `--duration` or `--samples`, and reports the stacks that persisted.
pub(in crate::cli) fn run(request: &Request, threshold: u64) -> Outcome {
    let mut seen = session::run(request, vec![Box::new(Progress::new(request))])?;
    for assessment in &mut seen.assessments {
        view::persistent(assessment, threshold);
    }
    seen.report_chosen(request)
}
