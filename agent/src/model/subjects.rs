//! What of a process is looked at.

use serde::{Deserialize, Serialize};

/// What of a process is looked at: all of it, unless less was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subjects {
    /// Its goroutines.
    pub goroutines: bool,
    /// Its memory, and what it holds of the kernel's: descriptors, threads, mappings, children.
    pub memory: bool,
}

impl Subjects {
    /// Everything.
    pub const ALL: Self = Self { goroutines: true, memory: true };
    /// Goroutines alone.
    pub const GOROUTINES: Self = Self { goroutines: true, memory: false };
    /// Memory and resources alone.
    pub const MEMORY: Self = Self { goroutines: false, memory: true };

    /// What both look at.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            goroutines: self.goroutines && other.goroutines,
            memory: self.memory && other.memory,
        }
    }
}

impl Default for Subjects {
    fn default() -> Self {
        Self::ALL
    }
}
