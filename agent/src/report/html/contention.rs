//! Contention by line, as the program's own block and mutex profiles count it.

use maud::{Markup, html};

use super::{Page, frames};
use crate::model::LinesOf;
use crate::report::{format, phrases};

pub(super) fn tables(page: &Page<'_>) -> Markup {
    let lines = &page.assessment.contention;
    html! {
        @if let Some(waits) = &lines.waits {
            (table(page, "Lines that waited for others, by the block profile", waits))
        }
        @if let Some(releases) = &lines.releases {
            (table(page, "Lines that others waited for, by the mutex profile", releases))
        }
    }
}

fn table(page: &Page<'_>, caption: &str, of: &LinesOf) -> Markup {
    let lines = &of.lines;
    html! {
        @if !lines.is_empty() {
            table.sites {
                caption { (caption) ", " (phrases::contended_over(of)) }
                thead {
                    tr {
                        th.figure scope="col" { "Waits" }
                        th.figure scope="col" { "In all" }
                        th.figure scope="col" { "Waiting now" }
                        th scope="col" { "Line" }
                    }
                }
                tbody {
                    @for line in lines {
                        tr {
                            td.figure { (format::count(line.count)) }
                            td.figure {
                                (format::duration(line.delay))
                                @if let Some(within) = phrases::within(line, of) {
                                    " " span.of { (within) }
                                }
                            }
                            td.figure { (format::count(line.waiting)) }
                            td { (frames::brief(&page.assessment.stacks, line.at)) }
                        }
                    }
                }
            }
        }
    }
}
