//! `patterns`: the stacks at which goroutines stood through every sample.

use crate::analyze::view;
use crate::cli::failure::Failure;
use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};
use crate::model::{Assessment, ProfileForm};

/// Samples for `--duration` or `--samples`, and reports the stacks that persisted.
pub(in crate::cli) fn run(request: &Request, threshold: u64) -> Outcome {
    let mut seen = session::run(request, vec![Box::new(Progress::new(request))])?;
    let counts = |seen: &Assessment| {
        seen.coverage.profile.as_ref().is_some_and(|profile| profile.form != ProfileForm::Dump)
    };
    if !seen.assessments.is_empty() && seen.assessments.iter().all(counts) {
        return Err(Failure::OnlyCounts);
    }
    for assessment in &mut seen.assessments {
        view::persistent(assessment, threshold);
    }
    seen.report_chosen(request)
}
