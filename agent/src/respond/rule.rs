//! What a response is for, and what it does.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use wildmatch::WildMatch;

use super::Limits;
use crate::model::{CauseClass, Finding, Severity, Verdict};

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Findings at least this sure.
    pub verdict: Verdict,
    /// Findings at least this severe.
    pub severity: Severity,
    /// Of one of these classes; of all where there is none.
    pub classes: Vec<CauseClass>,
    /// In a program of one of these names; in all where there is none.
    pub services: Vec<WildMatch>,
    /// What is to be run.
    pub command: Option<Command>,
    /// What is to be sent to the program.
    pub signal: Option<Signal>,
    /// Whether it is only said and logged what would be done.
    pub is_dry: bool,
    /// How often.
    pub limits: Limits,
}

/// A program that is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, by its whole path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// As whom, by name, user id and group id; as the agent's own user where it is nobody else.
    pub user: Option<(String, u32, u32)>,
    /// For how long.
    pub timeout: Duration,
}

impl Rule {
    /// The same without what a dry run does not do: a command, a signal.
    #[must_use]
    pub fn without_dry(&self) -> Self {
        let mut rule = self.clone();
        if rule.is_dry {
            (rule.command, rule.signal) = (None, None);
        }
        rule
    }

    /// Whether it is for a finding in a program of this name.
    #[must_use]
    pub fn is_for(&self, service: &str, finding: &Finding) -> bool {
        finding.verdict >= self.verdict
            && finding.severity() >= self.severity
            && (self.classes.is_empty() || self.classes.contains(&finding.class))
            && (self.services.is_empty() || self.services.iter().any(|it| it.matches(service)))
    }
}
