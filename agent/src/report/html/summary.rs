//! The page's beginning, which says it all in a few lines, and its end, which says how well founded
//! that is.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::Page;
use super::text::Text;
use crate::model::{Assessment, Judgement, ProbeState, Rate};
use crate::report::{format, phrases, view};

/// Groups that are named of those that make the number of goroutines rise.
const RISING: usize = 8;

pub(super) fn top(page: &Page<'_>) -> Markup {
    let assessment = page.assessment;
    html! {
        h1 { (Text(&assessment.target.name())) }
        p.target {
            @if assessment.target.exe.is_some() { span { (Text(&assessment.target.id.to_string())) } " " }
            span { (Text(assessment.target.go_version.as_deref().unwrap_or("Go version unknown"))) } " "
            @if let Some(build) = assessment.target.build { span { (phrases::build(build)) } " " }
            span { (phrases::window_and_end(&assessment.window)) }
        }
        @if let Some(held) = &assessment.held { p.note { strong { "Process: " (phrases::held(held)) "." } } }
        (result(assessment))
        (figures(assessment))
    }
}

/// What was found, in the colour of the surest.
pub(super) fn verdict(assessment: &Assessment, judgement: &Judgement) -> Markup {
    let surest = judgement.findings.iter().map(|finding| finding.verdict).max();
    let nothing = if phrases::is_well(assessment, judgement) { "well" } else { "suspect" };
    html! {
        span.result.(surest.map_or(nothing, |verdict| verdict.name())) {
            (phrases::result(assessment, judgement))
        }
    }
}

fn result(assessment: &Assessment) -> Markup {
    if assessment.coverage.is_without_goroutines() {
        return html! { p.result { "No goroutines were given: whether any leak was not judged." } };
    }
    let Some(judgement) = &assessment.judgement else {
        return match assessment.subjects().goroutines {
            true => html! { p.result { "Goroutines as they were seen; they were not judged." } },
            false => {
                html! { p.result { "What was to be looked at is not known: it was not judged." } }
            }
        };
    };
    let not_analysed = phrases::not_analysed(assessment, judgement);
    html! {
        p.result { (verdict(assessment, judgement)) }
        @if let Some(rise) = phrases::rise(assessment, judgement, RISING) {
            p.note { "The number of goroutines rises: " (Text(&rise)) "." }
        }
        @for (text, _) in phrases::collections(assessment) {
            p.note { "Forced collections: " (Text(&text)) "." }
        }
        @if let Some(ignored) = phrases::by_reason(&phrases::ignored_by_reason(judgement)) {
            p.note { "Ignored as idle: " (Text(&ignored)) "." }
        }
        @if let Some(rest) = phrases::by_reason(&phrases::not_analysed_by_reason(judgement)) {
            p.note { "Not analysed: " (Text(&rest)) "." }
        }
        p.note { "Scope: " (phrases::scope(assessment)) "." }
        @if !not_analysed.is_empty() {
            div.note {
                "What this report cannot say:"
                ul { @for sentence in not_analysed.iter().take(50) { li { (Text(sentence)) } } }
            }
        }
    }
}

fn figures(assessment: &Assessment) -> Markup {
    let judgement = assessment.judgement.as_ref();
    let sums = judgement.and_then(|judgement| phrases::accounting(assessment, judgement));
    html! {
        dl.figures.top {
            @if let Some(judgement) = judgement {
                div {
                    dt { "Health" }
                    @match assessment.health() {
                        Some(health) => dd { (health) span.of { " of 100" (phrases::of_what(assessment.known())) } },
                        None => dd { "not judged" },
                    }
                    @if let Some(rise) = &judgement.rise {
                        dd.sub { "rising " (format::growth(rise.per_second)) }
                    }
                }
            }
            div {
                dt { "Goroutines" }
                @match assessment.goroutines() {
                    Some(count) => dd { (format::count(count)) },
                    None => dd { "not looked at" },
                }
            }
            @if let Some(sums) = sums {
                div { dt { "In findings" } dd { (format::count(sums.found)) } }
                div { dt { "Ignored as idle" } dd { (format::count(sums.idle)) } }
                div { dt { "Not analysed" } dd { (format::count(sums.not_analysed)) } }
            }
            @if let Some(rates) = assessment.totals.rates {
                div { dt { "Created" } dd { (rate(rates.created())) } }
                div { dt { "Exited" } dd { (rate(rates.exited())) } }
            }
            @if assessment.subjects().goroutines {
                div { dt { "Groups" } dd { (format::count(assessment.groups.len() as u64)) } }
            }
        }
    }
}

