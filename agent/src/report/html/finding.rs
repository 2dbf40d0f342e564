//! Findings: an index when there are several, then each with everything that is known of it.

use maud::{Markup, html};

use super::text::Text;
use super::{Page, chart, frames, groups, source};
use crate::model::{Finding, Group, LockWait, StackTable, Subject, Verdict};
use crate::report::format;
use crate::report::phrases::{self, Line, Room};

/// Findings shown in full.
const FULL: usize = 100;
/// Kinds of goroutines that are listed of one finding.
const KINDS: usize = 30;
/// Who holds descriptors: so many are shown.
const HOLDERS: usize = 10;
/// Findings in the index.
const INDEX: usize = 1_000;

pub(super) fn all(page: &Page<'_>) -> Markup {
    let Some(judgement) = &page.assessment.judgement else { return Markup::default() };
    let findings = &judgement.findings;
    let beyond = findings.len().saturating_sub(FULL) as u64;
    html! {
        @if findings.len() > 1 { (index(page, findings)) }
        @for (number, finding) in findings.iter().take(FULL).enumerate() {
            (one(page, number, finding))
        }
        @if beyond > 0 {
            p.note {
                (format::counted(beyond, "more finding", "more findings"))
                " not shown in full here; the JSON report has them all."
            }
        }
    }
}

