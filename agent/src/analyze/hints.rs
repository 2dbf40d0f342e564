//! What the source of a blocked line says of a case, where it could be read.

use super::case::Case;
use super::source::{self, Awaits, Confidence, Place, Question};
use super::sources::Sources;
use crate::model::function;
use crate::model::{Pattern, Resolved, Snippet, Verdict};

/// Lines shown before and after the one that matters.
const CONTEXT: u32 = 3;

/// What the source says of a case. Nothing where there was none.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// The mistake that it looks like.
    pub(super) pattern: Option<Pattern>,
    /// How sure the pattern is.
    pub(super) confidence: Option<Confidence>,
    /// What the blocked statement waits for, if for none but that.
    pub(super) awaits: Awaits,
    /// Whether the statement stands in a loop that takes work again and again.
    pub(super) is_worker_loop: Option<bool>,
    /// Whether it goes on by itself, by a timer.
    pub(super) wakes: bool,
    /// Whether it waits for signals of the operating system.
    pub(super) awaits_signal: bool,
    /// Plain sentences with lines.
    pub(super) notes: Vec<String>,
    /// The mend, with the names and lines of the code.
    pub(super) mend: Option<String>,
    /// The lines themselves.
    pub(super) snippet: Option<Snippet>,
}

impl Hints {
    /// The mistake, as far as it fits a verdict: what idle workers look like too is a mistake only
    /// where goroutines do leak.
    pub(super) fn pattern_at(&self, verdict: Verdict) -> Option<Pattern> {
        let sure = self.confidence > Some(Confidence::Low) || verdict > Verdict::Suspect;
        self.pattern.filter(|_| sure)
    }
}

/// The lines around a frame; asks for the file if it is not there yet.
pub(super) fn snippet_at(frame: &Resolved<'_>, sources: &mut Sources) -> Option<Snippet> {
    let file = sources.file(frame.file)?;
    let (first, lines) = source::snippet(&file.text, frame.line, CONTEXT);
    let snippet = Snippet { file: file.path, line: frame.line, first, lines, stale: file.stale };
    (!snippet.lines.is_empty()).then_some(snippet)
}

/// What the source says of a case; asks for files that are not there yet.
pub(super) fn of(case: &Case<'_>, sources: &mut Sources) -> Hints {
    let users = |frame: &Resolved<'_>| function::origin(frame.function, frame.file).is_outside_go();
    let Some(at) = case.blocked_at().filter(users) else { return Hints::default() };
    let created = case.created_by().filter(users);
    let key = (
        at.file.to_owned(),
        at.line,
        case.wait(),
        created.map(|frame| (frame.file.to_owned(), frame.line)),
    );
    if let Some(known) = sources.examined(&key) {
        return known;
    }
    let blocked_in = sources.file(at.file);
    let created_in = created.and_then(|frame| sources.file(frame.file));
    let Some(file) = blocked_in else { return Hints::default() };
    let mut hints = Hints { snippet: snippet_at(&at, sources), ..Hints::default() };
    // Lines that may be others say nothing.
    if !file.stale {
        let others = sources.beside(at.file);
        let others: Vec<&str> = others.iter().map(|text| &**text).collect();
        let created = created_in
            .as_ref()
            .zip(created)
            .filter(|(file, _)| !file.stale)
            .map(|(file, frame)| Place { text: &file.text, line: frame.line });
        let question = Question {
            blocked: Place { text: &file.text, line: at.line },
            wait: case.wait(),
            created,
            others: &others,
        };
        if let Some(facts) = source::examine(&question) {
            hints.pattern = facts.pattern;
            hints.confidence = facts.pattern.map(|_| facts.confidence);
            hints.awaits = facts.awaits;
            hints.is_worker_loop = facts.is_worker_loop;
            hints.wakes = facts.wakes;
            hints.awaits_signal = facts.awaits_signal;
            hints.notes = facts.notes;
            hints.mend = facts.mend;
        }
    }
    // With a file still to come, there may be more to say.
    if !sources.wants_any() {
        sources.keep(key, hints.clone());
    }
    hints
}
