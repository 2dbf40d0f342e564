//! Observing what has to be there: a target that has ended is an error to most tests.

use leak_agent::collect::{CollectError, Source};
use leak_agent::model::Observation;

/// A source of which another observation is needed.
pub trait Observe {
    /// The next observation.
    ///
    /// # Errors
    /// What the source says, and [`CollectError::Ended`] after its orderly end.
    fn next(&mut self) -> Result<Observation, CollectError>;
}

impl<S: Source> Observe for S {
    fn next(&mut self) -> Result<Observation, CollectError> {
        self.observe()?.ok_or(CollectError::Ended)
    }
}
