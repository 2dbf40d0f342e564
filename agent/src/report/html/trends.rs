//! How quantities go: since when, where that leads, and what goes together.

use maud::{Markup, html};

use super::Page;
use crate::report::phrases;

pub(super) fn list(page: &Page<'_>) -> Markup {
    let Some(judgement) = &page.assessment.judgement else { return Markup::default() };
    let trends = phrases::trends(&judgement.trends, &page.assessment.window, true);
    let unusual = phrases::unusual(judgement);
    let relations = phrases::relations(&judgement.relations);
    html! {
        @if !trends.is_empty() { ul { @for trend in &trends { li { (trend) "." } } } }
        @if !unusual.is_empty() { p.note { strong { "More than usual: " (unusual.join("; ")) "." } } }
        @if !relations.is_empty() { p.note { "Together: " (relations.join("; ")) "." } }
    }
}
