//! What every form of the report says of how much was seen, collected once; `phrases` has the words.

use crate::model::Coverage;

/// Something that was not seen whole, or not at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What.
    pub kind: GapKind,
    /// How many of them; never 0.
    pub count: u64,
}

/// What can be seen less than whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// Goroutines that were running.
    Running,
    /// Goroutines that kept changing while they were read.
    Torn,
    /// Goroutines whose stack could not be unwound.
    NotUnwound,
    /// Frames that no symbol table could name.
    Unnamed,
    /// Events of probes.
    Dropped,
    /// Goroutines that had not run since the sample before, so that their stacks were kept.
    Unmoved,
    /// Reads that were repeated.
    Retried,
}

impl GapKind {
    /// Whether something is missing that a reader must know of.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Torn | Self::NotUnwound | Self::Unnamed | Self::Dropped)
    }

    /// Whether nothing is missing for it: how it was read, no more.
    #[must_use]
    pub const fn is_detail(self) -> bool {
        matches!(self, Self::Unmoved | Self::Retried)
    }
}

/// The gaps that there are, what is only a detail last.
#[must_use]
pub fn gaps(coverage: &Coverage) -> Vec<Gap> {
    let all = [
        (GapKind::Running, coverage.running),
        (GapKind::Torn, coverage.torn),
        (GapKind::NotUnwound, coverage.not_unwound),
        (GapKind::Unnamed, coverage.unresolved_frames),
        (GapKind::Dropped, coverage.events_dropped),
        (GapKind::Unmoved, coverage.unmoved),
        (GapKind::Retried, coverage.retried),
    ];
    let gaps = all.into_iter().map(|(kind, count)| Gap { kind, count });
    gaps.filter(|gap| gap.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_no_gap() {
        let coverage = Coverage { torn: 3, retried: 7, goroutines_seen: 9, ..Coverage::default() };
        let gap = |kind, count| Gap { kind, count };
        assert_eq!(gaps(&coverage), [gap(GapKind::Torn, 3), gap(GapKind::Retried, 7)]);
        assert_eq!(gaps(&Coverage::default()), []);
    }
}
