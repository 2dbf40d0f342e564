//! Observations in files: saved whole while they are made, and read again as a source.

mod form;
mod kept;
mod place;
mod record;
mod replay;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use kept::Shelf;
pub use place::Recording;
pub use record::Recorder;
pub use replay::Replay;

/// A file is no larger than this, unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Why observations cannot be saved or read again.
#[derive(Debug, Error)]
pub enum Error {
    /// A folder cannot be made.
    #[error("cannot use the folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read, or breaks off.
    #[error("cannot read the saved observation {}: it is damaged or cut short", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that holds something else than an observation.
    #[error("{} is no saved observation that can be read", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A file of a version that this agent does not know.
    #[error(
        "{} is of the form {schema:?}; this agent reads {}: use the agent that wrote it",
        file.display(), form::SCHEMA
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// What it says it is.
        schema: String,
    },
    /// A file that contradicts itself or those before it.
    #[error("{} cannot be true: {why}", file.display())]
    Absurd {
        /// The file.
        file: PathBuf,
        /// What it says.
        why: &'static str,
    },
    /// A file cannot be written.
    #[error("cannot save the observation {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
