//! `filter`: the goroutines that the filters let pass.

use super::check;
use crate::cli::Outcome;
use crate::cli::request::Request;

/// Takes one sample, and reports what passes.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    check::look(request)?.report(request)
}
