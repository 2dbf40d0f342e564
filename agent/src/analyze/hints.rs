//! What the code at its lines says of a case, where it could be read.

use super::code::{Awaits, Confidence, Facts};
use crate::model::{Pattern, Snippet, SourceFix, SourceNote, Verdict};

/// What the code says of a case; nothing where no file was at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// The mistake that it looks like.
    pub(super) pattern: Option<Pattern>,
    /// How sure the pattern is.
    pub(super) confidence: Option<Confidence>,
    /// Whether the blocked statement was found in the source.
    pub(super) is_found: bool,
    /// What the blocked statement waits for, if for none but that.
    pub(super) awaits: Awaits,
    /// Whether the statement stands in an endless loop, as a worker's does.
    pub(super) is_worker_loop: Option<bool>,
    /// Whether a timer wakes it.
    pub(super) wakes: bool,
    /// Whether it waits for signals of the operating system.
    pub(super) awaits_signal: bool,
    /// What the source shows, with lines.
    pub(super) notes: Vec<SourceNote>,
    /// The fix, with the names and lines of the code.
    pub(super) fix: Option<SourceFix>,
    /// The lines themselves.
    pub(super) snippet: Option<Snippet>,
}

impl Hints {
    /// The mistake, as far as it fits a verdict: what idle workers look like too is a mistake only
    /// where goroutines do leak.
    pub(super) fn pattern_at(&self, verdict: Verdict) -> Option<Pattern> {
        let sure = self.confidence > Some(Confidence::Low) || verdict > Verdict::Suspect;
        self.pattern.filter(|_| sure)
    }

    /// Takes over what the code says. Of a library's code it says how it waits; what looks like a
    /// mistake in there is none of the user's.
    pub(super) fn take(&mut self, facts: Facts, is_users: bool) {
        self.is_found = facts.is_found;
        self.awaits = facts.awaits;
        self.is_worker_loop = facts.is_worker_loop;
        self.wakes = facts.wakes;
        self.awaits_signal = facts.awaits_signal;
        if is_users {
            self.pattern = facts.pattern;
            self.confidence = facts.pattern.map(|_| facts.confidence);
            self.notes = facts.notes.into_iter().map(SourceNote::Text).collect();
            self.fix = facts.fix.map(SourceFix::Text);
        }
    }
}
