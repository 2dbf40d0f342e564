//! Reads the code at the lines of cases, largest first, within bounds.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::case::Case;
use super::code::{self, Package, Place, Question};
use super::code_files::{CodeFiles, CodeLines};
use super::hints::Hints;
use crate::model::function::{self, Origin};
use crate::model::{DetectorKind, Lack, NotEnough, Resolved, Snippet};

/// Lines shown before and after the one that matters.
const CONTEXT: u32 = 3;

/// Cases whose code is read: the largest. A report shows a few dozen.
const MAX_CASES: usize = 1_000;
/// Text that is parsed for one judgement.
const MAX_PARSED_BYTES: usize = 8 << 20;
/// Operations of the code that are visited for one judgement.
const MAX_STEPS: usize = 200_000_000;
/// About how often a question visits all operations of its files.
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
    pub(super) fn lack(self) -> Option<NotEnough> {
        let lack = Lack::Unread { lines: self.cases, goroutines: self.goroutines };
        (self.cases > 0).then_some(NotEnough { detector: DetectorKind::Source, lack })
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
    lines: CodeLines,
    blocked: Resolved<'a>,
    created: Option<Resolved<'a>>,
    hints: Hints,
}

/// Sets what the code says of each case that is asked for, largest first; asks for files that are not there
/// yet. The work is bounded: what is not read is counted.
pub(super) fn read(
    cases: &mut [Case<'_>],
    is_asked: impl Fn(&Case<'_>) -> bool,
    files: &mut CodeFiles,
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
        let lines = CodeLines {
            blocked: place(blocked),
            wait: case.wait(),
            created: created.map(place),
            shown: place(shown),
        };
        if let Some(known) = files.examined(&lines) {
            case.hints = known;
            continue;
        }
        let snippet = snippet_at(&shown, files);
        let created = created.filter(|frame| is_fresh(files, frame));
        case.hints = Hints { snippet, ..Hints::default() };
        if is_fresh(files, &blocked) {
            let hints = case.hints.clone();
            todo.push(Asked { case: index, lines, blocked, created, hints });
        } else if !files.wants_any() {
            files.keep(lines, case.hints.clone());
        }
    }
    // With files still to come, all is asked again.
    if !files.wants_any() {
        examine(cases, todo, files, &mut unread);
    }
    unread
}

/// Whether a frame's file is at hand, and its lines are those of the program; asks for the file.
fn is_fresh(files: &mut CodeFiles, frame: &Resolved<'_>) -> bool {
    files.file(frame.file).is_some_and(|file| !file.stale)
}

/// The lines around a frame; asks for the file if it is not there yet.
pub(super) fn snippet_at(frame: &Resolved<'_>, files: &mut CodeFiles) -> Option<Snippet> {
    let file = files.file(frame.file)?;
    let (first, lines) = code::snippet(&file.text, frame.line, CONTEXT);
    let snippet = Snippet { file: file.path, line: frame.line, first, lines, stale: file.stale };
    (!snippet.lines.is_empty()).then_some(snippet)
}

/// Examines lines, package by package, so that each file is parsed once.
fn examine(
    cases: &mut [Case<'_>],
    todo: Vec<Asked<'_>>,
    files: &mut CodeFiles,
    unread: &mut Unread,
) {
    let (mut bytes, mut steps) = (0, 0);
    for PackageLines { paths, asked } in by_package(todo, files) {
        let texts: Vec<(&str, Arc<str>)> =
            paths.iter().filter_map(|path| Some((path.as_str(), files.file(path)?.text))).collect();
        bytes += texts.iter().map(|(_, text)| text.len()).sum::<usize>();
        if bytes > MAX_PARSED_BYTES || files.is_stopped() {
            asked.iter().for_each(|asked| unread.add(&cases[asked.case]));
            continue;
        }
        let contents: Vec<&str> = texts.iter().map(|(_, text)| &**text).collect();
        let mut package = Package::of(&contents);
        let place = |frame: Resolved<'_>| {
            let file = texts.binary_search_by_key(&frame.file, |(path, _)| path).ok()?;
            Some(Place { file, line: frame.line })
        };
        for Asked { case, lines, blocked, created, mut hints } in asked {
            steps += package.operations() * STEPS_PER_OPERATION;
            if steps > MAX_STEPS || files.is_stopped() {
                unread.add(&cases[case]);
                continue;
            }
            let Some(at) = place(blocked) else { continue };
            let question =
                Question { blocked: at, wait: lines.wait, created: created.and_then(place) };
            if let Some(facts) = package.examine(&question) {
                hints.take(facts, origin(&blocked) == Origin::User);
            }
            cases[case].hints = hints.clone();
            files.keep(lines, hints);
        }
    }
}

/// Lines of one package, and the files that are parsed for them.
struct PackageLines<'a> {
    paths: BTreeSet<String>,
    asked: Vec<Asked<'a>>,
}

/// Sorts lines by package; packages in the order of their largest case.
fn by_package<'a>(todo: Vec<Asked<'a>>, files: &CodeFiles) -> Vec<PackageLines<'a>> {
    let mut packages: Vec<PackageLines<'a>> = Vec::new();
    let mut places: HashMap<(String, Option<String>), usize> = HashMap::new();
    for asked in todo {
        let folder = folder(asked.blocked.file);
        let elsewhere =
            asked.created.map(|frame| frame.file).filter(|file| self::folder(file) != folder);
        let key = (folder.to_owned(), elsewhere.map(str::to_owned));
        let place = *places.entry(key).or_insert_with(|| {
            let mut paths: BTreeSet<String> = files.beside(folder).collect();
            paths.extend(elsewhere.map(str::to_owned));
            packages.push(PackageLines { paths, asked: Vec::new() });
            packages.len() - 1
        });
        packages[place].asked.push(asked);
    }
    packages
}

fn origin(frame: &Resolved<'_>) -> Origin {
    function::origin(frame.function, frame.file)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests;
