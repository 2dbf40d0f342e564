//! Reports for code review and for CI: each finding at a line of the project that is checked out, for what shows
//! such lines beside the code.
//!
//! Names, paths and labels come from the target and are hostile: each form writes them by its own escape.

use std::path::{Component, Path, PathBuf};

use crate::model::{Assessment, Finding, FrameId, Group, Judgement, Snippet, StackTable, Verdict};
use crate::report::{format, phrases};

pub(crate) mod github;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod sarif;
#[cfg(test)]
mod tests;

/// The source tree that lines are shown in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Its root, an absolute path.
    pub root: PathBuf,
    /// The Go module inside it that the program is of; `None` where there is none.
    pub module: Option<Module>,
}

/// A Go module in a source tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its import path, which stands for its folder in programs that are built with `-trimpath`.
    pub path: String,
    /// Its folder, from the tree's root; empty for the root itself.
    pub folder: String,
}

impl Project {
    /// A file's path from the root; `None` for a file elsewhere.
    fn relative(&self, file: &str) -> Option<String> {
        let inside = match Path::new(file).strip_prefix(&self.root) {
            Ok(inside) => inside.to_str()?.to_owned(),
            Err(_) => {
                let module = self.module.as_ref()?;
                let inside = file.strip_prefix(&module.path)?.strip_prefix('/')?;
                if module.folder.is_empty() {
                    inside.to_owned()
                } else {
                    format!("{}/{inside}", module.folder)
                }
            }
        };
        let goes_up = Path::new(&inside).components().any(|part| part == Component::ParentDir);
        (!inside.is_empty() && !goes_up).then_some(inside)
    }
}

/// How loudly a finding is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loudness {
    /// Likely or proven.
    Error,
    /// A suspect.
    Warning,
}

/// A line of code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    function: String,
    /// From the project's root where it is inside, else as the program names it.
    file: String,
    is_inside: bool,
    line: u32,
}

impl Spot {
    fn of(frame: FrameId, stacks: &StackTable, project: &Project) -> Option<Self> {
        let frame = stacks.lookup(frame).ok()?;
        let inside = project.relative(frame.file);
        Some(Self {
            function: format::clean(frame.function).into_owned(),
            is_inside: inside.is_some(),
            file: inside.unwrap_or_else(|| frame.file.to_owned()),
            line: frame.line,
        })
    }

    /// The same line where the file was found, if that is inside.
    fn found(&mut self, source: Option<&Snippet>, project: &Project) {
        let source = source.filter(|source| !self.is_inside && source.line == self.line);
        if let Some(inside) = source.and_then(|source| project.relative(&source.file)) {
            (self.file, self.is_inside) = (inside, true);
        }
    }

    /// `pricing.go:26`, with the folders inside the project.
    fn place(&self) -> String {
        format!("{}:{}", format::clean(&self.file), self.line)
    }
}

/// One finding, as a reviewer sees it.
struct Issue<'a> {
    finding: &'a Finding,
    group: Option<&'a Group>,
    assessment: &'a Assessment,
    /// The line to look at first; `None` for what has no line.
    spot: Option<Spot>,
    /// Other lines of it, and what they are to it.
    related: Vec<(&'static str, Spot)>,
}

impl<'a> Issue<'a> {
    fn of(finding: &'a Finding, assessment: &'a Assessment, project: &Project) -> Self {
        let group = finding.group_in(&assessment.groups);
        let stacks = &assessment.stacks;
        let spot = |frame| Spot::of(frame, stacks, project);
        let lines = phrases::lines(Some(finding), group, stacks);
        let mut lines = lines.iter().filter_map(|(line, frame)| Some((line.name(), spot(*frame)?)));
        let mut first = lines.next().map(|(_, spot)| spot);
        if let Some(first) = &mut first {
            first.found(finding.source.as_ref(), project);
        }
        let mut related: Vec<_> = lines.collect();
        let holder = finding.goroutines().and_then(|leak| leak.lock_wait.likely_holder.as_ref());
        let holder = holder.and_then(|holder| spot(holder.at?));
        related.extend(holder.map(|spot| ("held by", spot)));
        Self { finding, group, assessment, spot: first, related }
    }

    fn loudness(&self) -> Loudness {
        match self.finding.verdict {
            Verdict::Suspect => Loudness::Warning,
            Verdict::Likely | Verdict::Proven => Loudness::Error,
        }
    }

    /// `likely leak, channel-send: 648 goroutines, +50.1/s`.
    fn title(&self) -> String {
        let finding = self.finding;
        let rate = phrases::rate(finding).map(|rate| format!(", {rate}")).unwrap_or_default();
        format!(
            "{} leak, {}: {}{rate}",
            finding.verdict.name(),
            finding.class.name(),
            phrases::amount(finding),
        )
    }

    fn cause(&self) -> String {
        phrases::cause(self.finding, &self.assessment.stacks)
    }

    fn suggestions(&self) -> Vec<String> {
        phrases::suggestions(self.finding, &self.assessment.stacks)
    }

    /// The cause, and what to do first.
    fn message(&self) -> String {
        let fix = self.suggestions().first().map(|fix| format!(" Fix: {fix}")).unwrap_or_default();
        format!("{}{fix}", self.cause())
    }
}

/// What came out for one target.
struct Outcome<'a> {
    assessment: &'a Assessment,
    issues: Vec<Issue<'a>>,
    /// In a sentence.
    result: String,
    /// Whether nothing was found and there was enough to judge by.
    is_well: bool,
}

impl<'a> Outcome<'a> {
    fn of(assessment: &'a Assessment, project: &Project) -> Self {
        let judgement = assessment.judgement.as_ref();
        let findings = judgement.map_or(&[][..], |judged| &judged.findings);
        let result = |judged: &Judgement| phrases::result(assessment, judged);
        Self {
            assessment,
            issues: findings.iter().map(|it| Issue::of(it, assessment, project)).collect(),
            result: judgement.map_or_else(|| "nothing was judged".to_owned(), result),
            is_well: judgement.is_some_and(|judged| phrases::is_well(assessment, judged)),
        }
    }

    /// `server (pid 4711)`.
    fn target(&self) -> String {
        let target = &self.assessment.target;
        let (name, id) = (target.name(), target.id.to_string());
        let name = format::clean(&name);
        if *name == id { id } else { format!("{name} ({id})") }
    }
}
