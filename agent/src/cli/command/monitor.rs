//! `monitor`: go on sampling, and tell when a finding appears, changes or ends.

use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::cli::sinks::Monitor;
use crate::cli::{Outcome, session};

/// Samples until told to stop, then reports.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let seen = session::run(request, vec![Box::new(Monitor::new(request))])?;
    // Its lines were all of standard output's JSON.
    if request.delivery.format.kind == Kind::Json && !request.delivery.has_file() {
        return seen.end_without_report(request);
    }
    seen.report(request)
}
