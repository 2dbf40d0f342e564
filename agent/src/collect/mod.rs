//! Where observations come from: one kind of source a folder, each behind [`Source`].

pub mod attach;
pub mod saved;
pub mod source;

use thiserror::Error;

use crate::golang;
use crate::model::Observation;

/// Something that can be observed again and again.
pub trait Source: Send {
    /// Looks once. The caller decides when: sources never sleep.
    ///
    /// # Errors
    /// When nothing could be seen. [`CollectError::is_end`] tells an orderly end from a fault.
    fn next(&mut self) -> Result<Observation, CollectError>;
}

/// Why nothing could be seen.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum CollectError {
    /// The Go program could not be read.
    Program(#[from] golang::Error),
    /// The agent has too little memory for it.
    Memory(#[from] attach::Shortage),
    /// Saved observations could not be read again.
    Saved(#[from] saved::Error),
}

impl CollectError {
    /// Whether this is the orderly end of the target rather than a fault.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Program(golang::Error::Exited { .. }) | Self::Saved(saved::Error::End { .. })
        )
    }

    /// Whether the target will be seen again before long: it has just executed itself anew.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Program(golang::Error::Starting { .. }))
    }

    /// Whether the kernel refused to let us look.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Program(golang::Error::Permission { .. }))
    }
}
