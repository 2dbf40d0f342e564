//! What the code at its lines says of a case, where it could be read.

use super::code::{Awaits, Confidence, Facts, Found};
use crate::model::{Pattern, Snippet, SourceNote, Verdict};

/// What the code says of a case; nothing where no file was at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// The mistake that it looks like.
    pub(super) mistake: Option<Found>,
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
    /// What is worth saying of the line, apart from the mistake.
    pub(super) remarks: Vec<SourceNote>,
    /// The lines themselves.
    pub(super) snippet: Option<Snippet>,
}

impl Hints {
    /// The known kind of the mistake.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        self.mistake.as_ref().map(|found| found.pattern)
    }

    /// Whether the mistake is at least as sure as this.
    pub(super) fn is_as_sure_as(&self, confidence: Confidence) -> bool {
        self.mistake.as_ref().is_some_and(|found| found.confidence >= confidence)
    }

    /// The mistake, as far as it fits a verdict: what idle workers look like too is a mistake only
    /// where goroutines do leak.
    pub(super) fn pattern_at(&self, verdict: Verdict) -> Option<Pattern> {
        let sure = self.is_as_sure_as(Confidence::Medium) || verdict > Verdict::Suspect;
        self.pattern().filter(|_| sure)
    }

    /// All that is said of the line.
    pub(super) fn notes(&self) -> impl Iterator<Item = SourceNote> + '_ {
        let mistake = self.mistake.iter().map(|found| SourceNote::Mistake(found.mistake.clone()));
        self.remarks.iter().cloned().chain(mistake)
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
            self.remarks = facts.remarks;
            self.mistake = facts.mistake;
        }
    }
}
