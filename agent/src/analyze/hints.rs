//! What the source of a blocked line says of a case, where it could be read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::case::Case;
use super::source::{self, Awaits, Confidence, Facts, Files, Place, Question};
use super::sources::{Line, Sources};
use crate::model::function::{self, Origin};
use crate::model::text::counted;
use crate::model::{NotEnough, Pattern, Resolved, Snippet, Verdict};

/// Lines shown before and after the one that matters.
const CONTEXT: u32 = 3;

/// What the source says of a case. Nothing where there was none.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// The mistake that it looks like.
    pub(super) pattern: Option<Pattern>,
    /// How sure the pattern is.
    pub(super) confidence: Option<Confidence>,
    /// Whether the blocked statement was found in the source.
    pub(super) is_found: bool,
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
    /// The fix, with the names and lines of the code.
    pub(super) fix: Option<String>,
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

    /// Takes over what the source says. Of a library's code it says how it waits; what looks like a
    /// mistake in there is none of the user's.
    fn take(&mut self, facts: Facts, is_users: bool) {
        self.is_found = facts.statement.is_some();
        self.awaits = facts.awaits;
        self.is_worker_loop = facts.is_worker_loop;
        self.wakes = facts.wakes;
        self.awaits_signal = facts.awaits_signal;
        if is_users {
            self.pattern = facts.pattern;
            self.confidence = facts.pattern.map(|_| facts.confidence);
            self.notes = facts.notes;
            self.fix = facts.fix;
        }
    }
}

/// Cases whose source counts: the largest. A report shows a few dozen.
const MAX_CASES: usize = 1_000;
/// Text that is parsed for one judgement.
const MAX_PARSED_BYTES: usize = 8 << 20;
/// Operations of the source that are gone over for one judgement.
const MAX_STEPS: usize = 200_000_000;
/// How often a question goes over all operations of its files, about.
const STEPS_PER_OPERATION: usize = 10;

/// Cases whose source was not read, because there are too many of them or too much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unread {
    /// How many cases.
    pub(super) cases: u64,
    /// Their goroutines.
    pub(super) goroutines: u64,
}

impl Unread {
    /// What the judgement lacks by it.
    pub(super) fn says(self) -> Option<NotEnough> {
        let reason = format!(
            "the source of {} with {} was not read: there is too much of it, the largest come first",
            counted(self.cases, "line"),
            counted(self.goroutines, "goroutine"),
        );
        (self.cases > 0).then(|| NotEnough { detector: "source".to_owned(), reason })
    }

    fn add(&mut self, case: &Case<'_>) {
        self.cases += 1;
        self.goroutines += case.count;
    }
}

/// A case whose lines are to be examined.
struct Asked<'a> {
    /// The case, as an index.
    case: usize,
    line: Line,
    blocked: Resolved<'a>,
    created: Option<Resolved<'a>>,
    hints: Hints,
}

