//! What no sample sees: goroutines that came and went in between, by the place that created them.

use maud::{Markup, html};

use super::{Page, frames};
use crate::model::Site;
use crate::report::format;

/// Creation sites that are listed.
const SITES: usize = 50;

pub(super) fn table(page: &Page<'_>) -> Markup {
    let sites = page.assessment.sites.iter().filter(|site| site.exited > 0);
    let gone: Vec<&Site> = sites.collect();
    html! {
        @if !gone.is_empty() {
            table.sites {
                caption.unseen { "Creation sites whose goroutines ended between two samples" }
                thead {
                    tr {
                        th.figure scope="col" { "Created" }
                        th.figure scope="col" { "Ended" }
                        th.figure scope="col" { "Half within" }
                        th scope="col" { "Created by" }
                    }
                }
                tbody { @for site in gone.iter().take(SITES) { (row(page, site)) } }
            }
            @if gone.len() > SITES {
                p.note { "… and " (format::counted((gone.len() - SITES) as u64, "more site", "more sites")) "." }
            }
        }
    }
}

fn row(page: &Page<'_>, site: &Site) -> Markup {
    let unknown = || "–".to_owned();
    html! {
        tr {
            td.figure { (site.rate().map_or_else(unknown, format::rate)) }
            td.figure { (format::count(site.exited)) }
            td.figure { (site.median_lifetime().map_or_else(unknown, format::duration)) }
            td {
                @match site.created_by {
                    Some(frame) => (frames::brief(&page.assessment.stacks, frame)),
                    None => span.muted { "not known" },
                }
            }
        }
    }
}
