//! Profiles that a store keeps, as sources: one for each instance of a program.
//!
//! [`find`] asks a store which instances a selector means and when profiles were taken of each; [`Stored`]
//! then reads the profiles of one of them, one after the other. What is special to a store (`parca`,
//! `pyroscope`) has a file of its own, in which requests are made and answers read.

mod answer;
mod error;
mod instances;
mod parca;
mod pyroscope;
mod range;
mod selector;
mod source;

use std::time::Duration;

pub use error::Error;
pub use instances::Found;
pub use range::Range;
pub use selector::Selector;
pub use source::Stored;

use crate::http::{Address, Client, Settings, Url};
use crate::model::{Store, Timestamp};

/// Samples that are taken of an instance, about, where nobody says how far they are apart.
pub const SAMPLES: u32 = 60;

/// How many times finer the steps are in which a store says when it has profiles: the time that they are
/// of, which decides about the steps of samples, is known no better.
const FINER: u32 = 4;

/// What is asked of a store.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which kind of store it is.
    pub store: Store,
    /// Where it is.
    pub address: Address,
    /// How it is asked.
    pub settings: Settings,
    /// Whose profiles are meant.
    pub selector: Selector,
    /// Of when.
    pub range: Range,
    /// At most one profile is taken of an instance in each step; without it as many as make about
    /// `samples` of the time in which there are any.
    pub step: Option<Duration>,
    /// See `step`.
    pub samples: u32,
    /// The labels that tell instances apart; without them those that usually do.
    pub by: Vec<String>,
}

impl Query {
    fn client(&self) -> Result<(Client, Url), Error> {
        let Address { url, credentials, .. } = self.address.clone();
        let mut settings = self.settings.clone();
        settings.credentials = credentials.or(settings.credentials);
        Ok((Client::new(&url, settings)?, url))
    }
}

/// A label and its value.
type Label = (String, String);

/// Profiles that have the same labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Series {
    labels: Vec<Label>,
    times: Vec<Taken>,
}

/// When a profile was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    at: Timestamp,
    /// Profiles of the same step, this one included.
    of: u64,
}

/// A store that can be asked.
#[derive(Debug)]
struct Asked {
    client: Client,
    store: Store,
    base: Url,
    /// The full name of the type of profiles.
    profile_type: String,
}

impl Asked {
    /// Asks which type of profiles of goroutines the store has, unless one was named.
    fn open(query: &Query) -> Result<Self, Error> {
        let (client, url) = query.client()?;
        let types = match query.store {
            Store::Parca => parca::types(&client, &url, query.range)?,
            Store::Pyroscope => pyroscope::types(&client, &url, query.range)?,
        };
        let profile_type = query.selector.choose(types).map_err(|has| Error::NoType {
            wanted: query.selector.profile_type().map(str::to_owned),
            range: query.range,
            has,
        })?;
        Ok(Self { client, store: query.store, base: url, profile_type })
    }

    /// When profiles were taken, by their labels: one in each step, if there are any.
    fn series(&self, query: &Query, range: Range, step: Duration) -> Result<Vec<Series>, Error> {
        let (client, base, profile_type) = (&self.client, &self.base, &*self.profile_type);
        match self.store {
            Store::Parca => {
                let query = format!("{profile_type}{}", query.selector.matchers());
                parca::series(client, base, &query, range, step)
            }
            Store::Pyroscope => {
                let Query { selector, by, .. } = query;
                pyroscope::series(client, base, profile_type, selector, by, (range, step))
            }
        }
    }

    /// A profile in pprof's protobuf, packed or not.
    fn profile(&self, matchers: &str, at: Timestamp) -> Result<Vec<u8>, Error> {
        let (client, base, profile_type) = (&self.client, &self.base, &*self.profile_type);
        match self.store {
            Store::Parca => parca::profile(client, base, &format!("{profile_type}{matchers}"), at),
            Store::Pyroscope => pyroscope::profile(client, base, profile_type, matchers, at),
        }
    }
}

/// Asks a store which instances there are, and when profiles were taken of them.
///
/// # Errors
/// When the store cannot be asked, or has none in this time.
pub fn find(query: &Query) -> Result<Vec<Found>, Error> {
    let asked = Asked::open(query)?;
    let mut range = query.range;
    let (series, asked_step) = loop {
        let step = query.step.unwrap_or_else(|| range.step(query.samples.saturating_mul(FINER)));
        let series = asked.series(query, range, step)?;
        // Profiles of a minute are one or two steps of an hour.
        match range.narrowed(times(&series), step) {
            Some(narrower) if query.step.is_none() => range = narrower,
            _ => break (series, step),
        }
    };
    let Some(seen) = Range::over(times(&series)) else {
        return Err(Error::NoProfiles {
            query: format!("{}{}", asked.profile_type, query.selector.matchers()),
            range: query.range,
        });
    };
    let step = query.step.unwrap_or_else(|| seen.step(query.samples));
    Ok(instances::of(query, &asked.profile_type, series, (asked_step, step)))
}

fn times(series: &[Series]) -> impl Iterator<Item = Timestamp> {
    series.iter().flat_map(|series| &series.times).map(|taken| taken.at)
}
