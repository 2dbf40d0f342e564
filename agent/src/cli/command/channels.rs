//! `channels`: the lines where many goroutines wait for channels.

use crate::analyze::view;
use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};

/// Samples for `--duration`, and reports the lines where at least `threshold` wait.
pub(in crate::cli) fn run(request: &Request, threshold: u64) -> Outcome {
    let mut seen = session::run(request, vec![Box::new(Progress::new(request))])?;
    for assessment in &mut seen.assessments {
        view::channels(assessment, threshold);
    }
    seen.report_chosen(request)
}
