//! The page of two moments of a process, and how they differ.

use maud::{Markup, html};

use super::super::text::Text;
use super::{Shell, shell};
use crate::model::Timestamp;
use crate::report::schema::{
    ChangeKind, ChangedDoc, ComparisonDoc, MomentDoc, MomentMemoryDoc, PlaceDoc, ResourceChangeDoc,
};
use crate::report::{format, json, phrases};

/// Groups that are shown.
const MAX_GROUPS: usize = 500;

/// Two moments that were asked for, of those that there are.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// What the process is called in addresses.
    pub name: &'a str,
    /// What it is called by people.
    pub title: &'a str,
    /// All moments, oldest first, with how many goroutines there were.
    pub moments: &'a [(Timestamp, Option<u64>)],
    /// How two of them differ; `None` where there are no two.
    pub comparison: Option<ComparisonDoc<'static>>,
    /// Whether a moment that was asked for is not kept any more, so that the nearest is shown.
    pub is_near: bool,
}

/// The page.
#[must_use]
pub fn compare(compared: &Compared<'_>) -> String {
    let name = format::cut(compared.title, 60);
    let links = html! { a href={ "/process/" (compared.name) } { (Text(&name)) } };
    let body = html! {
        h1 { "Two moments of " (Text(&name)) }
        @match &compared.comparison {
            None => p { "There are no two samples of it yet." },
            Some(comparison) => {
                (choice(compared, comparison))
                @if compared.is_near {
                    p.note { "Not every sample is kept: this is of the nearest to what was asked for." }
                }
                (memory(comparison.before.memory.unwrap_or(NOTHING), comparison.after.memory.unwrap_or(NOTHING)))
                (resources(&comparison.resources))
                (groups(comparison))
            }
        }
    };
    shell(&format!("{name}, two moments"), &links, &body, Shell::Still).into_string()
}

const NOTHING: MomentMemoryDoc = MomentMemoryDoc {
    live_bytes: None,
    objects_bytes: None,
    stacks_bytes: None,
    outside_bytes: None,
    rss_bytes: None,
};

/// Milliseconds since 1970, as they stand in addresses.
#[must_use]
pub const fn in_address(at: Timestamp) -> i64 {
    at.unix_ns() / 1_000_000
}

/// What chooses the moments. A browser asks for them by an address that can be handed on.
fn choice(compared: &Compared<'_>, comparison: &ComparisonDoc<'_>) -> Markup {
    let options = |chosen: &MomentDoc<'_>| {
        html! {
            @for (at, goroutines) in compared.moments {
                @let text = json::time(*at).unwrap_or_default();
                option value=(in_address(*at)) selected[Some(&*text) == chosen.at.as_deref()] {
                    (format::date(&text))
                    @if let Some(count) = goroutines {
                        ", " (format::counted(*count, "goroutine", "goroutines"))
                    }
                }
            }
        }
    };
    html! {
        form.moments method="get" action={ "/process/" (compared.name) "/compare" } {
            label for="before" { "Before" }
            select #before name="before" { (options(&comparison.before)) }
            label for="after" { "After" }
            select #after name="after" { (options(&comparison.after)) }
            button type="submit" { "Compare" }
        }
    }
}

fn memory(before: MomentMemoryDoc, after: MomentMemoryDoc) -> Markup {
    let rows = [
        ("Live heap", before.live_bytes, after.live_bytes),
        ("Objects", before.objects_bytes, after.objects_bytes),
        ("Stacks", before.stacks_bytes, after.stacks_bytes),
        ("Outside of Go", before.outside_bytes, after.outside_bytes),
        ("Resident", before.rss_bytes, after.rss_bytes),
    ];
    let known = rows.map(|(name, before, after)| Some((name.to_owned(), before?, after?)));
    changes("memory", "Memory", known.into_iter().flatten().collect(), format::bytes)
}

fn resources(of: &[ResourceChangeDoc<'_>]) -> Markup {
    let rows = of.iter().map(|it| {
        let key = json::resource_key(it.kind, it.name.as_deref(), it.leads_to);
        (phrases::resource(&key), it.before, it.after)
    });
    changes("resource", "Descriptors, threads, mappings, children", rows.collect(), format::count)
}

/// What there was and is of some things, by name; nothing where there are none.
fn changes(
    id: &str,
    title: &str,
    rows: Vec<(String, u64, u64)>,
    shown: impl Fn(u64) -> String,
) -> Markup {
    html! {
        @if !rows.is_empty() {
            section id={ (id) "-changes" } aria-labelledby={ (id) "-changes-title" } {
                h2 id={ (id) "-changes-title" } { (title) }
                table.changes {
                    (head(&["", "Before", "After", "Change"]))
                    tbody {
                        @for (name, before, after) in rows {
                            tr {
                                td { (Text(&name)) }
                                td.figure { (shown(before)) }
                                td.figure { (shown(after)) }
                                td.figure { (sign(before, after)) (shown(before.abs_diff(after))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn groups(comparison: &ComparisonDoc<'_>) -> Markup {
    let ComparisonDoc { before, after, groups, unchanged, .. } = comparison;
    let (Some(was), Some(is)) = (before.goroutines, after.goroutines) else {
        return html! { p { "Goroutines are not compared: they were not looked at both times." } };
    };
    html! {
        section #group-changes aria-labelledby="group-changes-title" {
            h2 #group-changes-title { "Goroutines" }
            p.target {
                (format::count(was)) " before, " (format::counted(is, "goroutine", "goroutines")) " after: "
                (sign(was, is)) (format::count(was.abs_diff(is)))
            }
            @if groups.is_empty() {
                p { "No group is larger or smaller." }
            } @else {
                table.changes {
                    (head(&["", "Before", "After", "Change", "Waits for", "Where"]))
                    tbody { @for group in groups.iter().take(MAX_GROUPS) { (row(group)) } }
                }
            }
            @if groups.len() > MAX_GROUPS {
                p { (format::counted((groups.len() - MAX_GROUPS) as u64, "more group", "more groups")) " changed less." }
            }
            p { "As large as before: " (format::counted(*unchanged, "group", "groups")) "." }
        }
    }
}

fn head(names: &[&str]) -> Markup {
    html! {
        thead {
            tr {
                @for name in names {
                    @if matches!(*name, "Before" | "After" | "Change") {
                        th.figure scope="col" { (name) }
                    } @else {
                        th scope="col" { (name) }
                    }
                }
            }
        }
    }
}

fn row(group: &ChangedDoc<'_>) -> Markup {
    let ChangedDoc { change, before, after, wait_class, blocked_at, created_by, .. } = group;
    let change = match change {
        ChangeKind::New => "new",
        ChangeKind::Grown => "grown",
        ChangeKind::Shrunk => "shrunk",
        ChangeKind::Gone => "gone",
    };
    let place = |name: &str, place: &Option<PlaceDoc<'_>>| {
        html! {
            @if let Some(PlaceDoc { function, file, line }) = place {
                div { (name) code { (Text(function)) } " " span.muted { (Text(file)) ":" (line) } }
            }
        }
    };
    html! {
        tr class=(change) {
            td { (change) }
            td.figure { (format::count(*before)) }
            td.figure { (format::count(*after)) }
            td.figure { (sign(*before, *after)) (format::count(before.abs_diff(*after))) }
            td { (wait_class.name()) }
            td { (place("", blocked_at)) (place("created by ", created_by)) }
        }
    }
}

const fn sign(before: u64, after: u64) -> &'static str {
    if after > before {
        "+"
    } else if after < before {
        "−"
    } else {
        ""
    }
}
