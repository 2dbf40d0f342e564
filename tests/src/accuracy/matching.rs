//! Which finding is which wanted site, and which is none.

use leak_agent::model::pattern::Pattern;
use leak_agent::model::{CauseClass, GrowthPattern, ResourceKind, Verdict};
use serde::Serialize;

use super::report::{Finding, Frame};

/// A place in a program where goroutines leak, or what of it grows, and what is to be said of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Where.
    pub place: Place,
    /// The classes that are right, the plainest first.
    pub classes: Vec<CauseClass>,
    /// How sure the agent has to be, at the least.
    pub verdict: Verdict,
    /// The mistake that it is, where it has a name.
    pub pattern: Option<Pattern>,
    /// How memory or a resource grows, where that is defined.
    pub shape: Option<GrowthPattern>,
    /// Who holds the memory, where that can be named: a variable, or the function that a goroutine started in.
    pub held: Option<String>,
    /// Whether it only comes along with another leak: a finding here is right, and none is too.
    pub optional: bool,
    /// The line of the program's own that causes it, where the source marks one.
    pub cause: Option<Cause>,
}

/// A line of the program's own that causes a leak: `// cause: WHAT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The file with its folder.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The first and the last line of the function around it.
    pub function: (u32, u32),
    /// What is made there and never closed or given back.
    pub what: String,
}

/// Where goroutines leak, or what grows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On a line.
    Line {
        /// The file with its folder: all that `-trimpath` leaves alone.
        file: String,
        /// The line.
        line: u32,
    },
    /// On a line of a function that is known.
    In {
        /// The function's full name.
        function: String,
        /// The file with its folder.
        file: String,
        /// The line.
        line: u32,
    },
    /// Below a function whose name begins so: no line of the program is on these stacks.
    Below(String),
    /// Wherever the goroutines are of what this line makes and nothing closes: one finding joins them.
    Caused(Cause),
    /// What collections leave on Go's heap.
    Heap,
    /// Memory that Go does not know of.
    OffHeap,
    /// Things of a kind that the kernel holds for the program.
    Resource(ResourceKind),
}

impl Place {
    /// Whether it is of the process and not of goroutines.
    #[must_use]
    pub const fn is_of_process(&self) -> bool {
        matches!(self, Self::Heap | Self::OffHeap | Self::Resource(_))
    }
}

/// What became of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Found, as surely as was wanted or more so.
    Found,
    /// Found, but with less certainty than was wanted.
    Weak,
    /// Nothing was found there, but a finding that can only mean it says another line.
    WrongLine,
    /// Nothing.
    Missed,
}

/// What a finding says of the line that causes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseTold {
    /// The very line.
    Line,
    /// Another line of the same function.
    Function,
    /// A line elsewhere.
    Elsewhere,
    /// Nothing.
    Nothing,
}

impl CauseTold {
    /// Whether it leads a reader to the mistake.
    #[must_use]
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Line | Self::Function)
    }
}

/// A site, judged.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// The site, in words.
    pub site: String,
    /// How sure the agent had to be.
    pub wanted: Verdict,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether its class is right; `None` where it was not found.
    pub class_right: Option<bool>,
    /// Whether its pattern, or how it grows, is right; `None` where it was not found, or none is wanted.
    pub pattern_right: Option<bool>,
    /// Whether its holder is right; `None` where it was not found, or none is wanted.
    pub held_right: Option<bool>,
    /// What is said of its cause; `None` where it was not found, or the source marks none.
    pub cause: Option<CauseTold>,
    /// Findings beyond the first that the one cause is told in.
    pub split: usize,
    /// The finding.
    pub finding: Option<Finding>,
}

/// The last two parts of a path: a file and its folder.
#[must_use]
pub fn tail(path: &str) -> &str {
    let mut slashes = path.rmatch_indices('/');
    match slashes.nth(1) {
        Some((at, _)) => &path[at + 1..],
        None => path,
    }
}

/// Judges every site that is not optional, and gives the findings that belong to no site at all.
#[must_use]
pub fn judge(sites: &[Site], findings: &[Finding]) -> (Vec<Judged>, Vec<Finding>) {
    let (optional, sites): (Vec<&Site>, Vec<&Site>) = sites.iter().partition(|it| it.optional);
    // Goroutines that leak may hold descriptors, which are a finding of their own.
    let leak = sites.iter().any(|site| !site.place.is_of_process());
    let may_hold = |finding: &Finding| finding.class == CauseClass::Resource && leak;
    let is_optional =
        |finding: &Finding| may_hold(finding) || optional.iter().any(|site| site.place.is(finding));
    let mut is_wanted: Vec<bool> = findings.iter().map(is_optional).collect();
    let mut found: Vec<Vec<&Finding>> = Vec::new();
    for site in &sites {
        let mut there = Vec::new();
        for (finding, wanted) in findings.iter().zip(&mut is_wanted) {
            if site.place.is(finding) {
                *wanted = true;
                there.push(finding);
            }
        }
        found.push(there);
    }
    add_untold(&sites, findings, &mut is_wanted, &mut found);
    let mut judged = Vec::new();
    for (site, there) in sites.into_iter().zip(found) {
        let split = match site.place {
            Place::Caused(_) => there.len().saturating_sub(1),
            // Several groups may block on one line.
            _ => 0,
        };
        // The surest counts, and of those the one that says most that is right.
        let best = there.into_iter().max_by_key(|it| {
            let cause = site.cause_told(it).is_some_and(CauseTold::is_right);
            (it.verdict, cause, site.has_class_of(it), it.count)
        });
        let outcome = match best {
            Some(finding) if finding.verdict >= site.verdict => Outcome::Found,
            Some(_) => Outcome::Weak,
            None => Outcome::Missed,
        };
        let mut judged_site = Judged { split, ..site.judged(outcome, best) };
        if best.is_none() {
            let mut rest = findings.iter().zip(&mut is_wanted);
            if let Some((finding, wanted)) =
                rest.find(|(finding, wanted)| !**wanted && site.is_misplaced_as(finding))
            {
                *wanted = true;
                judged_site = site.judged(Outcome::WrongLine, Some(finding));
            }
        }
        judged.push(judged_site);
    }
    let others = findings.iter().zip(is_wanted).filter(|(_, wanted)| !wanted);
    (judged, others.map(|(finding, _)| finding.clone()).collect())
}

