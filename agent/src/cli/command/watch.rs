//! No command: watch until told to stop, then report.

use crate::cli::request::Request;
use crate::cli::sinks::{Lines, Live, Progress, can_be_live};
use crate::cli::{Outcome, output, session};
use crate::pipeline::Sink;

/// Watches each target until `--duration` is over, Ctrl-C, SIGTERM, or all of them have exited.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let sink: Box<dyn Sink> = if request.is_saved() {
        Box::new(Progress::new(request))
    } else if can_be_live(request) {
        Box::new(Live { colour: output::colour_live(&request.delivery) })
    } else {
        Box::new(Lines::new(request))
    };
    session::run(request, vec![sink])?.report(request)
}