fn rate(rate: Rate) -> Markup {
    html! {
        (format::rate(rate))
        @if let Some(interval) = format::interval(rate) { span.of { " " (interval) } }
    }
}

/// What was seen and, always, what was not; and what that cost.
pub(super) fn coverage(page: &Page<'_>) -> Markup {
    html! {
        div.two {
            @if page.assessment.subjects().goroutines { div { (waits(page.assessment)) } }
            div { (seen(page.assessment)) (cost(page.assessment)) }
        }
    }
}

fn waits(assessment: &Assessment) -> Markup {
    let mut waits: Vec<_> = assessment.totals.by_wait.iter().collect();
    waits.sort_by_key(|&(_, &count)| Reverse(count));
    let total = assessment.totals.goroutines.max(1) as f64;
    html! {
        table.waits {
            caption { "What goroutines wait for" }
            thead {
                tr {
                    th scope="col" { "Wait" }
                    th.figure scope="col" { "Goroutines" }
                    th.figure scope="col" { "Share" }
                }
            }
            tbody {
                @for (wait, &count) in waits {
                    tr {
                        th scope="row" { (wait.name()) }
                        td.figure { (format::count(count)) }
                        td.figure { (format!("{:.1} %", count as f64 / total * 100.0)) }
                    }
                }
            }
        }
    }
}

fn seen(assessment: &Assessment) -> Markup {
    let coverage = &assessment.coverage;
    html! {
        table {
            caption { "What was seen" }
            tbody {
                tr {
                    th scope="row" { "Goroutines read" }
                    td.figure {
                        @if assessment.subjects().goroutines {
                            (format::count(coverage.goroutines_read)) " of "
                            (format::count(coverage.goroutines_seen))
                        } @else { "not looked at" }
                    }
                }
                @for gap in view::gaps(coverage) {
                    tr {
                        th.gap scope="row" { (phrases::gap(gap.kind)) }
                        td.figure { (format::count(gap.count)) }
                    }
                }
                @if let Some(proof) = &coverage.proof {
                    tr {
                        th scope="row" { "Proven to leak" }
                        td.figure { (format::count(proof.proven)) }
                    }
                    tr { td.reason colspan="2" { (Text(&phrases::proof(proof).1)) } }
                }
                @for probe in &coverage.probes {
                    tr {
                        th scope="row" { "Probe " (probe.event.name()) }
                        td.figure {
                            @let state = phrases::probe_state(probe.state);
                            @if probe.state == ProbeState::Attached { (state) } @else { span.doubt { (state) } }
                        }
                    }
                    @if let Some(reason) = &probe.reason {
                        tr { td.reason colspan="2" { (Text(&phrases::probe_reason(reason))) } }
                    }
                }
            }
        }
        @let notes = phrases::notes(assessment);
        @if !notes.is_empty() {
            ul.notes { @for note in notes.iter().take(100) { li { (Text(note)) } } }
        }
    }
}

fn cost(assessment: &Assessment) -> Markup {
    let overhead = &assessment.overhead;
    let percent = |percent: f64| format!("{percent:.2} % of a core");
    let rows = [
        ("The target's CPU", overhead.target_cpu_percent_estimate.map(percent)),
        ("The agent's CPU", overhead.agent_cpu_percent.map(percent)),
        ("The agent's memory", overhead.agent_rss_bytes.map(format::bytes)),
        ("The last sample took", overhead.snapshot.map(format::duration)),
        ("Pauses of the target", Some(phrases::pauses(assessment).1)),
    ];
    html! {
        table {
            caption { "What it cost" }
            tbody {
                @for (what, value) in rows {
                    @if let Some(value) = value { tr { th scope="row" { (what) } td.figure { (value) } } }
                }
            }
        }
    }
}
