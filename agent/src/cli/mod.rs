//! The command line: what was typed, what it asks for, and how it ends.

use std::process::ExitCode;

use clap::Parser as _;

mod args;
mod command;
mod exit;
mod failure;
mod log;
mod output;
mod privileges;
mod target;

use args::{Args, Command};
use failure::Failure;
use privileges::Touch;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    // clap itself answers --help, --version and what it cannot parse (exit code 2).
    let args = Args::parse();
    log::start(args.common.verbose);
    let result = run(&args);
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit().into()
        }
    }
}

fn run(args: &Args) -> Outcome {
    let common = &args.common;
    match &args.command {
        _ if common.list => {
            privileges::give_up(common, Touch::Nothing);
            command::list::run(common)
        }
        None => {
            privileges::give_up(common, Touch::Probes);
            command::watch::run(common)
        }
        Some(Command::Check) => {
            privileges::give_up(common, Touch::Nothing);
            command::check::run(common)
        }
        Some(Command::Analyze) => {
            privileges::give_up(common, Touch::Probes);
            command::analyze::run(common)
        }
        // It says what there was before it gives up the rest itself.
        Some(Command::Doctor) => command::doctor::run(common),
    }
}

/// What a command ends in.
type Outcome = Result<exit::Exit, Failure>;
