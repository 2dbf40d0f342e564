//! `channels`: the lines where many goroutines wait for channels.

use super::analyze::LONG_ENOUGH;
use super::watch;
use crate::cli::args::{Channels, Common, INTERVAL};
use crate::cli::judging::FailOn;
use crate::cli::{Outcome, view};

/// Looks for `--duration`, and reports the lines where at least `--threshold` wait.
pub(in crate::cli) fn run(common: &Common, channels: &Channels) -> Outcome {
    let pace = common.pace(INTERVAL, Some(LONG_ENOUGH));
    let mut seen = watch::watch(common, pace, |events, _| {
        watch::progress(common, events);
        Ok(())
    })?;
    for assessment in &mut seen.assessments {
        view::channels(assessment, channels.threshold);
    }
    seen.report(common, FailOn::Likely)
}
