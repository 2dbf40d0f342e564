//! `completions`: the script that completes commands and flags in a shell.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::args::Args;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Outcome, accepted};

/// Writes it to standard output.
pub(in crate::cli) fn run(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    let mut command = accepted::with_help(Args::command());
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    io::stdout().lock().write_all(&script).map_err(Failure::Stdout)?;
    Ok(Exit::Done)
}
