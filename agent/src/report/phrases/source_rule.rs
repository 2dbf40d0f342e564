//! What the rules that read source state.

use crate::model::{SourceFix, SourceNote};

/// What a rule states of a blocked line.
#[must_use]
pub fn note(note: &SourceNote) -> String {
    match note {
        SourceNote::Text(text) => text.clone(),
    }
}

/// What to change.
#[must_use]
pub fn fix(fix: &SourceFix) -> String {
    match fix {
        SourceFix::Text(text) => text.clone(),
    }
}