/// Sets what the source says of each case that is asked for, largest first; asks for files that are not there yet. The
/// work is bounded: what is left undone is counted.
pub(super) fn read(
    cases: &mut [Case<'_>],
    is_asked: impl Fn(&Case<'_>) -> bool,
    sources: &mut Sources,
) -> Unread {
    let mut unread = Unread::default();
    let mut tried = 0;
    let mut todo: Vec<Asked<'_>> = Vec::new();
    for (index, case) in cases.iter_mut().enumerate() {
        let outside = |frame: &Resolved<'_>| origin(frame).is_outside_go();
        let Some(blocked) = case.blocked_at().filter(outside) else { continue };
        if !is_asked(case) {
            continue;
        }
        if tried == MAX_CASES {
            unread.add(case);
            continue;
        }
        tried += 1;
        let created = case.created_by().filter(outside);
        // Of a library's line the user learns more from the own line that led there.
        let shown = Some(blocked)
            .filter(|frame| origin(frame) == Origin::User)
            .or_else(|| case.frames().find(|frame| origin(frame) == Origin::User))
            .unwrap_or(blocked);
        let place = |frame: Resolved<'_>| (frame.file.to_owned(), frame.line);
        let line = Line {
            blocked: place(blocked),
            wait: case.wait(),
            created: created.map(place),
            shown: place(shown),
        };
        if let Some(known) = sources.examined(&line) {
            case.hints = known;
            continue;
        }
        let snippet = snippet_at(&shown, sources);
        let created = created.filter(|frame| is_fresh(sources, frame));
        case.hints = Hints { snippet, ..Hints::default() };
        if is_fresh(sources, &blocked) {
            let hints = case.hints.clone();
            todo.push(Asked { case: index, line, blocked, created, hints });
        } else if !sources.wants_any() {
            sources.keep(line, case.hints.clone());
        }
    }
    // With files still to come, all is asked again.
    if !sources.wants_any() {
        examine(cases, todo, sources, &mut unread);
    }
    unread
}

/// Whether a frame's file is at hand, and its lines are those of the program; asks for the file.
fn is_fresh(sources: &mut Sources, frame: &Resolved<'_>) -> bool {
    sources.file(frame.file).is_some_and(|file| !file.stale)
}

/// The lines around a frame; asks for the file if it is not there yet.
pub(super) fn snippet_at(frame: &Resolved<'_>, sources: &mut Sources) -> Option<Snippet> {
    let file = sources.file(frame.file)?;
    let (first, lines) = source::snippet(&file.text, frame.line, CONTEXT);
    let snippet = Snippet { file: file.path, line: frame.line, first, lines, stale: file.stale };
    (!snippet.lines.is_empty()).then_some(snippet)
}

/// Examines lines, package by package, so that each file is parsed once.
fn examine(
    cases: &mut [Case<'_>],
    todo: Vec<Asked<'_>>,
    sources: &mut Sources,
    unread: &mut Unread,
) {
    // In the order of their largest case.
    let mut packages: Vec<(BTreeSet<String>, Vec<Asked<'_>>)> = Vec::new();
    let mut places: HashMap<(String, Option<String>), usize> = HashMap::new();
    for asked in todo {
        let folder = folder(asked.blocked.file);
        let elsewhere =
            asked.created.map(|frame| frame.file).filter(|file| self::folder(file) != folder);
        let key = (folder.to_owned(), elsewhere.map(str::to_owned));
        let place = *places.entry(key).or_insert_with(|| {
            let mut files: BTreeSet<String> = sources.beside(folder).collect();
            files.extend(elsewhere.map(str::to_owned));
            packages.push((files, Vec::new()));
            packages.len() - 1
        });
        packages[place].1.push(asked);
    }
    let (mut bytes, mut steps) = (0, 0);
    for (files, asked) in packages {
        let texts: Vec<(&str, Arc<str>)> = files
            .iter()
            .filter_map(|path| Some((path.as_str(), sources.file(path)?.text)))
            .collect();
        bytes += texts.iter().map(|(_, text)| text.len()).sum::<usize>();
        if bytes > MAX_PARSED_BYTES || sources.is_stopped() {
            asked.iter().for_each(|asked| unread.add(&cases[asked.case]));
            continue;
        }
        let contents: Vec<&str> = texts.iter().map(|(_, text)| &**text).collect();
        let mut package = Files::of(&contents);
        let place = |frame: Resolved<'_>| {
            let file = texts.binary_search_by_key(&frame.file, |(path, _)| path).ok()?;
            Some(Place { file, line: frame.line })
        };
        for Asked { case, line, blocked, created, mut hints } in asked {
            steps += package.operations() * STEPS_PER_OPERATION;
            if steps > MAX_STEPS || sources.is_stopped() {
                unread.add(&cases[case]);
                continue;
            }
            let Some(at) = place(blocked) else { continue };
            let question =
                Question { blocked: at, wait: line.wait, created: created.and_then(place) };
            if let Some(facts) = package.examine(&question) {
                hints.take(facts, origin(&blocked) == Origin::User);
            }
            cases[case].hints = hints.clone();
            sources.keep(line, hints);
        }
    }
}

fn origin(frame: &Resolved<'_>) -> Origin {
    function::origin(frame.function, frame.file)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests;
