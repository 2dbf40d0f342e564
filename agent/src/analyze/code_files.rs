//! Go files as values: given by whoever can read them, asked for by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::hints::Hints;
use crate::model::WaitClass;

/// At most this many files are asked for.
const MAX_FILES: usize = 512;
/// At most this many lines are remembered.
const MAX_LINES: usize = 4096;

/// A Go file.
#[derive(Clone, Debug)]
pub struct CodeFile {
    /// Where it was found.
    pub path: String,
    /// What it holds.
    pub text: Arc<str>,
    /// Whether it is newer than the program, so that its lines may not fit.
    pub stale: bool,
}

/// The lines that goroutines of a case are told by. A line is a file, as the program records it, and a
/// number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CodeLines {
    /// Where they block.
    pub(super) blocked: (String, u32),
    /// What they wait for.
    pub(super) wait: WaitClass,
    /// The `go` statement that created them.
    pub(super) created: Option<(String, u32)>,
    /// The line that is shown.
    pub(super) shown: (String, u32),
}

/// The Go files at hand, by the paths that the program records, and what was made of them.
#[derive(Debug, Default)]
pub struct CodeFiles {
    files: HashMap<String, Option<CodeFile>>,
    wanted: Vec<String>,
    examined: HashMap<CodeLines, Hints>,
    stop: Option<Arc<AtomicBool>>,
}

impl CodeFiles {
    /// Reads no more code once `stop` is set: a judgement then ends soon, and says what it lacks.
    #[must_use]
    pub fn until(stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(stop), ..Self::default() }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// The recorded paths of files that a judgement missed. Give them, and judge again.
    pub fn take_wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wanted)
    }

    /// Gives a file that was asked for; `None` where it cannot be read.
    pub fn give(&mut self, recorded: String, file: Option<CodeFile>) {
        self.files.insert(recorded, file);
    }

    pub(super) fn file(&mut self, recorded: &str) -> Option<CodeFile> {
        if let Some(known) = self.files.get(recorded) {
            return known.clone();
        }
        let is_asked_for = self.wanted.iter().any(|wanted| wanted == recorded);
        if !is_asked_for && self.files.len() + self.wanted.len() < MAX_FILES {
            self.wanted.push(recorded.to_owned());
        }
        None
    }

    pub(super) fn wants_any(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The paths of the files at hand in a folder, as far as they are as old as the program.
    pub(super) fn beside(&self, folder: &str) -> impl Iterator<Item = String> + '_ {
        let folder = folder.to_owned();
        self.files
            .iter()
            .filter(move |(path, _)| path.rsplit_once('/').map_or("", |(of, _)| of) == folder)
            .filter(|(_, file)| file.as_ref().is_some_and(|file| !file.stale))
            .map(|(path, _)| path.clone())
    }

    pub(super) fn examined(&self, line: &CodeLines) -> Option<Hints> {
        self.examined.get(line).cloned()
    }

    pub(super) fn keep(&mut self, line: CodeLines, hints: Hints) {
        if self.examined.len() < MAX_LINES {
            self.examined.insert(line, hints);
        }
    }
}
