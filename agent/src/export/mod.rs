//! Hands profiles on to stores of profiles: a part for each store's protocol, and what waits to be sent.
//!
//! Nothing here takes samples or waits: who pushes decides when, and is told by [`Backlog`] what is next.

mod backlog;
mod figure;
mod label;
pub mod metrics;
pub mod otlp;
mod parca;
mod pyroscope;

pub use backlog::{Backlog, Parcel, Tally};
pub use figure::{Figure, Gathered, Kind};
pub use label::Label;

use crate::http::{Address, Body, Client, Error, Problem, Settings, Url};
use crate::model::Store;

/// Bytes of an answer that are read: there is nothing in it yet.
const MAX_ANSWER: u64 = 64 << 10;

/// The label that says what kind of profile it is, in both stores, and what it says. That of the sample type
/// follows from the profile itself.
const KIND: (&str, &str) = ("__name__", "goroutine");

/// A profile, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Whose, each name once.
    pub labels: Vec<Label>,
    /// pprof's protobuf, in gzip.
    pub profile: Vec<u8>,
}

impl Parcel for Labelled {
    fn bytes(&self) -> usize {
        self.profile.len()
    }
}

/// How a kind of store is sent profiles.
struct Protocol {
    /// Where to, below the server's address.
    path: &'static str,
    media_type: &'static str,
    body: fn(&Labelled) -> Vec<u8>,
    /// Whether an answer is one of this store's.
    is_answer: fn(&[u8]) -> bool,
}

const fn protocol(store: Store) -> Protocol {
    match store {
        Store::Pyroscope => Protocol {
            path: pyroscope::PATH,
            media_type: pyroscope::MEDIA_TYPE,
            body: pyroscope::body,
            is_answer: pyroscope::is_answer,
        },
        Store::Parca => Protocol {
            path: parca::PATH,
            media_type: parca::MEDIA_TYPE,
            body: parca::body,
            is_answer: parca::is_answer,
        },
    }
}

/// Pushes to one store.
#[derive(Debug)]
pub struct Pusher {
    store: Store,
    url: Url,
    client: Client,
}

impl Pusher {
    /// For the store at an address, which may have a path before the store's own. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(store: Store, address: Address, mut settings: Settings) -> Result<Self, Error> {
        let url = address.below(protocol(store).path);
        settings.credentials = address.credentials.or(settings.credentials);
        let client = Client::new(&address.url, settings)?;
        Ok(Self { store, url, client })
    }

    /// Sends a profile.
    ///
    /// # Errors
    /// When the store has not taken it, or something else than the store has answered.
    pub fn push(&self, labelled: &Labelled) -> Result<(), Error> {
        let Protocol { media_type, body, is_answer, .. } = protocol(self.store);
        let bytes = body(labelled);
        let body = Body { media_type, bytes: &bytes };
        let answer = self.client.post(&self.url, body, MAX_ANSWER)?;
        if is_answer(&answer) {
            return Ok(());
        }
        let why = format!("it is not what {} answers", self.store);
        Err(Error::of(&self.url, Problem::Protocol(why)))
    }
}

/// Whether a store does not want the profile itself, and would not want it later either: it is malformed, too
/// old or too large in its eyes. All else may pass: a missing token, a rate limit, a server that is started anew.
#[must_use]
pub const fn is_refusal(error: &Error) -> bool {
    matches!(error.problem, Problem::Status { code: 400 | 413 | 415 | 422, .. })
}

#[cfg(test)]
mod tests;
