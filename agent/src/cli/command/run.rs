//! `run`: start a program, watch it from its beginning to its end, report.

use std::time::Instant;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::request::Request;
use crate::cli::session::Caught;
use crate::cli::started::{Ending, Started};
use crate::cli::{Outcome, command, output};
use crate::error_chain::one_line;
use crate::model::{Assessment, EarlyEnd};

/// Watches a program that was started until it ends, `--duration` is over, or a signal asks the agent to stop.
/// Then the program is asked to end too. Where it cannot be watched that is said, and it runs all the same. Ends as
/// `analyze` does; with nothing found, in a failure where the program ended in one.
pub(in crate::cli) fn run(request: &Request, started: &mut Started, walks: bool) -> Outcome {
    let until = request.pace.duration.map(|duration| Instant::now() + duration);
    let signals = Caught::new().map_err(Failure::Signals)?;
    let seen = command::analyze::watch(request, walks, None, Vec::new(), &signals);
    match &seen {
        Ok(seen) if seen.failures.is_empty() => {
            let is_exit = |it: &Assessment| matches!(it.early_end, Some(EarlyEnd::Exited));
            if seen.assessments.iter().any(is_exit) {
                // What is left is to be told how.
                started.wait(None, &signals)?;
            }
        }
        seen => {
            let failure = seen.as_ref().map_or_else(Some, |seen| seen.failures.first());
            let why = failure.map(|it| one_line(it)).unwrap_or_default();
            output::say(format_args!("it runs on, and is not watched: {why}"));
            started.wait(until, &signals)?;
        }
    }
    let ending = started.ask_to_end(&signals)?;
    let ended = match ending {
        Ending::ByItself(status) => Some(status),
        Ending::Asked { .. } => None,
    };
    // While it ends.
    let outcome = seen.and_then(|seen| seen.report(request));
    started.end(ending)?;
    signals.end_at_once();
    match (outcome, ended) {
        (Ok(Exit::Done), Some(status)) if !status.success() => Err(started.failed(status)),
        (outcome, _) => outcome,
    }
}
