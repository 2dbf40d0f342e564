//! Profiles and dumps in files, as a source: one for each series.
//!
//! All files of one folder are a series, each folder in it has one of its own, and so have files that are
//! named one by one. Profiles of another form among them are another series: what one form cannot say would
//! look like a change. A series is in the order of its times. Block, mutex and heap profiles belong to the goroutines
//! beside them that are nearest in time.

mod archive;
mod beside;
mod collector;
mod head;
mod item;
mod merge;
mod plan;
mod source;
mod time;
mod walk;

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use plan::{Found, Series, find};
pub use source::Files;

use crate::units::counted;

/// Why files cannot be read.
#[derive(Debug, Error)]
pub enum Error {
    /// Something was named that is not there.
    #[error("cannot read {}", path.display())]
    Missing {
        /// What was named.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing of what was named, or of a series, could be read.
    #[error("{}", Nothing { files: *files, unread })]
    Nothing {
        /// How many files there are.
        files: u64,
        /// Why each could not be read.
        unread: Vec<Unread>,
    },
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

/// Reasons that are told one by one.
const MAX_REASONS: usize = 8;

struct Nothing<'a> {
    files: u64,
    unread: &'a [Unread],
}

impl fmt::Display for Nothing<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files {
            0 => out.write_str("there are no files")?,
            files => {
                let files = counted(files, "file", "files");
                write!(
                    out,
                    "no profile, dump or saved observation of goroutines or contention in {files}"
                )?;
            }
        }
        for Unread { file, why } in self.unread.iter().take(MAX_REASONS) {
            write!(out, "\n  {file}: {why}")?;
        }
        match self.unread.len().saturating_sub(MAX_REASONS) {
            0 => Ok(()),
            more => write!(out, "\n  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
