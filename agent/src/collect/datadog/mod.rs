//! Profiles that Datadog keeps, downloaded into a folder that the part `files` then reads: a zip archive each, as
//! Datadog's own page gives it for download.
//!
//! Datadog documents neither the list nor the download as an API, and may change both at any time. What is asked and
//! what is read of the answers is what its own tool for profile-guided optimisation does (DataDog/datadog-pgo,
//! client.go).

mod error;
mod list;
mod site;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

pub use error::Error;
pub use site::Site;

use crate::collect::{CollectError, Source};
use crate::http::{Body, Client, Settings, Url};
use crate::model::{Observation, Timestamp};
use list::Event;

/// Bytes of a list: a thousand profiles, each with all of its tags.
const MAX_LIST: u64 = 64 << 20;

/// Bytes of an archive.
const MAX_ARCHIVE: u64 = 256 << 20;

/// So many that follow each other and cannot be had tell that there is nothing to be had.
const MAX_IN_A_ROW: u32 = 3;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Where, and who asks.
    pub site: Site,
    /// How it is asked.
    pub settings: Settings,
    /// What Datadog's own search takes: `service:shop env:prod`.
    pub text: String,
    /// The newest before this time are taken.
    pub until: Timestamp,
    /// None that are older than this.
    pub from: Timestamp,
    /// At most this many, of all instances.
    pub limit: u32,
}

/// What was downloaded.
#[derive(Debug)]
pub struct Downloaded {
    /// A folder for each instance, and what people call it.
    pub instances: Vec<(String, PathBuf)>,
    /// Profiles that could not be downloaded.
    pub failed: u64,
    /// Why the last of them could not.
    pub why: Option<Error>,
}

/// A new folder for what is downloaded, for this user alone.
///
/// # Errors
/// When there can be none.
pub fn folder() -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("leak-agent-datadog-")
        .tempdir()
        .map_err(|source| Error::Write { file: std::env::temp_dir(), source })
}

/// A source of files in a folder that is there for as long as the source is.
pub struct InFolder {
    source: Box<dyn Source>,
    /// Removed when nobody has it any more.
    _folder: Arc<TempDir>,
}

impl InFolder {
    /// Keeps the folder.
    #[must_use]
    pub const fn new(source: Box<dyn Source>, folder: Arc<TempDir>) -> Self {
        Self { source, _folder: folder }
    }
}

impl Source for InFolder {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        self.source.observe()
    }
}

/// Downloads profiles into a folder: each instance has one in it.
///
/// # Errors
/// When Datadog does not answer as it used to, knows no such profile, or gives none; or when they cannot be
/// written.
pub fn download(query: &Query, into: &Path) -> Result<Downloaded, Error> {
    let client = Client::new(query.site.url(), query.site.settings(query.settings.clone()))?;
    let url = query.site.path("api/unstable/profiles/list");
    let body = Body { media_type: "application/json", bytes: &list::request(query) };
    let answer = client.post(&url, body, MAX_LIST)?;
    let events = list::answer(&answer)
        .map_err(|error| Error::Answer { url: url.to_string(), why: error.to_string() })?;
    if events.is_empty() {
        return Err(Error::None { query: list::text(query) });
    }
    let mut folders: BTreeMap<String, PathBuf> = BTreeMap::new();
    let (mut failed, mut in_a_row, mut why) = (0, 0, None);
    for event in events {
        match one(&client, &query.site, &event) {
            Ok(archive) => {
                let number = folders.len();
                let folder = folders
                    .entry(event.instance())
                    .or_insert_with(|| into.join(number.to_string()));
                put(folder, &event, &archive)?;
                in_a_row = 0;
            }
            Err(error) => {
                (failed, in_a_row) = (failed + 1, in_a_row + 1);
                if in_a_row >= MAX_IN_A_ROW && folders.is_empty() {
                    return Err(error);
                }
                why = Some(error);
            }
        }
    }
    match (folders.is_empty(), why) {
        (true, Some(why)) => Err(why),
        (_, why) => Ok(Downloaded { instances: folders.into_iter().collect(), failed, why }),
    }
}

fn one(client: &Client, site: &Site, event: &Event) -> Result<Vec<u8>, Error> {
    let mut url: Url = site.path("api/ui/profiling/profiles");
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend([event.profile.as_str(), "download"]);
    }
    url.query_pairs_mut().append_pair("eventId", &event.id);
    let mut archive = Vec::new();
    client.profile(&url, MAX_ARCHIVE, &mut |piece| archive.extend_from_slice(piece))?;
    Ok(archive)
}

/// The name has the time, for profiles that do not have it themselves.
fn put(folder: &Path, event: &Event, archive: &[u8]) -> Result<(), Error> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let id: String = event.profile.chars().take(64).map(plain).collect();
    let file = folder.join(format!("{}-{id}.zip", event.stamp()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, archive))
        .map_err(|source| Error::Write { file: file.clone(), source })
}
