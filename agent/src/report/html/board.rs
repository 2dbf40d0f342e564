//! The pages of the dashboard: all processes, and one process, each whole or only what changes in it; and two moments of a
//! process (`compare`).

mod compare;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::Text;
use super::{Page, head, summary, target};
use crate::model::{Assessment, WaitClass};
use crate::report::format;
pub use compare::{Compared, compare, in_address};

/// The script that a page of the dashboard runs, beside that of reports.
pub const BOARD_SCRIPT: &str = include_str!("board.js");
/// The script of reports.
pub const REPORT_SCRIPT: &str = super::SCRIPT;
const BOARD_STYLE: &str = include_str!("board.css");

/// What a page may do: use its own style and the two scripts, and ask the server that it came from, by its form too. For the header
/// `Content-Security-Policy`.
pub const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'";

/// Goroutines by what they wait for, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Since the first sample, in seconds.
    pub seconds: f64,
    /// Goroutines by wait class.
    pub by_wait: BTreeMap<WaitClass, u64>,
}

/// A process, or another target, as the dashboard shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What it is called in addresses: letters, digits, points and hyphens alone.
    pub name: &'a str,
    /// What is known of it.
    pub assessment: &'a Assessment,
    /// Its goroutines over time, oldest first.
    pub moments: &'a [Moment],
    /// Whether it has ended.
    pub has_ended: bool,
}

/// The page of all of them.
#[must_use]
pub fn list(all: &[Shown<'_>]) -> String {
    shell("All processes", &html! {}, &list_body(all), Shell::Live).into_string()
}

/// What changes in that page.
#[must_use]
pub fn list_part(all: &[Shown<'_>]) -> String {
    list_body(all).into_string()
}

/// The page of one.
#[must_use]
pub fn process(shown: Shown<'_>) -> String {
    let name = format::cut(&shown.assessment.target.name(), 60);
    let files = html! {
        nav.files aria-label="Download" {
            a href={ "/process/" (shown.name) "/report.json" } download { "JSON" } " "
            a href={ "/process/" (shown.name) "/report.html" } download { "HTML" } " "
            a href={ "/process/" (shown.name) "/goroutines.pb.gz" } download { "pprof" }
        }
        a href={ "/process/" (shown.name) "/compare" } { "Compare two moments" }
    };
    shell(&name, &files, &process_body(shown), Shell::Live).into_string()
}

/// What changes in that page.
#[must_use]
pub fn process_part(shown: Shown<'_>) -> String {
    process_body(shown).into_string()
}

/// Whether what is in a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Live,
    Still,
}

fn shell(name: &str, files: &Markup, body: &Markup, shell: Shell) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (head(name))
                style { (PreEscaped(BOARD_STYLE)) }
            }
            body {
                header.board {
                    span.maker { "leak-agent " (env!("CARGO_PKG_VERSION")) }
                    a href="/" { "All processes" }
                    (files)
                    @if shell == Shell::Live {
                        input #filter type="search" placeholder="Filter (press /)" aria-label="Filter rows and findings"
                            autocomplete="off" spellcheck="false";
                        button #pause type="button" aria-pressed="false" { "Pause" }
                        span.live role="status" { "loading" }
                    }
                }
                main { (body) }
                @if shell == Shell::Live {
                    script src="/static/report.js" {}
                    script src="/static/board.js" {}
                }
            }
        }
    }
}

