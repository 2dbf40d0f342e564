//! The command line: what was typed, what it asks for, and how it ends.

use std::process::ExitCode;

mod args;
mod command;
mod config;
mod exit;
mod failure;
mod judging;
mod known;
mod output;
mod target;
mod view;

use args::Command;
use failure::Failure;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit().into()
        }
    }
}

fn run() -> Outcome {
    // clap itself answers --help, --version and what it cannot parse (exit code 2).
    let args = config::args()?;
    let common = &args.common;
    match &args.command {
        _ if common.list => command::list::run(common),
        None => command::watch::run(common),
        Some(Command::Check) => command::check::run(common),
        Some(Command::Analyze) => command::analyze::run(common),
        Some(Command::Monitor) => command::monitor::run(common),
        Some(Command::Compare(how)) => command::compare::run(common, how),
        Some(Command::Patterns(which)) => command::patterns::run(common, which),
        Some(Command::Channels(which)) => command::channels::run(common, which),
        Some(Command::Filter) => command::filter::run(common),
        Some(Command::Report) => command::report::run(common),
        Some(Command::Doctor) => command::doctor::run(common),
    }
}

/// What a command ends in.
type Outcome = Result<exit::Exit, Failure>;
