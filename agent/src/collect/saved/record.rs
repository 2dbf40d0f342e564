//! A source that saves every observation of another one before it hands it on.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::form::Written;
use super::{Error, Recording};
use crate::collect::{CollectError, Source};
use crate::error_chain::one_line;
use crate::model::{CoverageNote, Observation};

/// Bytes that a recording takes at most.
const MAX_BYTES: u64 = 4 << 30;

/// Saves what another source sees. Where it no longer can, it says so in the coverage and the
/// source goes on.
pub struct Recorder {
    source: Box<dyn Source>,
    folder: PathBuf,
    recording: Option<Recording>,
    number: u64,
    written: u64,
    failed: Option<CoverageNote>,
}

impl Recorder {
    /// Saves into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When there is no such folder and it cannot be made.
    pub fn new(source: Box<dyn Source>, folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder)
            .map_err(|source| Error::Folder { folder: folder.to_owned(), source })?;
        Ok(Self {
            source,
            folder: folder.to_owned(),
            recording: None,
            number: 0,
            written: 0,
            failed: None,
        })
    }

    fn save(&mut self, observation: &Observation) -> Result<(), Error> {
        self.number += 1;
        let recording =
            self.recording.get_or_insert_with(|| Recording::new(&self.folder, observation));
        let file = recording.file(self.number);
        let cannot = |source| Error::Write { file: file.clone(), source };
        if self.written >= MAX_BYTES {
            let why = "this recording has reached its limit of 4 GiB";
            return Err(cannot(io::Error::new(io::ErrorKind::QuotaExceeded, why)));
        }
        self.written += write(&file, observation).map_err(cannot)?;
        Ok(())
    }
}

impl Source for Recorder {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        let Some(mut observation) = self.source.observe()? else { return Ok(None) };
        if self.failed.is_none()
            && let Err(error) = self.save(&observation)
        {
            self.failed = Some(CoverageNote::NotSaved { why: one_line(&error) });
        }
        observation.coverage.notes.extend(self.failed.clone());
        Ok(Some(observation))
    }
}

/// Writes a file that is there whole or not at all, and says how long it is.
pub(super) fn write(file: &Path, observation: &Observation) -> io::Result<u64> {
    let mut beside = tempfile::Builder::new()
        .suffix(".tmp")
        // Who may read it is the umask's business, as for every file.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(file.with_file_name(""))?;
    fill(beside.as_file_mut(), observation)?;
    let length = beside.as_file().metadata()?.len();
    beside.persist(file)?;
    Ok(length)
}

fn fill(file: &mut File, observation: &Observation) -> io::Result<()> {
    let mut packer = GzEncoder::new(BufWriter::new(file), Compression::fast());
    {
        let mut buffer = BufWriter::with_capacity(1 << 16, &mut packer);
        serde_json::to_writer(&mut buffer, &Written::of(observation))?;
        buffer.flush()?;
    }
    packer.finish()?.flush()
}
