//! The lines of code of a finding.

use std::borrow::Cow;

use super::{class_meaning, resource};
use crate::model::{CauseBasis, Finding, FrameId, Group, OpenedAt, StackTable, Subject};
use crate::report::format;

/// Lines that opened descriptors, at most.
const MAX_OPENED: usize = 3;

/// Where a finding is to be looked at first: the program's own line that causes it, or else where
/// its goroutines block, or were created.
#[must_use]
pub fn lead(finding: &Finding, group: Option<&Group>) -> Option<FrameId> {
    let caused = finding.caused_at.map(|caused| caused.frame);
    caused
        .or_else(|| group.and_then(|group| group.blocked_at.or(group.created_by)))
        .or_else(|| finding.opened_at().next().map(|(opened, _)| opened.frame))
}

/// What a finding is about that has no line of code, in brief.
#[must_use]
pub fn about(finding: &Finding) -> String {
    match &finding.subject {
        Subject::Goroutines(_) => "not known".to_owned(),
        Subject::Memory(_) => class_meaning(finding.class).to_owned(),
        Subject::Resource(held) => resource(&held.key),
    }
}

/// What a line of a finding is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The program's own line that leads to it.
    Caused(CauseBasis),
    /// Where its goroutines block.
    Blocked,
    /// The `go` statement that created them.
    Created,
    /// The line that opened descriptors: so many, of so many that pile up.
    Opened {
        /// How many.
        count: u64,
        /// Of how many.
        of: u64,
        /// How the line is known; `None` where it is not the program's own.
        basis: Option<CauseBasis>,
    },
}

impl Line {
    /// `caused at`, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caused(_) => "caused at",
            Self::Blocked => "blocked at",
            Self::Created => "created by",
            Self::Opened { .. } => "opened at",
        }
    }
}

/// The lines of a finding, the program's own first, each once.
#[must_use]
pub fn lines(
    finding: Option<&Finding>,
    group: Option<&Group>,
    stacks: &StackTable,
) -> Vec<(Line, FrameId)> {
    let caused = finding.and_then(|finding| finding.caused_at);
    let mut lines: Vec<(Line, FrameId)> =
        caused.map(|caused| (Line::Caused(caused.basis), caused.frame)).into_iter().collect();
    // The same line may have several frames: inlined, and not.
    let place = |frame| format::frame(stacks, frame).place;
    for (line, frame) in [
        (Line::Blocked, group.and_then(|group| group.blocked_at)),
        (Line::Created, group.and_then(|group| group.created_by)),
    ] {
        let Some(frame) = frame else { continue };
        if caused.is_none_or(|caused| place(caused.frame) != place(frame)) {
            lines.push((line, frame));
        }
    }
    let opened = finding.into_iter().flat_map(Finding::opened_at).take(MAX_OPENED);
    lines.extend(opened.map(|(opened, of)| {
        let OpenedAt { count, basis, frame, .. } = *opened;
        (Line::Opened { count, of, basis }, frame)
    }));
    lines
}

/// What is to be said of a line, where it is not plain what it is to the finding.
#[must_use]
pub fn line_note(line: Line) -> Option<Cow<'static, str>> {
    match line {
        Line::Caused(CauseBasis::Creator) => {
            Some("where a creator is now; it may have been elsewhere then".into())
        }
        Line::Caused(_) | Line::Blocked | Line::Created => None,
        Line::Opened { count, of, basis } => {
            let how = match basis {
                Some(CauseBasis::Stack) => "",
                Some(CauseBasis::CreationSite) => "; the go statement whose goroutine opened them",
                Some(CauseBasis::CreationStack | CauseBasis::Creator) => {
                    "; it led to the goroutine that opened them"
                }
                None => "; no line of the program's own is on the stack",
            };
            Some(format!("opened {} of {}{how}", format::count(count), format::count(of)).into())
        }
    }
}
