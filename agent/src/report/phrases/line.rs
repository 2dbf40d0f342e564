//! The lines of code of a finding.

use super::{class_meaning, resource};
use crate::model::{CauseBasis, Finding, FrameId, Group, StackTable, Subject};
use crate::report::format;

/// Where a finding is to be looked at first: the program's own line that causes it, or else where
/// its goroutines block, or were created.
#[must_use]
pub fn lead(finding: &Finding, group: Option<&Group>) -> Option<FrameId> {
    let caused = finding.caused_at.map(|caused| caused.frame);
    caused.or_else(|| group.and_then(|group| group.blocked_at.or(group.created_by)))
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
}

impl Line {
    /// `caused at`, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caused(_) => "caused at",
            Self::Blocked => "blocked at",
            Self::Created => "created by",
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
    lines
}

/// What is to be said of how a cause is known, where it is not plain.
#[must_use]
pub const fn basis(basis: CauseBasis) -> Option<&'static str> {
    match basis {
        CauseBasis::Stack | CauseBasis::CreationSite | CauseBasis::CreationStack => None,
        CauseBasis::Creator => Some("where a creator is now; it may have been elsewhere then"),
    }
}
