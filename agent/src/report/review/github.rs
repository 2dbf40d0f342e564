//! Annotations of GitHub Actions: workflow commands, a line each, which the runner reads from a step's output.

use std::io::{self, Write};

use super::{Loudness, Outcome, Project};
use crate::report::{Render, Report};

/// Renders workflow commands.
#[derive(Clone, Debug)]
pub struct Github {
    /// Where lines are shown.
    pub project: Project,
}

impl Render for Github {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        for assessment in report.assessments {
            let outcome = Outcome::of(assessment, &self.project);
            let target = outcome.target();
            for issue in &outcome.issues {
                let command = match issue.loudness() {
                    Loudness::Error => "error",
                    Loudness::Warning => "warning",
                };
                let place = match issue.spot.as_ref().filter(|spot| spot.is_inside) {
                    Some(spot) => format!("file={},line={},", property(&spot.file), spot.line),
                    None => String::new(),
                };
                // Outside of the project the line is shown nowhere but in the text.
                let at = match issue.spot.as_ref().filter(|spot| !spot.is_inside) {
                    Some(spot) => format!(" At {} ({}).", spot.function, spot.place()),
                    None => String::new(),
                };
                let title = property(&issue.title());
                let text = data(&format!("{target}: {}{at}", issue.message()));
                writeln!(out, "::{command} {place}title={title}::{text}")?;
            }
            // What was not judged is no good news.
            let command =
                if outcome.is_well || !outcome.issues.is_empty() { "notice" } else { "warning" };
            let text = data(&format!("{target}: {}", outcome.result));
            writeln!(out, "::{command} title=leak-agent::{text}")?;
        }
        Ok(())
    }
}

/// The text behind a command, as the runner's toolkit escapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
