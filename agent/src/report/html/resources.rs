//! Descriptors, threads, mappings and children: how many, what they lead to, their limits.

use maud::{Markup, html};

use super::Page;
use super::text::Text;
use crate::report::phrases;

/// Names that are listed.
const NAMES: usize = 30;

pub(super) fn account(page: &Page<'_>) -> Markup {
    let Some(account) = &page.assessment.resources else { return html! {} };
    let names = phrases::resource_names(account, NAMES);
    let kinds = phrases::resource_kinds(account);
    html! {
        p { (phrases::resources(account).join(", ")) "." }
        @for limit in &account.limits { p.note { "Limit: " (phrases::resource_limit(limit)) "." } }
        @if !kinds.is_empty() { p.note { (kinds.join(", ")) "." } }
        @if !names.is_empty() {
            ol.stack { @for name in &names { li { (Text(name)) } } }
        }
    }
}
