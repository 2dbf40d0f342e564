//! The page of a program's memory: the account of it, and a flame graph of the live heap by who holds it.

use std::io::{self, Write};

use maud::{Markup, html};

use super::text::Text;
use super::tree::{Kind, Tree};
use super::{Page, flame, memory, section, shell};
use crate::model::{HeldChange, HeldSince, Retained, WouldFree};
use crate::report::memory::{HeldFrameKind, MemoryReport, stacks};
use crate::report::{format, phrases};

/// Rows of a table of what became more or less.
const ROWS: usize = 50;

/// Writes the page.
///
/// # Errors
/// What the writer says.
pub fn write_html(report: &MemoryReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let assessment = report.assessment;
    let page = Page { assessment, index: 0 };
    let name = format::cut(&assessment.target.name(), 60);
    let held = report.retained.map(|held| graph(held, report.would_free)).unwrap_or_default();
    let since = report.retained.zip(report.since).map(|(now, since)| changes(now, since));
    let notes = phrases::notes(assessment);
    let body = html! {
        article.target {
            h1 { (Text(&name)) }
            p.target {
                span { (Text(&assessment.target.id.to_string())) } " "
                span { (Text(assessment.target.go_version.as_deref().unwrap_or("Go version unknown"))) } " "
                span { (phrases::window_and_end(&assessment.window)) }
            }
            (section(&page, "memory", "Memory", &memory::account(&page)))
            (section(&page, "held", "Who holds the heap", &held))
            (section(&page, "since", "What became more or less", &since.unwrap_or_default()))
            @if !notes.is_empty() { ul.notes { @for note in &notes { li { (Text(note)) } } } }
        }
    };
    out.write_all(shell(&name, assessment.window.last, &body).0.as_bytes())
}

/// The live heap by who holds it.
fn graph(retained: &Retained, would_free: Option<&WouldFree>) -> Markup {
    let mut tree = Tree::new("the live heap".to_owned());
    for stack in stacks(retained) {
        let frames = stack.frames.into_iter().map(|frame| (frame.name, kind(frame.kind)));
        tree.add(frames, stack.holds.bytes, false);
    }
    let (bars, narrow) = tree.bars(|name| format::cut(name, 200));
    let notes = phrases::walk_notes(retained);
    html! {
        p { (phrases::walk(retained)) ". Not held: " (phrases::unreached(retained)) "." }
        @for text in would_free.iter().flat_map(|it| phrases::would_free(it)) {
            p { "Garbage: " (text) "." }
        }
        p.note {
            "Each bar is a holder, a field or objects of a type, as wide as what is below it and itself has of the "
            "live heap's bytes."
        }
        p.note.keys {
            span.key.user { "holder" } " " span.key.std { "type" } " " span.key.runtime { "field" }
            button.back type="button" hidden { "Show all" }
        }
        (flame::drawing(
            &bars,
            narrow,
            "memory --retained has the same paths as text.",
            &format::bytes,
        ))
        @if !notes.is_empty() { ul.notes { @for note in &notes { li { (Text(note)) } } } }
    }
}

const fn kind(kind: HeldFrameKind) -> Kind {
    match kind {
        HeldFrameKind::Holder => Kind::Holder,
        HeldFrameKind::Field => Kind::Field,
        HeldFrameKind::Type => Kind::Type,
        HeldFrameKind::Rest => Kind::Sum,
    }
}

fn changes(now: &Retained, since: &HeldSince) -> Markup {
    let type_name = |of: &Option<String>| phrases::type_name(of.as_deref()).to_owned();
    html! {
        p { (phrases::held_since(now, since)) "." }
        (table("By holder", &since.holders, phrases::heap_holder))
        (table("By type", &since.types, type_name))
    }
}

fn table<T>(caption: &str, changes: &[HeldChange<T>], name: impl Fn(&T) -> String) -> Markup {
    html! {
        @if !changes.is_empty() {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "What" }
                        th.figure scope="col" { "Before" }
                        th.figure scope="col" { "Now" }
                        th.figure scope="col" { "Objects" }
                    }
                }
                tbody {
                    @for change in changes.iter().take(ROWS) {
                        tr {
                            th scope="row" { (Text(&name(&change.of))) }
                            td.figure { (format::bytes(change.before.bytes)) }
                            td.figure { (format::bytes(change.now.bytes)) }
                            td.figure { (format::count(change.now.objects)) }
                        }
                    }
                }
            }
            @if changes.len() > ROWS {
                p.note {
                    (format::counted((changes.len() - ROWS) as u64, "more row", "more rows"))
                    "; the JSON report has them all."
                }
            }
        }
    }
}