fn list_body(all: &[Shown<'_>]) -> Markup {
    html! {
        h1 { (format::counted(all.len() as u64, "process", "processes")) }
        @if all.is_empty() {
            p { "No process is watched yet." }
        } @else {
            table.index {
                caption.unseen { "All processes that are watched, those with findings first" }
                thead {
                    tr {
                        th scope="col" { "Process" }
                        th.figure scope="col" { "Pid" }
                        th.figure scope="col" { "Goroutines" }
                        th scope="col" { "Over time" }
                        th.figure scope="col" { "Health" }
                        th scope="col" { "Result" }
                    }
                }
                tbody { @for shown in all { (row(*shown)) } }
            }
        }
    }
}

fn row(shown: Shown<'_>) -> Markup {
    let Shown { name, assessment, moments, has_ended } = shown;
    let or_dash = |figure: Option<String>| figure.unwrap_or_else(|| "–".to_owned());
    html! {
        tr {
            td {
                a href={ "/process/" (name) } { (Text(&format::cut(&assessment.target.name(), 60))) }
                @if has_ended { " " span.muted { "(ended)" } }
            }
            td.figure { (or_dash(assessment.target.pid().map(|pid| pid.to_string()))) }
            td.figure { (or_dash(assessment.goroutines().map(format::count))) }
            td { (spark(moments)) }
            td.figure { (or_dash(assessment.health().map(|health| health.to_string()))) }
            td {
                @match &assessment.judgement {
                    Some(judgement) => (summary::verdict(assessment, judgement)),
                    None => span.muted { "not judged" },
                }
            }
        }
    }
}

fn process_body(shown: Shown<'_>) -> Markup {
    html! {
        @if shown.has_ended {
            p.note { strong { "It has ended." } " This is what was seen last." }
        }
        (target(&Page { assessment: shown.assessment, index: 0 }))
        (waits(shown.moments))
    }
}

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// A small line of the goroutines.
fn spark(moments: &[Moment]) -> Markup {
    let totals: Vec<u64> = moments.iter().map(|it| it.by_wait.values().sum()).collect();
    let Some(&most) = totals.iter().max().filter(|_| totals.len() > 1) else { return html! {} };
    let step = WIDTH / (totals.len() - 1) as f64;
    let place = |(at, total): (usize, &u64)| {
        format!(
            "{:.1} {:.1}",
            at as f64 * step,
            HEIGHT - *total as f64 / most.max(1) as f64 * HEIGHT
        )
    };
    let path = totals.iter().enumerate().map(place).collect::<Vec<_>>().join("L");
    html! {
        svg.spark viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" {
            path d={ "M" (path) } {}
        }
    }
}

/// Wait classes with a colour of their own; the rest are one.
const COLOURS: usize = 6;

/// Goroutines over time, by what they wait for, on top of each other.
fn waits(moments: &[Moment]) -> Markup {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return html! {} };
    let span = last.seconds - first.seconds;
    if span <= 0.0 {
        return html! {};
    }
    let mut sums: BTreeMap<WaitClass, u64> = BTreeMap::new();
    for (class, count) in moments.iter().flat_map(|moment| &moment.by_wait) {
        *sums.entry(*class).or_default() += count;
    }
    let mut classes: Vec<(WaitClass, u64)> = sums.into_iter().collect();
    classes.sort_by_key(|&(class, sum)| (std::cmp::Reverse(sum), class));
    let named: Vec<WaitClass> = classes.iter().take(COLOURS).map(|(class, _)| *class).collect();
    let has_others = classes.len() > COLOURS;
    let most = moments.iter().map(|it| it.by_wait.values().sum::<u64>()).max().unwrap_or(1).max(1);
    let of = |moment: &Moment, layer: usize| match named.get(layer) {
        Some(class) => moment.by_wait.get(class).copied().unwrap_or(0),
        None => {
            moment.by_wait.iter().filter(|(class, _)| !named.contains(class)).map(|it| it.1).sum()
        }
    };
    let layers = named.len() + usize::from(has_others);
    let edge = |up_to: usize| -> Vec<String> {
        let point = |moment: &Moment| {
            let below: u64 = (0..up_to).map(|layer| of(moment, layer)).sum();
            let x = (moment.seconds - first.seconds) / span * WIDTH;
            format!("{x:.1} {:.1}", HEIGHT - below as f64 / most as f64 * HEIGHT)
        };
        moments.iter().map(point).collect()
    };
    html! {
        section #waits-over-time aria-labelledby="waits-over-time-title" {
            h2 #waits-over-time-title { "Goroutines by what they wait for, over time" }
            div.waits-over-time {
                svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img"
                    aria-label={ "Up to " (format::count(most)) " goroutines" } {
                    @for layer in 0..layers {
                        @let (lower, mut upper) = (edge(layer), edge(layer + 1));
                        path class={ "w" (layer) } d={ "M" (lower.join("L")) "L" ({ upper.reverse(); upper.join("L") }) "Z" } {}
                    }
                }
                ul.legend {
                    @for (layer, class) in named.iter().enumerate() {
                        li { span.swatch class={ "w" (layer) } {} (class.name()) " " (format::count(of(last, layer))) }
                    }
                    @if has_others {
                        li { span.swatch class={ "w" (COLOURS) } {} "others " (format::count(of(last, COLOURS))) }
                    }
                }
            }
        }
    }
}
