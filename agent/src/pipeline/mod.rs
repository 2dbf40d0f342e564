//! Where the rooms are joined: sources are observed, what they show is assessed, and sinks are fed.
//!
//! [`Session`] does that for any number of targets and sinks, each on a thread of its own. [`Observer`]
//! is one target of it: a source, its window and its judgement.

mod adaptive;
mod earlier;
mod fed;
pub mod fleet;
mod habits;
mod load;
mod observer;
mod pool;
mod pressure;
mod prover;
mod proving;
mod rhythm;
mod session;
mod sink;
mod stop;
mod windows;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::collect::attach::{Attach, Options};
use crate::collect::datadog::InFolder;
use crate::collect::endpoint::Endpoint;
use crate::collect::files::{Files, Series};
use crate::collect::saved::{Recorder, Recording, Replay};
use crate::collect::stores::{self, Found, Query, Stored};
use crate::collect::{CollectError, Source};
pub use crate::golang::listing::{GoProcess, Listing, list as processes};
pub use crate::golang::runtimes::with_libraries as runtimes;
use crate::http::{self, Address};
pub use fed::{SINK_GRACE, SinkEnd, SinkOutcome};
pub use habits::Remember;
pub use observer::{End, Last, Observer, Pace, UntilFound};
pub use pool::{Departure, Event, Memory, Observe, Pool, Progress};
pub use prover::{Holding, Prover};
pub use proving::{ProofDemand, ProofPace, Proving};
pub use rhythm::Pacing;
pub use session::{Open, Outcome, Session, TargetEnd, TargetOutcome};
pub use sink::{Inbox, Keep, Role, Sink, SinkError, Terms};
pub use stop::Stop;
pub use windows::KeepWindow;

/// Attaches to a process.
///
/// # Errors
/// When there is none, it cannot be read as a Go program, or access is refused.
pub fn attach(pid: u32, options: &Options) -> Result<Box<dyn Source>, CollectError> {
    Ok(Box::new(Attach::open(pid, options)?))
}

/// Finds the profiles that a server has of a program.
///
/// # Errors
/// When it cannot be asked, or has none.
pub fn endpoint(
    address: Address,
    settings: http::Settings,
    max_dumped: u64,
) -> Result<Endpoint, CollectError> {
    Ok(Endpoint::open(address, settings, max_dumped)?)
}

/// Shows a recording again.
#[must_use]
pub fn replay(recording: Recording) -> Box<dyn Source> {
    Box::new(Replay::new(recording))
}

/// Shows the profiles and dumps of a series of files.
#[must_use]
pub fn files(series: Series) -> Box<dyn Source> {
    Box::new(Files::new(series))
}

/// Shows the profiles of a series that was downloaded into a folder, which is kept until then.
#[must_use]
pub fn downloaded(series: Series, folder: Arc<TempDir>) -> Box<dyn Source> {
    Box::new(InFolder::new(files(series), folder))
}

/// Asks a store which instances it has profiles of.
///
/// # Errors
/// When it cannot be asked, or has none.
pub fn stored_instances(query: &Query) -> Result<Vec<Found>, CollectError> {
    Ok(stores::find(query)?)
}

/// Shows the profiles that a store has of an instance.
///
/// # Errors
/// When the store cannot be asked.
pub fn stored(query: &Query, found: Found) -> Result<Box<dyn Source>, CollectError> {
    Ok(Box::new(Stored::open(query, found)?))
}

/// Saves what a source sees into a folder. This wraps the source and is no sink, so that no observation
/// can be lost: each is saved, whole, before it is judged and before the next one is made, and one that
/// cannot be saved is said in its own coverage.
///
/// # Errors
/// When the folder cannot be made.
pub fn record(source: Box<dyn Source>, folder: &Path) -> Result<Box<dyn Source>, CollectError> {
    Ok(Box::new(Recorder::new(source, folder)?))
}
