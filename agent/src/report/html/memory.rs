//! Memory: figures, where the resident memory is, what grows.

use maud::{Markup, html};

use super::Page;
use super::text::Text;
use crate::report::{format, phrases};

/// Size classes that are named.
const CLASSES: usize = 12;

pub(super) fn account(page: &Page<'_>) -> Markup {
    let Some(account) = &page.assessment.memory else { return html! {} };
    let growth = phrases::memory_growth(account);
    html! {
        p { (phrases::memory(account).join(", ")) "." }
        @if let Some(held) = &account.held { p.note { "Held by " (Text(&phrases::held_heap(held))) "." } }
        @for text in account.would_free.iter().flat_map(phrases::would_free) {
            p.note { "Garbage: " (text) "." }
        }
        @for sentence in &growth { p.note { strong { (sentence) "." } } }
        @for limit in &account.limits { p.note { "Limit: " (phrases::limit(limit)) "." } }
        @if let Some(parts) = &account.parts {
            p.note { "Resident memory: " (phrases::rss_parts(parts)) "." }
        }
        @if let Some(live) = &account.live {
            p.note { "Live heap, from collection to collection: " (phrases::trend(live)) "." }
        }
        @let collector = phrases::collector(account);
        @if !collector.is_empty() { p.note { "Garbage collector: " (collector.join(", ")) "." } }
        @if let Some(heap) = account.now.heap.as_ref().filter(|it| !it.classes.is_empty()) {
            p.note {
                (format::counted(heap.objects, "object", "objects")) ": "
                (phrases::size_classes(heap, CLASSES).join(", ")) "."
            }
        }
    }
}
