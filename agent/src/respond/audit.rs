//! The log of what responses did: a line of JSON each, which is also what the next agent knows of the pauses that there
//! are.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// The log, and the one before.
const FILE: &str = "audit.jsonl";
const BEFORE: &str = "audit.1.jsonl";

/// Bytes of it, beyond which another is begun.
const MAX_BYTES: u64 = 8 << 20;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The sample was kept.
    Keep,
    /// A command was run.
    Command,
    /// A signal was sent.
    Signal,
    /// Nothing: it was due more often than it may be done.
    None,
}

/// What was done for findings of a program, or would have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, as RFC 3339 in UTC.
    pub at: Option<String>,
    /// The same in nanoseconds since 1970.
    pub at_unix_ns: i64,
    /// The name of the response.
    pub response: String,
    /// What was done.
    pub action: Action,
    /// Whether it was only said what would be done.
    pub dry_run: bool,
    /// Which program, whatever process it is.
    pub program: String,
    /// Its name.
    pub target: String,
    /// Its process.
    pub pid: Option<u32>,
    /// The findings.
    pub findings: Vec<String>,
    /// What was done, and what came of it; `None` in the line that is written before anything is done.
    pub result: Option<String>,
    /// Whether it went as it should; `None` in the line before.
    pub ok: Option<bool>,
}

/// The log.
#[derive(Debug)]
pub struct Audit {
    folder: PathBuf,
}

impl Audit {
    /// Takes a folder, which is made if it is not there, and what is in the log. Lines that cannot be read are left out.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Entry>)> {
        fs::create_dir_all(folder)?;
        let audit = Self { folder: folder.to_owned() };
        // That it can be written is known before it matters.
        audit.file()?;
        File::open(folder)?.sync_all()?;
        let mut entries = Vec::new();
        for name in [BEFORE, FILE] {
            let file = match File::open(folder.join(name)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
            entries.extend(lines.filter_map(|line| serde_json::from_slice(&line).ok()));
        }
        Ok((audit, entries))
    }

    /// Adds a line, which is on the disk then.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut file = self.file()?;
        let mut length = file.metadata()?.len();
        if length > MAX_BYTES {
            fs::rename(self.folder.join(FILE), self.folder.join(BEFORE))?;
            (file, length) = (self.file()?, 0);
            File::open(&self.folder)?.sync_all()?;
        }
        let mut line = Vec::new();
        // The one before may have been cut off, as where the disk was full.
        if let Some(last) = length.checked_sub(1) {
            let mut end = [0];
            file.read_exact_at(&mut end, last)?;
            if end != *b"\n" {
                line.push(b'\n');
            }
        }
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()
    }

    fn file(&self) -> io::Result<File> {
        let mut options = File::options();
        options.read(true).append(true).create(true).mode(0o600).open(self.folder.join(FILE))
    }
}

impl Entry {
    /// When it was, and of which program, where something was done or begun: no dry run.
    #[must_use]
    pub fn done(&self) -> Option<(Timestamp, &str)> {
        (self.action != Action::None && !self.dry_run)
            .then(|| (Timestamp::from_unix_ns(self.at_unix_ns), &*self.program))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_was_done_is_known_to_the_next_agent_whatever_else_is_in_the_log() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("state/responses");
        let (audit, before) = Audit::open(&path).expect("a folder");
        assert_eq!(before, []);
        let entry = |action: Action, dry_run: bool| Entry {
            at: None,
            at_unix_ns: 7,
            response: "keep".to_owned(),
            action,
            dry_run,
            program: "shop".to_owned(),
            target: "shop".to_owned(),
            pid: Some(1),
            findings: vec!["f-1".to_owned()],
            result: None,
            ok: None,
        };
        fs::write(path.join(BEFORE), "{\"at\":\n\u{0}\n").expect("written");
        audit.write(&entry(Action::Keep, false)).expect("written");
        // As a disk that is full leaves it.
        audit.file().expect("there").write_all(b"{\"at\":").expect("written");
        audit.write(&entry(Action::None, false)).expect("written");
        audit.write(&entry(Action::Signal, true)).expect("written");
        let (_, entries) = Audit::open(&path).expect("a folder");
        let written = [(Action::Keep, false), (Action::None, false), (Action::Signal, true)];
        assert_eq!(entries, written.map(|(action, dry_run)| entry(action, dry_run)));
        let done: Vec<_> = entries.iter().filter_map(Entry::done).collect();
        assert_eq!(done, [(Timestamp::from_unix_ns(7), "shop")]);
    }
}
