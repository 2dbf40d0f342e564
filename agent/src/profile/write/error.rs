//! What can go wrong.

use std::io;

use thiserror::Error;

/// Why an observation is not written.
#[derive(Debug, Error)]
pub enum Error {
    /// Goroutines that are only counted have no ids, which a dump gives.
    #[error("its goroutines are counted and not told apart, as a dump (debug=2) has to")]
    NotTold,
    /// What is written to fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::NotTold => Self::other(error),
        }
    }
}
