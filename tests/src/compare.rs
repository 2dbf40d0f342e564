//! Compares what the agent saw with what the target said of itself just before and just after.
//!
//! Only goroutines that were parked alike in both dumps are compared. Left aside on both sides, as `runtime.Stack`
//! leaves them out: frames of package `runtime`, functions without a package (assembly, cgo's exports), and wrappers
//! that the compiler wrote.

use std::collections::{HashMap, HashSet};
use std::fmt;

use leak_agent::model::{Goroutine as Ours, Observation, Resolved, StackView, Status};

use crate::debug2::{Dump, Entry, Goroutine as Theirs};

/// How an observation and the target's own word compare.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Goroutines that were compared.
    pub compared: usize,
    /// Goroutines left aside: running or runnable, or not alike in both dumps.
    pub moving: usize,
    /// Goroutines of the user's code that the observation holds and neither dump does.
    pub strangers: Vec<u64>,
    /// What differs, by goroutine.
    pub differences: Vec<Difference>,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of which goroutine.
    pub goid: u64,
    /// What: `missing`, `twice`, `stack`, `unread`, `wait reason`, `created by`, `parent`,
    /// `locked to thread`, `labels`.
    pub what: &'static str,
    /// What the agent saw.
    pub ours: String,
    /// What the target says.
    pub theirs: String,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, moving, strangers, differences } = self;
        writeln!(
            f,
            "{compared} compared, {moving} moving, strangers {strangers:?}, {} differences",
            differences.len()
        )?;
        for difference in differences {
            let Difference { goid, what, ours, theirs } = difference;
            writeln!(f, "goroutine {goid}: {what}\n  ours:   {ours}\n  theirs: {theirs}")?;
        }
        Ok(())
    }
}

/// Compares an observation with dumps made just before and just after it.
#[must_use]
pub fn compare(seen: &Observation, before: &Dump, after: &Dump) -> Comparison {
    let mut result = Comparison::default();
    let mut ours: HashMap<u64, &Ours> = HashMap::new();
    for goroutine in &seen.goroutines {
        let Some(goid) = goroutine.id() else {
            result.differ(0, "id", "none", "each has one");
            continue;
        };
        if ours.insert(goid, goroutine).is_some() {
            result.differ(goid, "twice", "seen twice", "there is one");
        }
    }
    let later: HashMap<u64, &Theirs> =
        after.goroutines.iter().map(|goroutine| (goroutine.goid, goroutine)).collect();
    let mut known: HashSet<u64> = later.keys().copied().collect();
    for theirs in &before.goroutines {
        known.insert(theirs.goid);
        let stayed = later.get(&theirs.goid).is_some_and(|later| theirs.stands_as(later));
        if !stayed || matches!(theirs.state.as_str(), "running" | "runnable") {
            result.moving += 1;
            continue;
        }
        result.compared += 1;
        match ours.get(&theirs.goid) {
            Some(ours) => result.goroutine(seen, ours, theirs),
            None => result.differ(theirs.goid, "missing", "not seen", &theirs.state),
        }
    }
    result.strangers = seen
        .goroutines
        .iter()
        .filter(|ours| !started_by_runtime(seen, ours))
        .filter_map(Ours::id)
        .filter(|goid| !known.contains(goid))
        .collect();
    result
}

impl Comparison {
    fn differ(&mut self, goid: u64, what: &'static str, ours: &str, theirs: &str) {
        self.differences.push(Difference {
            goid,
            what,
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
        });
    }

