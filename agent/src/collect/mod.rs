//! Where observations come from: one kind of source a folder, each behind [`Source`].

pub mod attach;
pub(crate) mod datadog;
pub(crate) mod endpoint;
pub(crate) mod files;
pub(crate) mod go_files;
pub(crate) mod saved;
pub(crate) mod stores;

use thiserror::Error;

use crate::golang;
use crate::model::Observation;

/// Something that can be observed again and again. Collecting is synchronous: a caller with several
/// sources gives each a thread.
///
/// A source observes, and nothing else. What one kind of source can do beyond that (prove, walk the heap,
/// dump) is handed out by what opens it, as a value of its own beside the boxed source.
pub trait Source: Send {
    /// Observes once. The caller decides when: sources never sleep.
    ///
    /// `Ok(None)` is the orderly end: the target has exited, or a recording is over. It stays so.
    ///
    /// # Errors
    /// When nothing could be seen. [`CollectError::is_passing`] tells what is over before long.
    fn observe(&mut self) -> Result<Option<Observation>, CollectError>;
}

/// Why nothing could be seen.
#[derive(Debug, Error)]
pub enum CollectError {
    /// The Go program could not be read.
    #[error(transparent)]
    Program(#[from] golang::Error),
    /// The agent has too little memory for it.
    #[error(transparent)]
    Memory(#[from] attach::Shortage),
    /// The agent has too little memory to walk the program's heap.
    #[error(transparent)]
    Walk(#[from] attach::retained::NoRoom),
    /// Nothing is known of the program's heap.
    #[error("the heap of the program cannot be read")]
    Heap(#[from] golang::heap::NoHeap),
    /// A server did not give what it was asked for.
    #[error(transparent)]
    Endpoint(#[from] endpoint::Error),
    /// A store of profiles did not give what it was asked for.
    #[error(transparent)]
    Stores(#[from] stores::Error),
    /// Saved observations could not be read again.
    #[error(transparent)]
    Saved(#[from] saved::Error),
    /// Profiles and dumps in files could not be read.
    #[error(transparent)]
    Files(#[from] files::Error),
    /// Datadog did not give what it was asked for.
    #[error(transparent)]
    Datadog(#[from] datadog::Error),
    /// An observation was needed of what had ended.
    #[error("it has ended, and can be observed no more")]
    Ended,
}

impl CollectError {
    /// Whether the target may be seen again before long: it has just executed itself anew, or a server did
    /// not answer once. This passes in a bounded time, or another error says why it did not.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Program(golang::Error::Starting { .. }) => true,
            Self::Endpoint(error) => error.is_passing(),
            _ => false,
        }
    }

    /// Whether the kernel refused access to the target.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Program(golang::Error::Permission { .. }))
    }
}
