//! What an alert is for: which findings, how long it waits, and what it says.

use std::time::Duration;

use wildmatch::WildMatch;

use super::Template;
use crate::model::{CauseClass, Severity, Verdict};
use crate::report::schema::NewsDoc;

/// What an alert is for.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Findings at least this sure.
    pub verdict: Verdict,
    /// Findings at least this severe.
    pub severity: Severity,
    /// Of one of these classes; of all where there is none.
    pub classes: Vec<CauseClass>,
    /// With a function of one of these packages; of all where there is none.
    pub packages: Vec<WildMatch>,
    /// In a program of one of these names; in all where there is none.
    pub services: Vec<WildMatch>,
    /// From the first event to the message that tells it, with all that happen meanwhile.
    pub group_wait: Duration,
    /// For how long a finding must not be there to be over.
    pub resolve_wait: Duration,
    /// The line of a message.
    pub title: Template,
    /// The text of an event.
    pub text: Template,
    /// Whether each event is a message of its own.
    pub is_one_by_one: bool,
}

impl Rule {
    /// Whether it is for a finding with functions of these packages, of a program of this name.
    pub(super) fn is_for(&self, service: &str, finding: &NewsDoc<'_>, packages: &[String]) -> bool {
        let is_any = |patterns: &[WildMatch], texts: &[&str]| {
            let matches = |text: &&str| patterns.iter().any(|pattern| pattern.matches(text));
            patterns.is_empty() || texts.iter().any(matches)
        };
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        (finding.verdict >= self.verdict && finding.severity >= self.severity)
            && (self.classes.is_empty() || self.classes.contains(&finding.class))
            && is_any(&self.services, &[service])
            && is_any(&self.packages, &packages)
    }
}
