//! The command line: what was typed, what it asks for, and how it ends.

use std::process::ExitCode;

use clap::Parser as _;

mod args;
mod command;
mod exit;
mod failure;
mod output;
mod target;

use args::{Args, Command};
use failure::Failure;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    // clap itself answers --help, --version and what it cannot parse (exit code 2).
    let args = Args::parse();
    let result = match &args.command {
        _ if args.common.list => command::list::run(&args.common),
        None => command::watch::run(&args.common),
        Some(Command::Check) => command::check::run(&args.common),
        Some(Command::Analyze) => command::analyze::run(&args.common),
        Some(Command::Doctor) => command::doctor::run(&args.common),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit().into()
        }
    }
}

/// What a command ends in.
type Outcome = Result<exit::Exit, Failure>;
