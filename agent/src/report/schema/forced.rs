//! Collections, and what they ended or would free.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::AmountDoc;
use crate::model::CollectionBand;

/// Collections of garbage that the agent made the program do (`--force-gc`), and what they ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForcedCollectionDoc<'a> {
    /// How many collections were asked for.
    ///
    /// Unit: collections. Null: they were not made, or not measured.
    pub asked: Option<u64>,
    /// How many the program says there were meanwhile, its own among them.
    ///
    /// Unit: collections. Null: they were not made, or not measured.
    pub seen: Option<u64>,
    /// How long what the collections end was waited for, before the last one.
    ///
    /// Unit: s. Null: they were not made, or not measured.
    pub waited_seconds: Option<f64>,
    /// By how much goroutines or the heap have to have grown since the first sample.
    ///
    /// Unit: %. Null: they were not made, or not measured.
    pub threshold_percent: Option<u32>,
    /// Goroutines.
    ///
    /// Null: they were not made, or not measured.
    pub goroutines: Option<FreedDoc>,
    /// Bytes of objects on the heap.
    ///
    /// Null: they were not made, or not measured.
    pub heap_bytes: Option<FreedDoc>,
    /// All of that in sentences, or why there is none.
    pub text: Vec<Cow<'a, str>>,
}

/// What collections of garbage would free of a heap, as a walk of it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WouldFreeDoc<'a> {
    /// What the next one would.
    pub next: AmountDoc,
    /// What later ones would, once finalizers and cleanups have run.
    pub later: AmountDoc,
    /// The bytes of all objects: the floor is what a collection before had found reachable, the last before the
    /// walk or before the window.
    ///
    /// Null: there was none.
    pub bytes: Option<FreedDoc>,
    /// All of that in sentences.
    pub text: Vec<Cow<'a, str>>,
}

/// An amount around collections.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FreedDoc {
    /// At first.
    ///
    /// Unit: goroutines or bytes.
    pub floor: u64,
    /// Right before the collections.
    ///
    /// Unit: goroutines or bytes.
    pub before: u64,
    /// After them, or what they would leave.
    ///
    /// Unit: goroutines or bytes.
    pub after: u64,
    /// The part of what had piled up above the floor that was gone, or would be, 0 to 1.
    ///
    /// Unit: ratio. Null: too little had piled up.
    pub freed_part: Option<f64>,
    /// What that says.
    ///
    /// Null: too little had piled up.
    pub band: Option<CollectionBand>,
}
