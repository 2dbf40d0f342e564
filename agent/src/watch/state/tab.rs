//! The tabs.

/// One of the pages of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What leaks.
    #[default]
    Findings,
    /// All goroutines, by group.
    Groups,
    /// Who waits for whose lock.
    Locks,
    /// Who created whom.
    Lineage,
    /// What the memory is, how it goes, and what else the process holds.
    Memory,
    /// What sees events, what was missed, and what all of it costs.
    Probes,
}

impl Tab {
    /// All, from left to right.
    pub const ALL: [Self; 6] =
        [Self::Findings, Self::Groups, Self::Locks, Self::Lineage, Self::Memory, Self::Probes];

    /// Its title.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Groups => "Groups",
            Self::Locks => "Locks",
            Self::Lineage => "Lineage",
            Self::Memory => "Memory",
            Self::Probes => "Probes",
        }
    }

    /// Whether it is a page that scrolls, not rows.
    #[must_use]
    pub const fn is_page(self) -> bool {
        matches!(self, Self::Memory | Self::Probes)
    }

    /// The tab this many places to the right, in a ring.
    pub(super) fn turn(self, by: isize) -> Self {
        let at = (self as isize + by).rem_euclid(Self::ALL.len() as isize);
        usize::try_from(at).map_or(self, |at| Self::ALL[at])
    }
}
