//! `analyze`: sample long enough to judge, report, end.

use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};

/// Samples for `--duration`, or until something is found, and says on standard error how far it is.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    session::run(request, vec![Box::new(Progress::new(request))])?.report(request)
}
