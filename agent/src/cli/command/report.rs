//! `report`: the report of saved observations.

use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};

/// Judges what was saved as it was judged live. Ends in 1 only if `--fail-on` asks for it.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    session::run(request, vec![Box::new(Progress::new(request))])?.report(request)
}
