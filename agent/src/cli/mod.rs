//! The command line: what was typed, what it asks for, and how it ends.

use std::process::ExitCode;

mod args;
mod command;
mod config;
mod exit;
mod failure;
mod judging;
mod known;
mod log;
mod output;
mod privileges;
mod target;
mod view;

use crate::host::limits::{raise_open_files, survive_file_size_limit};
use args::{Args, Command};
use failure::Failure;
use privileges::Touch;

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
    let mut args = config::args()?;
    // What these choose are groups.
    args.common.groups |=
        matches!(args.command, Some(Command::Filter | Command::Patterns(_) | Command::Channels(_)));
    let common = &args.common;
    log::start(common.verbose);
    // Where it cannot be caught, all is as it was.
    let _ = survive_file_size_limit();
    if let Some(touch) = touch(&args) {
        // What cannot be raised is said by whatever fails for it.
        let _ = raise_open_files();
        privileges::give_up(common, touch);
    }
    if !common.list {
        output::try_first(common)?;
    }
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

/// What a command touches; `None` where it keeps its privileges for now.
fn touch(args: &Args) -> Option<Touch> {
    Some(match &args.command {
        _ if args.common.list || args.common.input.is_some() => Touch::Nothing,
        None
        | Some(Command::Analyze | Command::Monitor | Command::Patterns(_) | Command::Channels(_)) => {
            Touch::Probes
        }
        // Somebody else's program is run with what the user has.
        Some(Command::Compare(how)) if !how.run.is_empty() => return None,
        Some(Command::Check | Command::Compare(_) | Command::Filter | Command::Report) => {
            Touch::Nothing
        }
        // It says what there was before it gives up the rest itself.
        Some(Command::Doctor) => return None,
    })
}

/// What a command ends in.
type Outcome = Result<exit::Exit, Failure>;
