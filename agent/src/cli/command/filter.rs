//! `filter`: the goroutines that the filters let pass.

use super::check;
use crate::cli::Outcome;
use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::judging::FailOn;

/// Looks once, and reports what passes.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    if common.judging.filter()?.is_open() {
        return Err(Failure::NoFilter);
    }
    check::look(common)?.report(common, FailOn::Never)
}
