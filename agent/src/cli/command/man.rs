//! `man`: the manual page.

use std::io;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Writes it to standard output, as roff.
pub(in crate::cli) fn run() -> Outcome {
    Man::new(Args::command()).render(&mut io::stdout().lock()).map_err(Failure::Stdout)?;
    Ok(Exit::Done)
}
