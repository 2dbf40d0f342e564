//! Exit codes, all in one place.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// What was asked for was done, and nothing was found that is worth a failure.
    Done = 0,
    /// There are findings at or above what `--fail-on` says.
    Findings = 1,
    /// The command line asks for something that makes no sense.
    Usage = 2,
    /// The target is not there, not Go, or may not be read.
    Target = 3,
    /// Anything else: output that cannot be written, a defect.
    Internal = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
