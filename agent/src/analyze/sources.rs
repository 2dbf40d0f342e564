//! Source files as values: given by whoever can read them, asked for by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::hints::Hints;
use crate::model::WaitClass;

/// Files that are asked for at most, over all.
const FILES: usize = 512;
/// Lines that are remembered.
const LINES: usize = 4096;

/// A source file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it was found.
    pub path: String,
    /// What it holds.
    pub text: Arc<str>,
    /// Whether it is newer than the program, so that its lines may not fit.
    pub stale: bool,
}

/// The line where goroutines block, their wait, and the line that created them.
pub(super) type Line = (String, u32, WaitClass, Option<(String, u32)>);

/// The source files at hand, by the paths that the program records, and what was made of them.
#[derive(Debug, Default)]
pub struct Sources {
    files: HashMap<String, Option<SourceFile>>,
    wanted: Vec<String>,
    examined: HashMap<Line, Hints>,
}

impl Sources {
    /// The recorded paths of files that a judgement missed. Give them, and judge again.
    pub fn take_wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wanted)
    }

    /// Gives a file that was asked for; `None` where it is not to be had.
    pub fn give(&mut self, recorded: String, file: Option<SourceFile>) {
        self.files.insert(recorded, file);
    }

    pub(super) fn file(&mut self, recorded: &str) -> Option<SourceFile> {
        if let Some(known) = self.files.get(recorded) {
            return known.clone();
        }
        let is_asked_for = self.wanted.iter().any(|wanted| wanted == recorded);
        if !is_asked_for && self.files.len() + self.wanted.len() < FILES {
            self.wanted.push(recorded.to_owned());
        }
        None
    }

    pub(super) fn wants_any(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The other files at hand of the same package, in the order of their names.
    pub(super) fn beside(&self, recorded: &str) -> Vec<Arc<str>> {
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let own = folder(recorded);
        let mut others: Vec<_> = self
            .files
            .iter()
            .filter(|(path, _)| *path != recorded && folder(path) == own)
            .filter_map(|(path, file)| Some((path, file.as_ref()?)))
            .collect();
        others.sort_by_key(|(path, _)| *path);
        others.into_iter().map(|(_, file)| Arc::clone(&file.text)).collect()
    }

    pub(super) fn examined(&self, line: &Line) -> Option<Hints> {
        self.examined.get(line).cloned()
    }

    pub(super) fn keep(&mut self, line: Line, hints: Hints) {
        if self.examined.len() < LINES {
            self.examined.insert(line, hints);
        }
    }
}
