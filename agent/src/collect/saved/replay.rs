//! A source that shows saved observations again, in their order.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::form::{Form, Head, SCHEMA};
use super::{Error, MAX_BYTES, Recording, place};
use crate::collect::{CollectError, Source};
use crate::model::{CoverageNote, Observation, TargetId};

/// Gaps that are told one by one.
const GAPS: usize = 8;

/// Shows what was recorded. What is missing in between is told in the coverage.
pub struct Replay {
    recording: Recording,
    /// The place of the next one in the recording's numbers.
    next: usize,
    /// Of the one before.
    elapsed: Duration,
    target: Option<TargetId>,
    gaps: Vec<CoverageNote>,
}

impl Replay {
    /// Shows a recording from its beginning.
    #[must_use]
    pub const fn new(recording: Recording) -> Self {
        Self { recording, next: 0, elapsed: Duration::ZERO, target: None, gaps: Vec::new() }
    }

    /// Notes what lies between this observation and the one before.
    fn note_gap(&mut self, number: u64) {
        let before = self.next.checked_sub(1).and_then(|at| self.recording.numbers.get(at));
        let first = before.map_or(1, |before| before + 1);
        if first >= number || self.gaps.len() > GAPS {
            return;
        }
        self.gaps.push(if self.gaps.len() == GAPS {
            CoverageNote::MoreObservationsMissing
        } else {
            CoverageNote::ObservationsMissing { first, last: number - 1 }
        });
    }

    fn check(&mut self, file: &Path, observation: &Observation) -> Result<(), Error> {
        let absurd = |why| Err(Error::Absurd { file: file.to_owned(), why });
        let id = &observation.target.id;
        if place::name(&id.instance) != self.recording.name {
            return absurd("it is of another target than its name says");
        }
        let before = self.target.replace(id.clone());
        let before = before.as_ref().unwrap_or(id);
        if id.of_all_generations() != before.of_all_generations() {
            return absurd("it is of another target than the one before it");
        }
        let is_another = id.generation > before.generation;
        if id.generation < before.generation || (observation.elapsed < self.elapsed && !is_another)
        {
            return absurd("it is older than the one before it");
        }
        self.elapsed = observation.elapsed;
        Ok(())
    }
}

impl Source for Replay {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        let Some(&number) = self.recording.numbers.get(self.next) else { return Ok(None) };
        self.note_gap(number);
        self.next += 1;
        let file = self.recording.file(number);
        let mut observation = read(&file)?;
        self.check(&file, &observation)?;
        Arc::make_mut(&mut observation.target).id.recording = Some(self.recording.began());
        observation.coverage.notes.extend(self.gaps.iter().cloned());
        Ok(Some(observation))
    }
}

pub(super) fn read(path: &Path) -> Result<Observation, Error> {
    let file = || -> PathBuf { path.to_owned() };
    let cannot = |source| Error::Read { file: file(), source };
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(cannot(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
    }
    let packed = File::open(path).map_err(cannot)?;
    let mut text = Vec::new();
    let mut unpacked = GzDecoder::new(BufReader::new(packed)).take(MAX_BYTES + 1);
    unpacked.read_to_end(&mut text).map_err(cannot)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(cannot(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "more than 1 GiB when unpacked",
        )));
    }
    let form: Form = serde_json::from_slice(&text).map_err(|source| {
        // Another version need not have the same keys.
        match serde_json::from_slice(&text) {
            Ok(Head { schema }) if schema != SCHEMA => Error::Version { file: file(), schema },
            _ => Error::Form { file: file(), source },
        }
    })?;
    if form.schema != SCHEMA {
        return Err(Error::Version { file: file(), schema: form.schema });
    }
    form.observation().map_err(|why| Error::Absurd { file: file(), why })
}
