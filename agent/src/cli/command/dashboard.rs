//! `dashboard`: processes in a browser, live.

use crate::cli::request::Request;
use crate::cli::sinks::{Boarding, Showing};
use crate::cli::{Outcome, session};
use crate::serve::{ListenAddress, Token};

/// Shows until Ctrl-C, or all processes have ended.
pub(in crate::cli) fn run(
    request: &Request,
    listen: ListenAddress,
    token: Option<Token>,
) -> Outcome {
    let boarding = Boarding::start(listen, token, Showing::Named)?;
    session::run(request, vec![Box::new(boarding)])?.end_without_report(request)
}