    fn goroutine(&mut self, seen: &Observation, ours: &Ours, theirs: &Theirs) {
        let goid = theirs.goid;
        let state = state(seen, ours);
        if state != theirs.state {
            self.differ(goid, "wait reason", &state, &theirs.state);
        }
        if ours.locked_to_thread != theirs.locked {
            let (ours, theirs) = (ours.locked_to_thread.to_string(), theirs.locked.to_string());
            self.differ(goid, "locked to thread", &ours, &theirs);
        }
        if !theirs.labels.is_empty() {
            let mut labels = theirs.labels.clone();
            labels.sort();
            if seen.labels_of(ours.labels) != labels {
                let ours = format!("{:?}", seen.labels_of(ours.labels));
                self.differ(goid, "labels", &ours, &format!("{labels:?}"));
            }
        }
        self.creation(seen, ours, theirs);
        match ours.stack {
            StackView::Read(_) => self.stack(seen, ours, theirs),
            unread => self.differ(goid, "unread", &format!("{unread:?}"), &theirs.state),
        }
    }

    fn creation(&mut self, seen: &Observation, ours: &Ours, theirs: &Theirs) {
        let site = ours.created_by.map(|frame| match seen.stacks.lookup(frame) {
            Ok(frame) => Line::of(frame),
            Err(pc) => Line::unknown(pc),
        });
        let Some(created) = &theirs.created_by else {
            // The runtime keeps quiet of those that it created itself.
            if let Some(site) = site.filter(|site| theirs.goid != 1 && !site.hidden()) {
                self.differ(theirs.goid, "created by", &site.to_string(), "nobody");
            }
            return;
        };
        let wanted = Line::new(&created.function, &created.file, created.line);
        if site.as_ref() != Some(&wanted) {
            let site = site.map_or_else(|| "nobody".to_owned(), |site| site.to_string());
            self.differ(theirs.goid, "created by", &site, &wanted.to_string());
        }
        let parent = ours.parent.map(std::num::NonZeroU64::get);
        if parent != created.parent {
            let (ours, theirs_parent) = (format!("{parent:?}"), format!("{:?}", created.parent));
            self.differ(theirs.goid, "parent", &ours, &theirs_parent);
        }
    }

    fn stack(&mut self, seen: &Observation, ours: &Ours, theirs: &Theirs) {
        let Some(id) = ours.stack.id() else { return };
        let lines: Vec<Line> = seen
            .stacks
            .frames_of(id)
            .iter()
            .map(|&frame| match seen.stacks.lookup(frame) {
                Ok(frame) => Line::of(frame),
                Err(pc) => Line::unknown(pc),
            })
            .filter(|line| !line.hidden())
            .collect();
        let old = seen.target.go_version.as_deref().is_some_and(|go| go.starts_with("go1.21"));
        let printed = Printed::of(theirs);
        if let Err(reason) = printed.matches(&lines, seen.stacks.elided(id) > 0, old) {
            let ours = format!("{} (differs at {reason})", join(&lines));
            self.differ(theirs.goid, "stack", &ours, &printed.to_string());
        }
    }
}

/// The state as `runtime.Stack` would print it.
fn state(seen: &Observation, ours: &Ours) -> String {
    match ours.status {
        Status::Runnable => "runnable",
        Status::Running => "running",
        Status::Syscall => "syscall",
        Status::Waiting | Status::Leaked => seen.reason_of(ours).unwrap_or("waiting"),
        Status::Preempted => "preempted",
        Status::CopyStack => "copystack",
    }
    .to_owned()
}

/// Whether dumps leave a goroutine out, as one of the runtime's own.
fn started_by_runtime(seen: &Observation, ours: &Ours) -> bool {
    ours.started_in
        .and_then(|frame| seen.stacks.lookup(frame).ok())
        .is_some_and(|frame| frame.function.starts_with("runtime."))
}

/// A frame as both sides can be compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    function: String,
    file: String,
    line: u32,
}

impl Line {
    fn new(function: &str, file: &str, line: u32) -> Self {
        // A panic's frame is the one that is printed under another name.
        let function = if function == "panic" { "runtime.gopanic" } else { function };
        Self { function: instantiation_dropped(function), file: file.to_owned(), line }
    }

    fn of(frame: Resolved<'_>) -> Self {
        Self::new(frame.function, frame.file, frame.line)
    }

    fn unknown(pc: u64) -> Self {
        Self { function: format!("?.{pc:#x}"), file: String::new(), line: 0 }
    }