/// Gives the findings that no site wants, and that say no cause or that something is not closed elsewhere, to the only
/// site that goes by its cause: in a program with one such mistake they are its goroutines, found but not explained.
fn add_untold<'a>(
    sites: &[&Site],
    findings: &'a [Finding],
    is_wanted: &mut [bool],
    found: &mut [Vec<&'a Finding>],
) {
    let mut by_cause =
        sites.iter().zip(found).filter(|(it, _)| matches!(it.place, Place::Caused(_)));
    let (Some((_, there)), None) = (by_cause.next(), by_cause.next()) else { return };
    for (finding, wanted) in findings.iter().zip(is_wanted) {
        let may_be = finding.caused_at.is_none() || finding.class == CauseClass::NotClosed;
        if !*wanted && may_be {
            *wanted = true;
            there.push(finding);
        }
    }
}

impl Place {
    /// Whether a finding is here.
    fn is(&self, finding: &Finding) -> bool {
        let at = finding.blocked_at.as_ref();
        match self {
            Self::Line { file, line } | Self::In { file, line, .. } => {
                // Where a library of the program's blocks, its own line is told as the cause.
                let told = at.into_iter().chain(&finding.caused_at).chain(&finding.parts);
                told.into_iter().any(|it| it.line == Some(*line) && is_in(it, file))
            }
            Self::Below(function) => {
                let frames = at.into_iter().chain(&finding.stack);
                let mut functions = frames.filter_map(|it| it.function.as_deref());
                functions.any(|it| it.starts_with(function))
            }
            Self::Caused(cause) => {
                finding.caused_at.as_ref().is_some_and(|it| cause.told(it).is_right())
            }
            // Goroutines that leak and hold it, or with which it piles up, are one finding with it.
            Self::Heap => finding.class == CauseClass::HeapGrowth || finding.held_by.is_some(),
            Self::OffHeap => finding.class == CauseClass::OffHeapGrowth,
            Self::Resource(kind) => finding.resources.contains(kind),
        }
    }
}

impl Cause {
    fn told(&self, frame: &Frame) -> CauseTold {
        let (first, last) = self.function;
        match frame.line {
            Some(line) if is_in(frame, &self.file) && line == self.line => CauseTold::Line,
            Some(line) if is_in(frame, &self.file) && (first..=last).contains(&line) => {
                CauseTold::Function
            }
            _ => CauseTold::Elsewhere,
        }
    }
}

fn is_in(frame: &Frame, file: &str) -> bool {
    frame.file.as_deref().is_some_and(|it| tail(it) == file)
}

impl Site {
    fn has_class_of(&self, finding: &Finding) -> bool {
        self.classes.contains(&finding.class)
            || (self.place.is_of_process() && self.place.is(finding))
    }

    /// What a finding says of this site's cause, where it has one.
    fn cause_told(&self, finding: &Finding) -> Option<CauseTold> {
        let cause = self.cause.as_ref()?;
        Some(finding.caused_at.as_ref().map_or(CauseTold::Nothing, |it| cause.told(it)))
    }

    /// Whether a finding that is at no wanted line can only mean this site.
    fn is_misplaced_as(&self, finding: &Finding) -> bool {
        let Some(frame) = &finding.blocked_at else { return false };
        let near = match &self.place {
            Place::Line { file, .. } => is_in(frame, file),
            Place::In { function, .. } => frame.function.as_deref() == Some(function),
            Place::Below(_)
            | Place::Caused(_)
            | Place::Heap
            | Place::OffHeap
            | Place::Resource(_) => false,
        };
        near && self.has_class_of(finding)
    }

    fn judged(&self, outcome: Outcome, finding: Option<&Finding>) -> Judged {
        Judged {
            site: self.to_string(),
            wanted: self.verdict,
            outcome,
            class_right: finding.map(|it| self.has_class_of(it)),
            pattern_right: finding.and_then(|it| {
                let mistake = self.pattern.map(|pattern| it.pattern == Some(pattern));
                mistake.or_else(|| self.shape.map(|shape| it.shape == Some(shape)))
            }),
            held_right: finding.zip(self.held.as_deref()).map(|(it, held)| it.is_held_by(held)),
            cause: finding.and_then(|it| self.cause_told(it)),
            split: 0,
            finding: finding.cloned(),
        }
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Line { file, line } => write!(f, "{file}:{line}")?,
            Place::In { function, file, line } => write!(f, "{function} ({file}:{line})")?,
            Place::Below(function) => write!(f, "{function}")?,
            Place::Caused(Cause { file, line, what, .. }) => write!(f, "{file}:{line} {what}")?,
            Place::Heap | Place::OffHeap => f.write_str("memory")?,
            Place::Resource(kind) => f.write_str(kind.name())?,
        }
        if let Some(class) = self.classes.first() {
            write!(f, " {class}")?;
        }
        write!(f, " {}", self.verdict.name())?;
        if let Some(pattern) = self.pattern {
            write!(f, " {}", pattern.name())?;
        }
        if let Some(shape) = self.shape {
            write!(f, " {}", shape.name())?;
        }
        match &self.held {
            Some(held) => write!(f, " held by {held}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
