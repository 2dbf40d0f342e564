//! `dashboard`: processes in a browser, live.

use crate::cli::boarding::Entrance;
use crate::cli::request::Request;
use crate::cli::sinks::{Boarding, Showing};
use crate::cli::{Outcome, session};
use crate::serve::ListenAddress;

/// Shows until Ctrl-C, or all processes have ended.
pub(in crate::cli) fn run(request: &Request, listen: ListenAddress, entrance: Entrance) -> Outcome {
    let boarding = Boarding::start(listen, entrance, Showing::Named)?;
    session::run(request, vec![Box::new(boarding)])?.end_without_report(request)
}
