//! `patterns`: the stacks at which goroutines stood through every look.

use super::analyze::LONG_ENOUGH;
use super::watch;
use crate::cli::args::{Common, INTERVAL, Patterns};
use crate::cli::judging::FailOn;
use crate::cli::{Outcome, view};
use crate::pipeline::Pace;

/// Looks for `--duration` or `--samples` looks, and reports the stacks that persisted.
pub(in crate::cli) fn run(common: &Common, patterns: &Patterns) -> Outcome {
    let mut pace = common.pace(INTERVAL, Some(LONG_ENOUGH));
    if let Some(samples) = patterns.samples {
        pace = Pace { duration: Some(pace.interval.saturating_mul(samples - 1)), ..pace };
    }
    let mut seen = watch::watch(common, pace, |events, _| {
        watch::progress(common, events);
        Ok(())
    })?;
    for assessment in &mut seen.assessments {
        view::persistent(assessment, patterns.threshold);
    }
    seen.report(common, FailOn::Likely)
}
