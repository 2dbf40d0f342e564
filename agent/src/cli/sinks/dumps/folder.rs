//! The folder that dumps are kept in: `leak-agent-dump-PROGRAM-PID-TIME.txt` and the same as `.pb.gz`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::analyze::finding_of;
use crate::cli::output;
use crate::model::{Assessment, Observation, Target, Timestamp};
use crate::profile::write::{self, Judged};
use crate::report::json;

/// How the names of all dumps begin: no other file is ever removed.
const BEGIN: &str = "leak-agent-dump-";

const TEXT: &str = ".txt";
const PROFILE: &str = ".pb.gz";

/// Characters of a target's name: file systems allow 255 bytes for the whole.
const MAX_NAME: usize = 120;

/// A folder with a limit.
pub(super) struct Folder {
    path: PathBuf,
    limit: NonZeroUsize,
}

/// What became of a dump.
pub(super) struct Kept {
    pub(super) text: PathBuf,
    pub(super) profile: PathBuf,
    /// How many others were removed.
    pub(super) removed: u64,
    /// Why others could not be.
    pub(super) unremoved: Option<io::Error>,
}

/// Why a dump is not kept.
#[derive(Debug, Error)]
#[error("cannot keep a dump as {}", path.display())]
pub(super) struct Unkept {
    path: PathBuf,
    pub(super) source: io::Error,
}

impl Folder {
    pub(super) const fn new(path: PathBuf, limit: NonZeroUsize) -> Self {
        Self { path, limit }
    }

    /// Writes a sample's dump and profile, both or neither, and removes what is beyond the limit. The text
    /// is that of debug=1 where goroutines are only counted.
    pub(super) fn put(
        &self,
        observation: &Observation,
        assessment: &Assessment,
    ) -> Result<Kept, Unkept> {
        let name = format!("{BEGIN}{}-{}", name(&observation.target), stamp(observation.at));
        let text = self.path.join(format!("{name}{TEXT}"));
        let profile = self.path.join(format!("{name}{PROFILE}"));
        let cannot = |path: &Path| {
            let path = path.to_owned();
            move |source| Unkept { path, source }
        };
        output::write_file(&text, |out| {
            if write::tells_apart(observation) {
                write::dump(observation, out).map_err(io::Error::from)
            } else {
                write::counts(observation, out)
            }
        })
        .map_err(cannot(&text))?;
        let finding_of = finding_of(observation, assessment);
        let judgement = assessment.judgement.as_ref();
        let judged = judgement.map(|judgement| Judged { judgement, finding_of: &finding_of });
        let written = output::write_file(&profile, |out| write::pprof(observation, judged, out));
        if let Err(error) = written {
            // One alone would be a dump that has to be explained.
            _ = fs::remove_file(&text);
            return Err(cannot(&profile)(error));
        }
        let (removed, unremoved) = match self.remove_beyond(&name) {
            Ok(removed) => (removed, None),
            Err((removed, error)) => (removed, Some(error)),
        };
        Ok(Kept { text, profile, removed, unremoved })
    }

    /// Removes the oldest until as many are there as may be, but never the one that was just written:
    /// of a recording that is shown again it may be the oldest.
    fn remove_beyond(&self, newest: &str) -> Result<u64, (u64, io::Error)> {
        let mut dumps: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
        for entry in fs::read_dir(&self.path).map_err(|error| (0, error))?.flatten() {
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(dump) else { continue };
            let time = name.rsplit('-').next().unwrap_or_default();
            if name != newest {
                dumps.entry((time.to_owned(), name.to_owned())).or_default().push(entry.path());
            }
        }
        let beyond = (dumps.len() + 1).saturating_sub(self.limit.get());
        let mut removed = 0;
        for file in dumps.into_values().take(beyond) {
            file.iter().try_for_each(fs::remove_file).map_err(|error| (removed, error))?;
            removed += 1;
        }
        Ok(removed)
    }
}

/// The name of the dump that a file is of.
fn dump(file: &str) -> Option<&str> {
    let name = file.strip_suffix(TEXT).or_else(|| file.strip_suffix(PROFILE))?;
    name.starts_with(BEGIN).then_some(name)
}

/// What a file name may hold on every file system.
fn name(target: &Target) -> String {
    let name = target.pid().map_or_else(
        || target.name().into_owned(),
        |pid| format!("{}-{pid}", target.exe.as_deref().unwrap_or("process")),
    );
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    name.chars().take(MAX_NAME).map(plain).collect()
}

/// `20261120T080000.123Z`: in the order of time.
fn stamp(at: Timestamp) -> String {
    json::time(at).unwrap_or_default().replace(['-', ':'], "")
}
