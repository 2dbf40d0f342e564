//! `man`: the manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::args::Args;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Outcome, accepted};

/// Writes the page of the whole to standard output, or into a folder that page and one for each command.
pub(in crate::cli) fn run(folder: Option<&Path>) -> Outcome {
    let command = accepted::with_help(Args::command());
    match folder {
        None => Man::new(command).render(&mut io::stdout().lock()).map_err(Failure::Stdout)?,
        Some(folder) => fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .map_err(|source| Failure::Pages { folder: folder.to_owned(), source })?,
    }
    Ok(Exit::Done)
}
