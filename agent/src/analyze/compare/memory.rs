//! Memory at two moments.

use crate::model::{Memory, MemoryAccount, MemoryKind};

/// What there was at a moment, in bytes; `None` where it is not known of all that are taken as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryAt {
    /// What the last collection found reachable.
    pub live_bytes: Option<u64>,
    /// All objects; of a heap profile, those in use.
    pub objects_bytes: Option<u64>,
    /// Goroutines' stacks.
    pub stacks_bytes: Option<u64>,
    /// Anonymous memory that the Go runtime does not know of.
    pub outside_bytes: Option<u64>,
    /// The resident memory.
    pub rss_bytes: Option<u64>,
}

impl MemoryAt {
    /// The last figures of a window.
    #[must_use]
    pub fn of(account: &MemoryAccount) -> Self {
        let Memory { heap, process, profile, .. } = &account.now;
        let heap = heap.as_ref();
        let in_use = profile.map(|profile| profile.in_use_bytes);
        Self {
            live_bytes: account.now.live_bytes(),
            objects_bytes: heap.map(|heap| heap.objects_bytes).or(in_use),
            stacks_bytes: heap.map(|heap| heap.stacks_bytes),
            outside_bytes: account.parts.map(|parts| parts.outside_bytes),
            rss_bytes: process.map(|process| process.rss_bytes),
        }
    }

    /// Both as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        Self {
            live_bytes: sum(self.live_bytes, other.live_bytes),
            objects_bytes: sum(self.objects_bytes, other.objects_bytes),
            stacks_bytes: sum(self.stacks_bytes, other.stacks_bytes),
            outside_bytes: sum(self.outside_bytes, other.outside_bytes),
            rss_bytes: sum(self.rss_bytes, other.rss_bytes),
        }
    }

    /// How much there was of a kind.
    const fn kind(&self, kind: MemoryKind) -> Option<u64> {
        match kind {
            MemoryKind::Heap => self.live_bytes,
            MemoryKind::OffHeap => self.outside_bytes,
        }
    }

    /// Whether there is more of a kind than before, as far as that is known of both.
    #[must_use]
    pub fn is_less_than(&self, after: &Self, kind: MemoryKind) -> bool {
        match (self.kind(kind), after.kind(kind)) {
            (Some(before), Some(after)) => before < after,
            _ => true,
        }
    }
}
