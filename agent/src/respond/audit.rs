//! The log of what responses did: a line of JSON each, which is also what the next agent knows of the pauses that there
//! are.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// The log, and the one before.
const FILE: &str = "audit.jsonl";
const BEFORE: &str = "audit.1.jsonl";

/// Bytes of it, beyond which another is begun.
const MAX_BYTES: u64 = 8 << 20;

/// What was done for findings of a program, or would have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, as RFC 3339 in UTC.
    pub at: Option<String>,
    /// The same in nanoseconds since 1970.
    pub at_unix_ns: i64,
    /// The name of the response.
    pub response: String,
    /// `keep`, `command` or `signal`; `none` where it was not done as often as it was due.
    pub action: String,
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
    /// What was done, and what came of it.
    pub result: String,
    /// Whether it went as it should.
    pub ok: bool,
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

    /// Adds a line.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = self.file()?;
        if file.metadata()?.len() > MAX_BYTES {
            fs::rename(self.folder.join(FILE), self.folder.join(BEFORE))?;
            file = self.file()?;
        }
        file.write_all(&line)
    }

    fn file(&self) -> io::Result<File> {
        File::options().append(true).create(true).mode(0o600).open(self.folder.join(FILE))
    }
}

impl Entry {
    /// When it was, and of which program, where something was done.
    #[must_use]
    pub fn done(&self) -> Option<(Timestamp, &str)> {
        (self.action != "none").then(|| (Timestamp::from_unix_ns(self.at_unix_ns), &*self.program))
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
        let entry = |action: &str| Entry {
            at: None,
            at_unix_ns: 7,
            response: "keep".to_owned(),
            action: action.to_owned(),
            dry_run: true,
            program: "shop".to_owned(),
            target: "shop".to_owned(),
            pid: Some(1),
            findings: vec!["f-1".to_owned()],
            result: "it would".to_owned(),
            ok: true,
        };
        audit.write(&entry("keep")).expect("written");
        fs::write(path.join(BEFORE), "{\"at\":\n\u{0}\n").expect("written");
        audit.write(&entry("none")).expect("written");
        let (_, entries) = Audit::open(&path).expect("a folder");
        assert_eq!(entries, [entry("keep"), entry("none")]);
        let done: Vec<_> = entries.iter().filter_map(Entry::done).collect();
        assert_eq!(done, [(Timestamp::from_unix_ns(7), "shop")]);
    }
}
