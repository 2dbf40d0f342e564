//! Collections of garbage that the agent made a program do, and what they ended.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::retained::Collectable;

/// Fewer goroutines than this have not piled up, whatever there was before: as many come and go.
pub const MIN_PILED_UP: u64 = 10;

/// The same of the heap's bytes.
pub const MIN_PILED_UP_BYTES: u64 = 1 << 20;

/// By how many percent of what there was at first something has to have grown to be judged, unless it is said
/// otherwise.
pub const MIN_PILED_UP_PERCENT: u32 = 10;

/// How far forced collections are at a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ForcedCollection {
    /// None yet: what piles up is waited for.
    Due,
    /// None: there was too little above the floor.
    NothingPiledUp {
        /// By how many percent of the floor something has to have grown.
        threshold_percent: u32,
    },
    /// They were made right after this sample; what they ended is measured by a later one.
    Made,
    /// They were made, and this sample is the measurement behind them.
    Measured(Measured),
    /// The server answered, but the program did not collect.
    Ignored {
        /// How many collections were asked for.
        asked: u64,
        /// How many the program says there were meanwhile.
        seen: u64,
    },
    /// They could not be made, or not be measured.
    Failed {
        /// Why.
        why: String,
    },
}

/// What was measured around forced collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// How many collections were asked for.
    pub asked: u64,
    /// How many the program says there were: its own are among them.
    pub seen: u64,
    /// How long after the last but one the measurement was made; the last came with it.
    pub waited: Duration,
    /// By how many percent of the floor something has to have grown to be judged.
    pub threshold_percent: u32,
    /// Goroutines.
    pub goroutines: Around,
    /// Bytes of objects on the heap.
    pub heap_bytes: Around,
}

/// An amount around forced collections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// At the window's first sample; of a walk, what a collection before had found reachable.
    pub floor: u64,
    /// Right before the first collection.
    pub before: u64,
    /// After the last.
    pub after: u64,
}

impl Around {
    /// What had piled up above the floor before the collections.
    #[must_use]
    pub const fn piled_up(&self) -> u64 {
        self.before.saturating_sub(self.floor)
    }

    /// How much of that was gone after them.
    #[must_use]
    pub fn freed(&self) -> u64 {
        self.before.saturating_sub(self.after).min(self.piled_up())
    }

    /// Whether what had piled up is at least so many percent of the floor, and no less than `least`.
    #[must_use]
    pub const fn has_piled_up(&self, percent: u32, least: u64) -> bool {
        let (piled, floor) = (self.piled_up() as u128, self.floor as u128);
        piled >= least as u128 && piled * 100 >= floor * percent as u128
    }
}

/// What the part of a pile says that forced collections ended.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CollectionBand {
    /// At least 80 % are gone: what was there waited for a collection.
    CleanupDelay,
    /// At least 50 % are gone.
    Partial,
    /// At least 20 % are gone.
    LikelyLeak,
    /// Fewer are gone: no collection ends them.
    ConfirmedLeak,
}

impl CollectionBand {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What of a pile forced collections ended, and what that says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Freed {
    /// The amounts.
    pub amounts: Around,
    /// The part of what had piled up that was gone, 0 to 1.
    pub part: f64,
    /// What that says.
    pub band: CollectionBand,
}

/// What collections of garbage would free of a heap, as a walk of it says, and what that says of what had piled up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WouldFree {
    /// What they would free.
    pub collectable: Collectable,
    /// Bytes of objects: what a collection found reachable before them, what there is, and what they would leave;
    /// `None` where there was no such collection.
    pub amounts: Option<Around>,
    /// What that says; `None` where too little had piled up.
    pub freed: Option<Freed>,
}

/// What forced collections say of a program. What had not piled up is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CollectionVerdict {
    /// Of its goroutines.
    pub goroutines: Option<Freed>,
    /// Of the bytes of its heap.
    pub heap_bytes: Option<Freed>,
}
