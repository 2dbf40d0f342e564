//! Where saved observations lie: `NAME-START-NUMBER.observation.gz` in one folder, a recording being
//! those with the same name and start. A process is named by its pid, others by their address or path.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::{Instance, Observation, Timestamp};

/// How file names end.
const END: &str = ".observation.gz";

/// Characters of a name: file systems allow 255 bytes, number and ending included.
const MAX_NAME: usize = 120;

/// The first files of all recordings that this agent has begun: they may not be written yet.
static BEGUN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What was saved of one target in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The folder.
    pub folder: PathBuf,
    /// The target, as its files are named.
    pub name: String,
    /// When its first observation was made, in milliseconds since the Unix epoch.
    pub start_ms: u64,
    /// The numbers of the observations that are there, from 1, in order.
    pub numbers: Vec<u64>,
}

impl Recording {
    /// A recording that begins with an observation. A process may hold several Go runtimes, each of which
    /// is recorded, from the same millisecond on and on a thread of its own: of those the later ones get the
    /// next free one.
    pub(super) fn new(folder: &Path, first: &Observation) -> Self {
        let name = name(&first.target.id.instance);
        let start_ms = u64::try_from(first.at.unix_ns() / 1_000_000).unwrap_or_default();
        let mut recording = Self { folder: folder.to_owned(), name, start_ms, numbers: Vec::new() };
        let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
        while recording.file(1).exists() || begun.contains(&recording.file(1)) {
            recording.start_ms = recording.start_ms.saturating_add(1);
        }
        begun.insert(recording.file(1));
        recording
    }

    /// When it began, as its files are named: tells it from others of the same target.
    pub(super) fn began(&self) -> Timestamp {
        let ns = i64::try_from(self.start_ms).ok().and_then(|ms| ms.checked_mul(1_000_000));
        Timestamp::from_unix_ns(ns.unwrap_or(i64::MAX))
    }

    /// The file of an observation.
    pub(super) fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}-{}-{number:06}{END}", self.name, self.start_ms))
    }

    /// The recordings that these files are of, by folder, name and time, with the observations that these
    /// files are. Those of other names are of none.
    #[must_use]
    pub fn of(files: &[PathBuf]) -> Vec<Self> {
        let mut found: BTreeMap<(&Path, &str, u64), BTreeSet<u64>> = BTreeMap::new();
        for file in files {
            let name = file.file_name().and_then(OsStr::to_str);
            if let Some((name, start, number)) = name.and_then(parse) {
                let folder = file.parent().unwrap_or(Path::new(""));
                found.entry((folder, name, start)).or_default().insert(number);
            }
        }
        let recording =
            |((folder, name, start_ms), numbers): ((&Path, &str, _), BTreeSet<u64>)| Self {
                folder: folder.to_owned(),
                name: name.to_owned(),
                start_ms,
                numbers: numbers.into_iter().collect(),
            };
        found.into_iter().map(recording).collect()
    }
}

/// Where a recording is, as people say it: `seen/4711-1795161600000`.
impl fmt::Display for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}-{}", self.folder.display(), self.name, self.start_ms)
    }
}

/// How the files of a target are named: by what a file name may hold on every file system.
pub(super) fn name(target: &Instance) -> String {
    let text = match target {
        Instance::Process { pid, .. } => return pid.to_string(),
        Instance::Endpoint { url } => {
            let address = url.split_once("://").map_or(url.as_str(), |(_, address)| address);
            address.trim_end_matches('/').trim_end_matches("/debug/pprof")
        }
        Instance::Files { path } => path.as_str(),
        Instance::Stored(of) => &of.labels,
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let name: String = text.chars().take(MAX_NAME).map(plain).collect();
    // A hidden file would not be seen in a listing.
    name.trim_start_matches(['.', '_']).to_owned()
}

/// Name, start and number in the name of a file.
fn parse(file: &str) -> Option<(&str, u64, u64)> {
    let mut parts = file.strip_suffix(END)?.rsplitn(3, '-');
    let (number, start) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((parts.next()?, start, number))
}
