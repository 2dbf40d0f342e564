//! The report as one HTML page: it loads nothing, works without a network and without scripts, and
//! prints.
//!
//! Everything that comes from the target (names, paths, labels, source) is hostile: markup is only
//! ever written by `maud`, which escapes, and each such text goes through `text::Text` first.
//! Should that ever fail, the page's own policy runs no script but the one that it was made with.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::json::time;
use super::{Render, Report, format};
use crate::model::{Assessment, Timestamp};
use text::Text;

pub mod board;
mod chart;
mod contention;
mod finding;
mod flame;
mod frames;
mod groups;
mod held;
mod locks;
mod memory;
mod resources;
mod sites;
mod source;
mod summary;
mod text;
mod tree;
mod trends;

pub use held::write_html;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What the page may do: use its own style, and run the one script with this digest.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    style-src 'unsafe-inline'; script-src 'sha256-EhT8SGkHNXXxXYmYSsUmTJ5vUf0W0aKjl4CauMnCvJw='";

/// Renders a page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Html;

impl Render for Html {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(page(report).0.as_bytes())
    }
}

fn page(report: &Report<'_>) -> Markup {
    let assessments = report.assessments;
    let name = match assessments {
        [only] => format::cut(&only.target.name(), 60),
        several => format!("{} processes", several.len()),
    };
    let body = html! {
        @if assessments.is_empty() {
            h1 { "No process could be seen" }
            p { "None of the processes asked for could be read; the agent's messages say why." }
        }
        @if assessments.len() > 1 { (index(assessments)) }
        @for (index, assessment) in assessments.iter().enumerate() {
            (target(&Page { assessment, index }))
        }
    };
    shell(&name, report.generated_at, &body)
}

/// What a page's head has, whoever made it.
fn head(name: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="generator" content={ "leak-agent " (env!("CARGO_PKG_VERSION")) };
        title { (Text(name)) " – leak-agent" }
        style { (PreEscaped(STYLE)) }
    }
}

/// A whole page around what it says.
fn shell(name: &str, generated_at: Timestamp, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                (head(name))
            }
            body {
                header.page {
                    span.maker { "leak-agent " (env!("CARGO_PKG_VERSION")) }
                    @if let Some(at) = time(generated_at) {
                        time datetime=(at) { (format::date(&at)) }
                    }
                }
                main { (body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// One target's part of the page.
struct Page<'a> {
    assessment: &'a Assessment,
    /// Which of the page's targets it is: several may have findings of the same id.
    index: usize,
}

impl Page<'_> {
    /// Where a finding is on the page.
    fn finding_anchor(&self, number: usize) -> String {
        self.anchor(&format!("finding-{}", number + 1))
    }

    /// An anchor of this target's own. `name` is a word of ours or a number, never the target's.
    fn anchor(&self, name: &str) -> String {
        match self.index {
            0 => name.to_owned(),
            index => format!("t{index}-{name}"),
        }
    }
}

/// The verdicts on all processes, each with the way to its part of the page.
fn index(assessments: &[Assessment]) -> Markup {
    html! {
        h1 { (format::count(assessments.len() as u64)) " processes" }
        table.index {
            caption.unseen { "All processes of this report" }
            thead {
                tr {
                    th scope="col" { "Process" }
                    th.figure scope="col" { "Pid" }
                    th.figure scope="col" { "Goroutines" }
                    th.figure scope="col" { "Health" }
                    th scope="col" { "Result" }
                }
            }
            tbody {
                @for (index, assessment) in assessments.iter().enumerate() {
                    @let judgement = assessment.judgement.as_ref();
                    tr {
                        td {
                            a href={ "#" (Page { assessment, index }.anchor("process")) } {
                                (Text(&format::cut(&assessment.target.name(), 60)))
                            }
                        }
                        td.figure {
                            (assessment.target.pid().map_or_else(|| "–".to_owned(), |pid| pid.to_string()))
                        }
                        td.figure {
                            (assessment.goroutines().map_or_else(|| "–".to_owned(), format::count))
                        }
                        td.figure {
                            (assessment.health().map_or_else(|| "–".to_owned(), |it| it.to_string()))
                        }
                        td {
                            @match judgement {
                                Some(judgement) => (summary::verdict(assessment, judgement)),
                                None => span.muted { "not judged" },
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A section's title, where it can be reached, and what is in it; nothing if that is empty.
fn section(page: &Page<'_>, name: &str, title: &str, body: &Markup) -> Markup {
    let anchor = page.anchor(name);
    html! {
        @if !body.0.is_empty() {
            section id=(anchor) aria-labelledby={ (anchor) "-title" } {
                h2 id={ (anchor) "-title" } { (title) }
                (body)
            }
        }
    }
}

fn target(page: &Page<'_>) -> Markup {
    let sections = [
        ("findings", "Findings", finding::all(page)),
        ("time", "Goroutines over time", chart::total(page)),
        ("trends", "Trends", trends::list(page)),
        ("stacks", "Where goroutines are", flame::graph(page)),
        ("locks", "Who waits for whose lock", locks::picture(page)),
        ("contention", "Where goroutines waited for each other", contention::tables(page)),
        ("memory", "Memory", memory::account(page)),
        ("resources", "Descriptors, threads, mappings, children", resources::account(page)),
        ("groups", "Groups", groups::table(page)),
        ("sites", "Created and gone between samples", sites::table(page)),
        ("coverage", "Coverage and cost", summary::coverage(page)),
    ];
    html! {
        article.target id=(page.anchor("process")) {
            (summary::top(page))
            nav aria-label="Sections" {
                @for (name, title, body) in &sections {
                    @if !body.0.is_empty() { a href={ "#" (page.anchor(name)) } { (title) } " " }
                }
            }
            @for (name, title, body) in &sections {
                (section(page, name, title, body))
            }
        }
    }
}

#[cfg(test)]
mod tests;
