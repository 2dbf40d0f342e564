//! What was told, in a file: so that nothing is told twice after a restart, and what ended meanwhile is.
//!
//! The file is also where it is decided that messages are to be sent: those that were put into a spool after the
//! last that it names were never promised to anybody, and what they tell will be told again.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{TargetId, Timestamp};
use crate::report::schema::{AlertTargetDoc, NewsDoc, WasDoc};

/// The file, and the one that keeps a second agent out.
const FILE: &str = "told.json";
const LOCK: &str = "lock";

/// A file that is no longer understood is kept beside it.
const ASIDE: &str = "told.json.unreadable";

/// What was told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// The last message that is to be sent.
    pub last: u64,
    /// Of which programs, by identity.
    pub programs: BTreeMap<String, ToldProgram>,
}

/// A program, and what was told of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToldProgram {
    /// What is told of the program itself.
    pub target: AlertTargetDoc,
    /// The processes that it was.
    pub processes: Vec<TargetId>,
    /// Its findings, by id.
    pub findings: BTreeMap<String, Known>,
}

/// A finding, and what was told of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// As it was last.
    pub finding: NewsDoc<'static>,
    /// What to do about it.
    pub fix: Option<String>,
    /// When it was first there.
    pub since: Timestamp,
    /// The worst that was told, by the alert's name.
    pub told: BTreeMap<String, WasDoc>,
}

/// The folder of all that alerts keep. Nobody else has it meanwhile.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    _lock: File,
}

/// Why there is no state.
#[derive(Debug, Error)]
#[error("cannot use {}", path.display())]
pub struct StateError {
    /// The folder or the file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl State {
    /// Takes a folder, which is made if it is not there, and what was told before; `None` where that can no longer be
    /// understood, and is set aside.
    ///
    /// # Errors
    /// When it cannot be used, or another agent has it.
    pub fn open(folder: &Path) -> Result<(Self, Option<Told>), StateError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            |source| StateError { path, source }
        };
        fs::create_dir_all(folder).map_err(fail(folder))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(fail(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let source = io::Error::other("another leak-agent has it");
                return Err(StateError { path: folder.to_owned(), source });
            }
            Err(TryLockError::Error(source)) => return Err(fail(&path)(source)),
        }
        let file = folder.join(FILE);
        let told = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Told::default()),
            Err(error) => return Err(fail(&file)(error)),
        };
        if told.is_none() {
            fs::rename(&file, folder.join(ASIDE)).map_err(fail(&file))?;
        }
        Ok((Self { folder: folder.to_owned(), _lock: lock }, told))
    }

    /// Keeps what was told.
    ///
    /// # Errors
    /// When it cannot be written; the file is then as it was.
    pub fn save(&self, told: &Told) -> io::Result<()> {
        write(&self.folder.join(FILE), &serde_json::to_vec(told)?)
    }

    /// The folder of a receiver's messages.
    #[must_use]
    pub fn spool(&self, name: &str) -> PathBuf {
        self.folder.join("waiting").join(name)
    }
}

/// Writes a file, whole or not at all, also when the power fails.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        // On a full disk it may be half there.
        _ = fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::tests::{news, target};
    use super::*;
    use crate::model::{Severity, Verdict};

    fn told() -> Told {
        let finding = news("f-1", Verdict::Likely, Severity::High);
        let NewsDoc { class, verdict, severity, count, .. } = finding;
        let was = WasDoc { class, verdict, severity, count };
        let since = Timestamp::from_unix_ns(7);
        let told = BTreeMap::from([("ops".to_owned(), was)]);
        let known = Known { finding, fix: None, since, told };
        let findings = BTreeMap::from([("f-1".to_owned(), known)]);
        let program = ToldProgram { target: target(), processes: Vec::new(), findings };
        Told { last: 3, programs: BTreeMap::from([("shop".to_owned(), program)]) }
    }

    #[test]
    fn what_was_told_is_there_again_and_belongs_to_one_agent() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("state/alerts");
        let (state, first) = State::open(&path).expect("a folder");
        assert_eq!(first.map(|told| told.last), Some(0));
        state.save(&told()).expect("written");
        let other = State::open(&path).expect_err("it is in use");
        assert!(other.source.to_string().contains("another leak-agent"), "{other}");
        drop(state);
        let (state, again) = State::open(&path).expect("a folder");
        let again = again.expect("it is sound");
        assert_eq!((again.last, again.programs["shop"].findings.len()), (3, 1));
        drop(state);
        fs::write(path.join(FILE), "{\"last\":").expect("written");
        let (_state, damaged) = State::open(&path).expect("a folder");
        assert!(damaged.is_none() && path.join(ASIDE).exists());
    }
}