    /// Whether it is left aside on both sides.
    fn hidden(&self) -> bool {
        self.function.starts_with("runtime.") || !self.function.contains('.')
    }

    /// Whether the compiler wrote the function: dumps leave such a frame out.
    fn wrapper(&self) -> bool {
        let last = self.function.rsplit('.').next().unwrap_or_default();
        let numbered =
            |prefix| last.strip_prefix(prefix).is_some_and(|n: &str| n.parse::<u32>().is_ok());
        numbered("gowrap")
            || numbered("deferwrap")
            || last.ends_with("-fm")
            || self.file == "<autogenerated>"
    }

    /// Go 1.21 names the wrappers of `go f(x)` and `defer f(x)` as if they were closures.
    fn maybe_old_wrapper(&self) -> bool {
        let last = self.function.rsplit('.').next().unwrap_or_default();
        last.strip_prefix("func").unwrap_or(last).parse::<u32>().is_ok()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.function, self.file, self.line)
    }
}

/// `F[go.shape.int]` is printed as `F[...]`.
fn instantiation_dropped(function: &str) -> String {
    match (function.find('['), function.rfind(']')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}[...]{}", &function[..open], &function[close + 1..])
        }
        _ => function.to_owned(),
    }
}

fn join(lines: &[Line]) -> String {
    lines.iter().map(Line::to_string).collect::<Vec<_>>().join(" < ")
}

/// A stack as it was printed: whole, or its two ends and how much is between them.
struct Printed {
    inner: Vec<Line>,
    elided: Option<(usize, Vec<Line>)>,
}

impl Printed {
    fn of(theirs: &Theirs) -> Self {
        let mut printed = Self { inner: Vec::new(), elided: None };
        for entry in &theirs.stack {
            match (entry, &mut printed.elided) {
                (Entry::Call(call), elided) => {
                    let line = Line::new(&call.function, &call.file, call.line);
                    if !line.hidden() {
                        elided.as_mut().map_or(&mut printed.inner, |(_, outer)| outer).push(line);
                    }
                }
                (Entry::Elided(count), elided @ None) => {
                    let count = count.and_then(|count| usize::try_from(count).ok());
                    *elided = Some((count.unwrap_or(0), Vec::new()));
                }
                (Entry::Elided(_), Some(_)) | (Entry::Foreign { .. }, _) => {}
            }
        }
        printed
    }

    /// Whether a stack is this one. `cut`: ours was too deep to be kept whole.
    fn matches(&self, ours: &[Line], cut: bool, old: bool) -> Result<(), String> {
        let Some((count, outer)) = &self.elided else {
            return align(ours, &self.inner, old);
        };
        let ours: Vec<Line> = ours.iter().filter(|line| !line.wrapper()).cloned().collect();
        let whole = self.inner.len() + count + outer.len();
        if ours.get(..self.inner.len()) != Some(&self.inner[..]) {
            return Err("the inner frames".to_owned());
        }
        if cut {
            return Ok(());
        }
        if ours.len() != whole {
            return Err(format!("its depth: {} in place of {whole}", ours.len()));
        }
        if ours[ours.len() - outer.len()..] != outer[..] {
            return Err("the outer frames".to_owned());
        }
        Ok(())
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.inner))?;
        if let Some((count, outer)) = &self.elided {
            write!(f, " < ({count} elided) < {}", join(outer))?;
        }
        Ok(())
    }
}

/// Walks two stacks side by side; only ours may hold wrappers that the other lacks.
fn align(ours: &[Line], theirs: &[Line], old: bool) -> Result<(), String> {
    let mut rest = theirs;
    for line in ours {
        match rest.split_first() {
            Some((first, behind)) if first == line => rest = behind,
            _ if line.wrapper() || (old && line.maybe_old_wrapper()) => {}
            Some((first, _)) => return Err(format!("{line}, where they have {first}")),
            None => return Err(format!("{line}, where theirs has ended")),
        }
    }
    match rest.first() {
        Some(first) => Err(format!("its end, where they have {first}")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
