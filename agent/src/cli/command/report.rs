//! `report`: the report of saved observations.

use super::watch;
use crate::cli::Outcome;
use crate::cli::args::{Common, INTERVAL};
use crate::cli::failure::Failure;
use crate::cli::judging::FailOn;

/// Judges what was saved as it was judged live. Ends in 1 only if `--fail-on` asks for it.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    if common.input.is_none() {
        return Err(Failure::NoInput);
    }
    let pace = common.pace(INTERVAL, None);
    watch::watch(common, pace, |events, _| {
        watch::progress(common, events);
        Ok(())
    })?
    .report(common, FailOn::Never)
}
