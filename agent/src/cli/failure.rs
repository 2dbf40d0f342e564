//! What can go wrong in a command, and how people are told.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use thiserror::Error;

use super::exit::Exit;
use crate::collect::CollectError;
use crate::host::{self, Access, Denial, Remedy};

/// Why a command could not do what it was asked for.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// No target was named.
    #[error("no target: which Go process?")]
    NoTarget,
    /// No running Go program has this name.
    #[error("no running Go program is called {name}")]
    NoSuchExe {
        /// The name that was looked for.
        name: String,
        /// How many processes could not be looked at.
        refused: usize,
    },
    /// The list of processes cannot be read.
    #[error("cannot list the processes of this machine")]
    Processes(#[source] io::Error),
    /// The target cannot be seen, or no longer.
    #[error("cannot look at pid {pid}")]
    Target {
        /// The process.
        pid: u32,
        /// Why.
        #[source]
        source: CollectError,
    },
    /// All that could be said of several targets was said already, one by one.
    #[error("{failed} of {asked} targets could not be looked at to the end")]
    Targets {
        /// How many failed.
        failed: usize,
        /// Of how many.
        asked: usize,
    },
    /// The report cannot be written to its file.
    #[error("cannot write the report to {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output cannot be written to.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// Signals cannot be caught.
    #[error("cannot watch for Ctrl-C and SIGTERM")]
    Signals(#[source] io::Error),
    /// The terminal cannot be used for the live view.
    #[error("cannot use this terminal for the live view")]
    Terminal(#[source] io::Error),
    /// A thread of the agent died.
    #[error("a part of leak-agent stopped without a word: this is a defect of it")]
    Defect,
}

impl Failure {
    /// The exit code it ends in.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::NoTarget => Exit::Usage,
            Self::NoSuchExe { .. }
            | Self::Processes(_)
            | Self::Target { .. }
            | Self::Targets { .. } => Exit::Target,
            // Whoever read the output has seen enough.
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::File { .. }
            | Self::Stdout(_)
            | Self::Signals(_)
            | Self::Terminal(_)
            | Self::Defect => Exit::Internal,
        }
    }

    /// What to do next, where the message itself or its causes do not say.
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoTarget => "leak-agent --list, then leak-agent --pid PID or --exe NAME".into(),
            Self::NoSuchExe { refused: 0, .. } => "leak-agent --list".into(),
            Self::NoSuchExe { refused, .. } => {
                format!("sudo leak-agent --list (not looked at, for want of permission: {refused})")
            }
            Self::File { .. } => "another --output, in a directory that can be written to".into(),
            Self::Terminal(_) => "leak-agent ... | cat, for one line a look".into(),
            Self::Target { pid, source } if source.is_denied() => {
                format!("leak-agent doctor --pid {pid}, which says what is missing")
            }
            Self::Processes(_)
            | Self::Target { .. }
            | Self::Targets { .. }
            | Self::Stdout(_)
            | Self::Signals(_)
            | Self::Defect => return None,
        })
    }

    /// What stands in the way and what would change that, where the kernel refused.
    fn denial(&self) -> Option<Denial> {
        match self {
            Self::Target { pid, source } if source.is_denied() => match host::access_to(*pid) {
                Access::Denied(denial) => Some(denial),
                _ => None,
            },
            _ => None,
        }
    }

    /// Tells people, on standard error.
    pub(super) fn tell(&self) {
        if self.exit() != Exit::Done {
            // Nobody is left to tell when even this cannot be written.
            let _ = io::stderr().write_all(self.text().as_bytes());
        }
    }

    fn text(&self) -> String {
        let mut text = format!("error: {self}\n");
        let mut cause = self.source();
        let mut said = self.to_string();
        while let Some(error) = cause {
            let message = error.to_string();
            // A transparent wrapper repeats what it wraps.
            if message != said {
                text.push_str(&format!("  because: {message}\n"));
            }
            said = message;
            cause = error.source();
        }
        if let Some(Denial { obstacles, remedies }) = self.denial() {
            for obstacle in obstacles {
                text.push_str(&format!("  because: {obstacle}\n"));
            }
            for Remedy { command, when } in remedies {
                text.push_str(&format!("  try: {command}\n       ({when})\n"));
            }
        } else if let Some(advice) = self.advice() {
            text.push_str(&format!("  try: {advice}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang;

    #[test]
    fn a_failure_tells_its_causes_and_what_to_do() {
        let failure = Failure::Target { pid: 7, source: golang::Error::Exited { pid: 7 }.into() };
        assert_eq!(
            failure.text(),
            "error: cannot look at pid 7\n  because: process 7 has exited\n"
        );
        assert_eq!(failure.exit(), Exit::Target);
        let text = Failure::NoSuchExe { name: "potato".into(), refused: 3 }.text();
        assert!(text.contains("\n  try: sudo leak-agent --list"), "{text}");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::Stdout(io::ErrorKind::BrokenPipe.into());
        assert_eq!(closed.exit(), Exit::Done);
        let full = Failure::Stdout(io::ErrorKind::StorageFull.into());
        assert_eq!(full.exit(), Exit::Internal);
    }
}
