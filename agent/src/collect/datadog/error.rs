//! Why Datadog gives no profiles.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::http;

/// Why Datadog gives no profiles.
#[derive(Debug, Error)]
pub enum Error {
    /// It did not answer, or not with what was asked for.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// Its answer is not what it used to be.
    #[error("the answer of {url} is not as Datadog's used to be: {why}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// It has no such profile.
    #[error("Datadog has no profile of {query} in this time")]
    None {
        /// What was searched for.
        query: String,
    },
    /// A profile cannot be written.
    #[error("cannot write {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
