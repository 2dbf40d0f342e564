//! The table of groups: every group as a row, its stack folded into it.

use std::collections::HashMap;

use maud::{Markup, html};

use super::text::Text;
use super::{Page, frames};
use crate::model::{Group, StackId};
use crate::report::{format, phrases};

/// Groups shown with their stacks.
const FULL: usize = 200;
/// Groups shown at all.
const ROWS: usize = 1_000;

pub(super) fn table(page: &Page<'_>) -> Markup {
    let groups = &page.assessment.groups;
    let findings = page.assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.findings);
    let of_group: HashMap<usize, usize> = findings
        .iter()
        .enumerate()
        .flat_map(|(number, finding)| finding.groups().iter().map(move |&group| (group, number)))
        .collect();
    let shown = groups.len().min(ROWS);
    let rest = &groups[shown..];
    html! {
        @if !groups.is_empty() {
            table.groups {
                caption.unseen { "Goroutines with the same stack, wait and creation site, largest group first" }
                thead {
                    tr {
                        th.figure scope="col" { "Goroutines" }
                        th.figure scope="col" { "Change" }
                        th.wait scope="col" { "Waits for" }
                        th.figure.oldest scope="col" { "Longest" }
                        th scope="col" { "Where" }
                    }
                }
                tbody {
                    @for (index, group) in groups.iter().take(ROWS).enumerate() {
                        (row(page, group, of_group.get(&index).copied(), index < FULL))
                    }
                }
            }
        }
        @if groups.len() > FULL {
            p.note { "Stacks are shown of the " (FULL) " largest groups." }
        }
        @if !rest.is_empty() {
            p.note {
                (format::counted(rest.len() as u64, "smaller group", "smaller groups")) " with "
                (format::counted(rest.iter().map(|group| group.count).sum(), "goroutine", "goroutines"))
                " not shown here; the JSON report has them all."
            }
        }
    }
}

fn row(page: &Page<'_>, group: &Group, number: Option<usize>, full: bool) -> Markup {
    let stacks = &page.assessment.stacks;
    let least = if group.exact { "" } else { "≥" };
    let oldest = group.oldest.filter(|oldest| group.exact || !oldest.is_zero());
    html! {
        tr {
            td.figure { (format::count(group.count)) }
            td.figure.grows[group.growth_per_second.is_some_and(format::is_growth)] {
                (group.growth_per_second.map_or_else(|| "–".to_owned(), format::growth))
            }
            td.wait {
                (group.wait.name())
                @if let Some(number) = number {
                    " " a href={ "#" (page.finding_anchor(number)) } { "finding " (number + 1) }
                }
            }
            td.figure.oldest {
                @match oldest {
                    Some(oldest) => { (least) (format::duration(oldest)) },
                    None => "–",
                }
            }
            td {
                @let place = html! {
                    @match group.blocked_at.or(group.created_by) {
                        Some(frame) => (frames::brief(stacks, frame)),
                        None => span.muted { (group.no_stack.map_or("the runtime's own", phrases::no_stack)) },
                    }
                };
                @if full {
                    details { summary { (place) } (details(page, group)) }
                } @else {
                    (place)
                }
            }
        }
    }
}

/// Everything that is known of a group beside its row.
fn details(page: &Page<'_>, group: &Group) -> Markup {
    let stacks = &page.assessment.stacks;
    html! {
        dl.facts {
            @if let Some(frame) = group.created_by {
                dt { "Created by" } dd { (frames::line(stacks, frame)) }
            }
            @if let Some(creation) = group.creation_stack { (called_by(page, creation)) }
            @if let Some(reason) = group.reason.as_deref().filter(|&why| why != group.wait.name()) {
                dt { "Runtime says" } dd { (Text(reason)) }
            }
            @if let Some(median) = group.median.filter(|median| group.exact || !median.is_zero()) {
                dt { "Median wait" } dd { @if !group.exact { "≥" } (format::duration(median)) }
            }
            @if let Some(objects) = format::objects(group) { dt { "Waits on" } dd { (objects) } }
            @if !group.labels.is_empty() {
                dt { "Labels" }
                dd {
                    @for (key, value) in &group.labels {
                        code { (Text(key)) "=" (Text(value)) } " "
                    }
                }
            }
            @if group.locked_to_thread > 0 {
                dt { "Locked to a thread" } dd { (format::count(group.locked_to_thread)) }
            }
            @if let Some(goids) = format::goids(&group.goids_sample, group.count) {
                dt { "Goroutines" } dd { (goids) }
            }
        }
        @if let Some(stack) = group.stack { (frames::stack(stacks, stack)) }
        @if let Some(why) = group.no_stack { p.muted { "No stack: " (phrases::no_stack(why)) } }
    }
}

/// Who called the creator, if anybody is known, the program's own code always among them.
pub(super) fn called_by(page: &Page<'_>, creation: StackId) -> Markup {
    let callers = phrases::callers_in_brief(&page.assessment.stacks, creation);
    html! {
        @if !callers.is_empty() {
            dt { "Called by" }
            dd {
                ol.stack {
                    @for caller in callers.iter().take(12) {
                        @match caller {
                            phrases::Caller::Frame(text) => li {
                                code.function { (Text(&text.function)) } " "
                                span.place { (Text(&text.place)) }
                            },
                            phrases::Caller::Elided { .. } => li.muted { (Text(&caller.brief())) },
                        }
                    }
                    @if callers.len() > 12 { li.muted { "…" } }
                }
            }
        }
    }
}
