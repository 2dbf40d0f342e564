//! `filter`: the goroutines that the filters let pass.

use crate::cli::request::Request;
use crate::cli::{Outcome, session};

/// Takes one sample, and reports what passes.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    session::sample_once(request)?.report(request)
}
