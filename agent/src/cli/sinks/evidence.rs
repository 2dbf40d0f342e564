//! The folder that samples are kept in, in some forms each: `leak-agent-dump-PROGRAM-PID-TIME.txt`, and the same with other
//! ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::analyze::finding_of;
use crate::cli::keeping::Form;
use crate::cli::output;
use crate::cli::time::now;
use crate::model::{Assessment, Observation, Target, Timestamp};
use crate::profile::write::{self, Judged};
use crate::report::html::Html;
use crate::report::json::{self, Json};
use crate::report::{Render, Report};

/// How the names of all dumps begin: no other file is ever removed.
const BEGIN: &str = "leak-agent-dump-";

impl Form {
    fn write(self, of: &Observation, judged: &Assessment, out: &mut dyn Write) -> io::Result<()> {
        let report = |render: &dyn Render, out| {
            let assessments = std::slice::from_ref(judged);
            render.render(&Report { generated_at: now(), assessments, several: false }, out)
        };
        match self {
            Self::Snapshot => report(&Json, out),
            Self::Html => report(&Html, out),
            Self::Pprof => {
                let finding_of = finding_of(of, judged);
                let judgement = judged.judgement.as_ref();
                let judged = judgement.map(|it| Judged { judgement: it, finding_of: &finding_of });
                write::pprof(of, judged, out)
            }
            Self::Dump if write::tells_apart(of) => write::dump(of, out).map_err(io::Error::from),
            Self::Dump => write::counts(of, out),
        }
    }
}

/// Characters of a target's name: file systems allow 255 bytes for the whole.
const MAX_NAME: usize = 120;

/// A folder with a limit.
pub(super) struct Folder {
    path: PathBuf,
    limit: NonZeroUsize,
    forms: Vec<Form>,
    /// Who may read the files, beside what the umask forbids.
    mode: u32,
}

/// What became of a dump.
pub(super) struct Kept {
    /// A file for each form, in their order.
    pub(super) files: Vec<PathBuf>,
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
    pub(super) const fn new(path: PathBuf, limit: NonZeroUsize, forms: Vec<Form>) -> Self {
        Self { path, limit, forms, mode: output::MODE }
    }

    /// The same with files that nobody else may read.
    pub(super) fn for_the_owner_alone(self) -> Self {
        Self { mode: 0o600, ..self }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a sample in all forms, or in none, and removes what is beyond the limit.
    pub(super) fn put(
        &self,
        observation: &Observation,
        assessment: &Assessment,
    ) -> Result<Kept, Unkept> {
        let name = format!("{BEGIN}{}-{}", name(&observation.target), stamp(observation.at));
        let mut files: Vec<PathBuf> = Vec::new();
        for form in &self.forms {
            let path = self.path.join(format!("{name}{}", form.end()));
            let write = |out: &mut dyn Write| form.write(observation, assessment, out);
            let written = output::write_file_of_mode(&path, self.mode, write);
            if let Err(source) = written {
                // A part of them would be something that has to be explained.
                files.iter().for_each(|file| _ = fs::remove_file(file));
                return Err(Unkept { path, source });
            }
            files.push(path);
        }
        let (removed, unremoved) = match self.remove_beyond(&name) {
            Ok(removed) => (removed, None),
            Err((removed, error)) => (removed, Some(error)),
        };
        Ok(Kept { files, removed, unremoved })
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
    let name = Form::ALL.iter().find_map(|form| file.strip_suffix(form.end()))?;
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
