//! Contention by line, as the program's own block and mutex profiles count it.

use maud::{Markup, html};

use super::{Page, frames};
use crate::model::ContendedLine;
use crate::report::format;

pub(super) fn tables(page: &Page<'_>) -> Markup {
    let lines = &page.assessment.contention;
    html! {
        (table(page, "Lines that waited for others, by the block profile", &lines.waits))
        (table(page, "Lines that others waited for, by the mutex profile", &lines.releases))
    }
}

fn table(page: &Page<'_>, caption: &str, lines: &[ContendedLine]) -> Markup {
    html! {
        @if !lines.is_empty() {
            table.sites {
                caption { (caption) }
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
                            td.figure { (format::duration(line.delay)) }
                            td.figure { (format::count(line.waiting)) }
                            td { (frames::brief(&page.assessment.stacks, line.at)) }
                        }
                    }
                }
            }
        }
    }
}