fn index(page: &Page<'_>, findings: &[Finding]) -> Markup {
    html! {
        table.index {
            caption.unseen { "All findings, surest and worst first" }
            thead {
                tr {
                    th.figure scope="col" { "#" }
                    th scope="col" { "Verdict" }
                    th scope="col" { "Severity" }
                    th.class scope="col" { "Class" }
                    th.figure scope="col" { "Count" }
                    th.figure.growth scope="col" { "Growth" }
                    th scope="col" { "Where" }
                }
            }
            tbody {
                @for (number, finding) in findings.iter().take(INDEX).enumerate() {
                    tr {
                        td.figure { (number + 1) }
                        td { (verdict(finding.verdict)) }
                        td { (finding.severity().name()) }
                        td.class { (finding.class.name()) }
                        td.figure { (phrases::amount_in_brief(finding)) }
                        td.figure.growth {
                            (phrases::rate(finding).unwrap_or_else(|| "–".to_owned()))
                        }
                        td {
                            @if number < FULL {
                                a href={ "#" (page.finding_anchor(number)) } { (place(page, finding)) }
                            } @else {
                                (place(page, finding))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The line to look at, in brief.
fn place(page: &Page<'_>, finding: &Finding) -> Markup {
    let group = finding.group_in(&page.assessment.groups);
    html! {
        @match phrases::lead(finding, group) {
            Some(frame) => (frames::brief(&page.assessment.stacks, frame)),
            None => (Text(&phrases::about(finding))),
        }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    html! { span.verdict.(verdict.name()) { (verdict.name()) } }
}

fn one(page: &Page<'_>, number: usize, finding: &Finding) -> Markup {
    let group = finding.group_in(&page.assessment.groups);
    let anchor = page.finding_anchor(number);
    let stacks = &page.assessment.stacks;
    let suggestions = phrases::suggestions(finding, stacks);
    html! {
        article.finding.(finding.verdict.name()) id=(anchor)
            aria-labelledby={ (anchor) "-title" } {
            header {
                h3 id={ (anchor) "-title" } {
                    span.number { (number + 1) } " " (place(page, finding))
                }
                p.tags {
                    (verdict(finding.verdict)) " "
                    span { (finding.severity().name()) " severity" } " "
                    span title=(phrases::class_meaning(finding.class)) { (finding.class.name()) } " "
                    @if let Some(pattern) = finding.pattern {
                        span title=(pattern.meaning()) { (pattern.name()) } " "
                    }
                    code.muted { (Text(&finding.id)) }
                }
            }
            p.cause { (Text(&phrases::cause(finding, stacks))) }
            (figures(finding, group))
            div.two {
                div {
                    (where_they_are(page, finding, group))
                    @if let Some(source) = &finding.source { (source::snippet(source)) }
                }
                div {
                    @if !suggestions.is_empty() {
                        h4 { "How to fix it" }
                        @if let [only] = &*suggestions {
                            p { (Text(only)) }
                        } @else {
                            ol.fix { @for text in &suggestions { li { (Text(text)) } } }
                        }
                    }
                    @if let Some(pattern) = finding.pattern {
                        p.note { "Looks like " strong { (pattern.name()) } ": " (pattern.meaning()) }
                    }
                    (evidence(finding, stacks))
                }
            }
            @let drawn = chart::line(&finding.history);
            @if !drawn.0.is_empty() {
                h4 { (over_time(finding)) }
                div.low { (drawn) }
            }
            (folded(page, finding, group))
        }
    }
}

/// What a finding counts.
const fn unit(finding: &Finding) -> &'static str {
    match &finding.subject {
        Subject::Goroutines(_) => "Goroutines",
        Subject::Memory(_) => "Memory",
        Subject::Resource(_) => "Count",
    }
}

/// What is drawn of it over time.
const fn over_time(finding: &Finding) -> &'static str {
    match &finding.subject {
        Subject::Goroutines(_) => "Goroutines of this group",
        Subject::Memory(_) => "Bytes",
        Subject::Resource(_) => "Count",
    }
}

/// The numbers in a row.
fn figures(finding: &Finding, group: Option<&Group>) -> Markup {
    html! {
        dl.figures {
            div { dt { (unit(finding)) } dd { (phrases::amount_in_brief(finding)) } }
            @if let Some(proven) = finding.goroutines().and_then(|leak| leak.proven_count) {
                div {
                    dt { "Proven" }
                    dd { (format::count(proven)) }
                    @if let Some(by) = finding.goroutines().and_then(phrases::proven_by) {
                        dd.sub { (by) }
                    }
                }
            }
            @if let Some(growth) = &finding.growth {
                div {
                    dt { "Growth" }
                    dd { (phrases::rate(finding).unwrap_or_default()) }
                    dd.sub {
                        (growth.pattern.name()) ", "
                        (phrases::growth_interval(finding).unwrap_or_default())
                    }
                }
                @if let Some(forecast) = growth.forecast {
                    div {
                        dt { "In an hour" }
                        dd { (format::count(forecast.in_1h)) }
                        dd.sub { (format::count(forecast.low)) " to " (format::count(forecast.high)) }
                    }
                }
            }
            @if let Some(oldest) = phrases::oldest(finding, group) {
                div { dt { "Blocked for" } dd { (oldest) } }
            }
            @if let Some(size) = finding.goroutines().and_then(|leak| leak.stack_bytes) {
                div { dt { "Stacks" } dd { (format::bytes(size)) } }
            }
            @if let Some(size) = finding.goroutines().and_then(|leak| leak.kept_bytes) {
                div { dt { "Heap kept" } dd { (format::bytes(size)) } }
            }
            div {
                dt { "Score" }
                dd { (finding.score.total()) span.of { " of 100" } }
            }
        }
    }
}

fn where_they_are(page: &Page<'_>, finding: &Finding, group: Option<&Group>) -> Markup {
    let stacks = &page.assessment.stacks;
    html! {
        dl.facts {
            @for (line, frame) in phrases::lines(Some(finding), group, stacks) {
                dt { (title(line)) }
                dd {
                    (frames::line(stacks, frame))
                    @if let Some(note) = phrases::line_note(line) { div.muted { (note) } }
                }
            }
            @for at in finding.allocated_at() {
                dt { "Allocated at" }
                dd {
                    (Text(&phrases::allocation_line(at)))
                    div.muted { (Text(&phrases::allocation_note(at))) }
                }
            }
            @if let Some(held) = finding.heap_held() {
                dt { "Held by" }
                dd {
                    (Text(&phrases::heap_held_brief(held)))
                    div.muted { (Text(&phrases::heap_held_path(held))) }
                }
            }
            @for (by, count) in finding.resources().flat_map(phrases::descriptors_held).take(HOLDERS) {
                dt { "Held by" }
                dd { (Text(&by)) div.muted { (count) } }
            }
            @for (by, note) in phrases::waits_held(finding, stacks, Room::Full) {
                dt { "Reached by" }
                dd { (Text(&by)) div.muted { (Text(&note)) } }
            }
            @if let Some(creation) = group.and_then(|group| group.creation_stack) {
                (groups::called_by(page, creation))
            }
            @if let Some(objects) = group.and_then(format::objects) {
                dt { "Waits on" } dd { (objects) }
            }
            (kinds(page, finding))
            (piled_up(finding))
            @if let Some(leak) = finding.goroutines() { (lock_wait(&leak.lock_wait, stacks)) }
        }
    }
}

const fn title(line: Line) -> &'static str {
    match line {
        Line::Caused(_) => "Caused at",
        Line::Blocked => "Blocked at",
        Line::Created => "Created by",
        Line::Opened { .. } => "Opened at",
    }
}

/// What piles up with the goroutines.
fn piled_up(finding: &Finding) -> Markup {
    let piled_up = finding.goroutines().map_or(&[][..], |leak| &leak.piled_up);
    html! {
        @if !piled_up.is_empty() {
            h4 { "With them pile up" }
            ul { @for it in piled_up { li { (Text(&phrases::piled_up(it))) } } }
        }
    }
}

/// The kinds of goroutines that one cause piles up.
fn kinds(page: &Page<'_>, finding: &Finding) -> Markup {
    let parts = finding.goroutines().map_or(&[][..], |leak| &leak.parts);
    let hidden = parts.len().saturating_sub(KINDS) as u64;
    html! {
        @if !parts.is_empty() {
            dt { "Kinds" }
            dd {
                ol.stack {
                    @for part in parts.iter().take(KINDS) {
                        li {
                            (format::count(part.count)) " × "
                            @if let Some(entry) = part.entry {
                                (frames::brief(&page.assessment.stacks, entry)) " "
                            }
                            @if let Some(group) = page.assessment.groups.get(part.group) {
                                span.muted { (group.wait.name()) }
                            }
                        }
                    }
                    @if hidden > 0 { li.muted { "and " (format::counted(hidden, "more kind", "more kinds")) } }
                }
            }
        }
    }
}

fn lock_wait(lock_wait: &LockWait, stacks: &StackTable) -> Markup {
    let cycle = &lock_wait.cycle;
    html! {
        @if let Some(holder) = &lock_wait.likely_holder {
            dt { "Held by" } dd { (Text(&phrases::holder(holder, stacks, Room::Full))) }
        }
        @if let Some(holders) = &lock_wait.holders {
            dt { "Held by" } dd { (Text(&phrases::holders(holders, stacks, Room::Full))) }
        }
        @if !cycle.is_empty() {
            dt { "Deadlock cycle" }
            dd {
                ol.cycle {
                    @for (index, waiter) in cycle.iter().take(50).enumerate() {
                        li {
                            "goroutine " (waiter.goid) " waits "
                            @if let Some(at) = waiter.at.and_then(|at| phrases::place(stacks, at)) {
                                "at " code { (Text(&at)) } " "
                            }
                            "for " code { (format!("{:#x}", waiter.object)) }
                            ", held by goroutine " (cycle[(index + 1) % cycle.len()].goid)
                        }
                    }
                }
            }
        }
    }
}

fn evidence(finding: &Finding, stacks: &StackTable) -> Markup {
    html! {
        @if !finding.evidence.is_empty() {
            h4 { "Evidence" }
            dl.evidence {
                @for evidence in finding.evidence.iter().take(50) {
                    dt { (evidence.detector().name()) }
                    dd { (Text(&phrases::statement(evidence, stacks))) }
                }
            }
        }
    }
}

/// What only some readers want: the score's parts, the whole stack, births and deaths.
fn folded(page: &Page<'_>, finding: &Finding, group: Option<&Group>) -> Markup {
    let stacks = &page.assessment.stacks;
    let leak = finding.goroutines();
    let others = finding.groups().iter().filter(|&&it| leak.is_some_and(|leak| it != leak.group));
    let others = others.filter_map(|&other| page.assessment.groups.get(other));
    html! {
        details {
            summary { "Score, turnover, goroutines" }
            table.score {
                caption.unseen { "The parts of the score" }
                thead {
                    tr {
                        th scope="col" { "Part of the score" }
                        th.figure scope="col" { "Points" }
                        th.figure scope="col" { "At most" }
                    }
                }
                tbody {
                    @for (name, points, most) in phrases::score_parts(finding.score) {
                        tr { th scope="row" { (name) } td.figure { (points) } td.figure.muted { (most) } }
                    }
                }
            }
            dl.facts {
                @if let Some(turnover) = leak.and_then(|leak| leak.turnover.as_ref()) {
                    dt { "Turnover" } dd { (phrases::turnover(turnover)) }
                }
                @if let Some(growth) = &finding.growth {
                    dt { "Fit" }
                    dd { (growth.pattern.name()) ", R² " (format!("{:.3}", growth.r2)) }
                }
                @if let Some(group) = group {
                    @if let Some(goids) = format::goids(&group.goids_sample, group.count) {
                        dt { "Goroutines" } dd { (goids) }
                    }
                    dt { "Signature" } dd { code { (Text(&group.signature)) } }
                    @for other in others.take(20) {
                        dt { "Also" } dd { code { (Text(&other.signature)) } }
                    }
                }
            }
        }
        @if let Some(stack) = group.and_then(|group| group.stack) {
            details { summary { "Stack" } (frames::stack(stacks, stack)) }
        }
    }
}
