//! Markdown as GitHub and GitLab read it, for a comment or a job's summary.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Issue, Outcome, Project};
use crate::report::phrases::Room;
use crate::report::{Render, Report, format, phrases};

/// Who holds what goroutines wait on: so many are shown.
const HOLDERS: usize = 3;

/// Renders Markdown.
#[derive(Clone, Debug)]
pub struct Markdown {
    /// Where lines are shown.
    pub project: Project,
}

impl Render for Markdown {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        for (index, assessment) in report.assessments.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            page(&Outcome::of(assessment, &self.project), out)?;
        }
        Ok(())
    }
}

fn page(outcome: &Outcome<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## leak-agent: {}\n", text(&outcome.target()))?;
    let mark = match (outcome.issues.is_empty(), outcome.is_well) {
        (false, _) => "❌",
        (true, true) => "✅",
        (true, false) => "⚠️",
    };
    writeln!(out, "{mark} {}", text(&outcome.result))?;
    if let Some(judged) = &outcome.assessment.judgement {
        writeln!(out, "\nHealth: {}", text(&phrases::health(outcome.assessment, judged)))?;
    }
    if !outcome.issues.is_empty() {
        writeln!(out, "\n| | Verdict | Severity | Class | How much | Growth | Line |")?;
        writeln!(out, "|-:|---|---|---|--:|--:|---|")?;
        for (number, issue) in (1..).zip(&outcome.issues) {
            row(number, issue, out)?;
        }
        for (number, issue) in (1..).zip(&outcome.issues) {
            details(number, issue, out)?;
        }
    }
    let mut notes = phrases::notes(outcome.assessment);
    notes.extend(phrases::memory_unseen(outcome.assessment));
    if !notes.is_empty() {
        writeln!(out)?;
    }
    notes.iter().try_for_each(|note| writeln!(out, "- {}", text(note)))
}

fn row(number: usize, issue: &Issue<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = issue.finding;
    let place = match &issue.spot {
        Some(spot) => format!("{} {}", code(&spot.function), code(&spot.place())),
        None => text(&phrases::about(finding)),
    };
    writeln!(
        out,
        "| {number} | {} | {} | {} | {} | {} | {} |",
        finding.verdict.name(),
        finding.severity().name(),
        finding.class.name(),
        text(&phrases::amount(finding)),
        text(&phrases::rate(finding).unwrap_or_default()),
        // A bar ends a cell even within code.
        place.replace('|', "\\|"),
    )
}

fn details(number: usize, issue: &Issue<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (finding, stacks) = (issue.finding, &issue.assessment.stacks);
    writeln!(out, "\n<details><summary>{number}. {}</summary>\n", text(&issue.title()))?;
    writeln!(out, "{}", text(&issue.cause()))?;
    if let Some(source) = &finding.source {
        let mut shown = String::new();
        for (line, content) in (u64::from(source.first)..).zip(&source.lines) {
            let mark = if line == u64::from(source.line) { "▶" } else { " " };
            let content = content.replace('\t', "    ");
            _ = writeln!(shown, "{mark} {line:>5}  {}", format::clean(&content).trim_end());
        }
        let fence = "`".repeat(longest_run(&shown).max(2) + 1);
        writeln!(out, "\n{fence}go\n{shown}{fence}")?;
    }
    let spots = issue.spot.iter().map(|spot| ("at", spot));
    let spots = spots.chain(issue.related.iter().map(|(what, spot)| (*what, spot)));
    let mut items: Vec<_> = spots
        .map(|(what, spot)| format!("{what} {} {}", code(&spot.function), code(&spot.place())))
        .collect();
    items.extend(
        phrases::oldest(finding, issue.group).map(|oldest| format!("oldest {}", text(&oldest))),
    );
    let waits = phrases::waits_held(finding, stacks, Room::Brief).into_iter().take(HOLDERS);
    items.extend(waits.map(|(by, note)| format!("reached by {}: {}", code(&by), text(&note))));
    items.extend(issue.suggestions().iter().map(|fix| format!("**fix**: {}", text(fix))));
    items.extend(
        finding
            .evidence
            .iter()
            .map(|it| format!("because {}", text(&phrases::evidence(it, stacks)))),
    );
    items.push(format!("score {} of 100, id {}", finding.score.total(), code(&finding.id)));
    writeln!(out)?;
    for item in items {
        writeln!(out, "- {item}")?;
    }
    writeln!(out, "\n</details>")
}

/// Text in which nothing is markup, nor a mention of somebody.
fn text(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len() + 8);
    for c in format::clean(raw).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                escaped.extend(['\\', c]);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A span of code: fenced by more backticks than there are in it.
fn code(raw: &str) -> String {
    let raw = format::clean(raw);
    let fence = "`".repeat(longest_run(&raw) + 1);
    // A backtick at an end needs a space, which readers take away again.
    let space = if fence.len() > 1 { " " } else { "" };
    format!("{fence}{space}{raw}{space}{fence}")
}

/// How many backticks stand side by side at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
