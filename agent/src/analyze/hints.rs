//! What the source of a blocked line says, where it could be read.

use crate::model::{Pattern, Snippet};

/// What the source says of a case. Nothing where there was none.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// The mistake that it looks like.
    pub(super) pattern: Option<Pattern>,
    /// What the blocked statement waits for, if for none but that.
    pub(super) awaits: Awaits,
    /// Whether the statement stands in a loop that takes work again and again.
    pub(super) is_worker_loop: Option<bool>,
    /// Plain sentences with lines.
    pub(super) notes: Vec<String>,
    /// The mend, with the names and lines of the code.
    pub(super) mend: Option<String>,
    /// The lines themselves.
    pub(super) snippet: Option<Snippet>,
}

/// What a receive or select waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Something else, or nobody knows.
    #[default]
    Other,
    /// A context's `Done` alone.
    Context,
    /// A timer or ticker alone.
    Timer,
}
