//! Who allocated what is in use, by the program's own memory profile.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::AmountDoc;
use crate::model::AllocationBasis;

/// Who allocated what is in use, by the memory profile that the program's own runtime keeps. All amounts are
/// estimates, scaled up from what was sampled as `runtime/pprof` does it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllocatedDoc<'a> {
    /// By line, those with most bytes in use first.
    pub lines: Vec<AllocatedAtDoc<'a>>,
    /// All that is in use, as of the last collection that was complete.
    pub in_use: AmountDoc,
    /// All that was allocated since the program began, as of then.
    pub allocated: AmountDoc,
    /// Of so many bytes that are allocated one is sampled, on average (`runtime.MemProfileRate`); 0 where a
    /// profile does not say.
    ///
    /// Unit: bytes.
    pub rate_bytes: u64,
    /// Stacks and sizes of objects that the lines are made of.
    ///
    /// Unit: sites.
    pub sites: u64,
    /// Those that could not be read, or made no sense, and are missing.
    ///
    /// Unit: sites.
    pub torn: u64,
    /// Addresses that no function is known of.
    ///
    /// Unit: addresses.
    pub unresolved: u64,
    /// Whether the profile was read to its end.
    pub is_whole: bool,
    /// Whether nothing was added to it while it was read.
    pub is_steady: bool,
    /// Whether no collection was complete yet, so that all that was allocated counts as in use.
    pub is_before_collection: bool,
    /// How long reading it took.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// The same in words, as far as it is not all.
    pub notes: Vec<Cow<'a, str>>,
}

/// What was allocated at one line: the program's own innermost line on the stack, or else that of a module that it
/// uses, or of the standard library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocatedAtDoc<'a> {
    /// The function's full name.
    ///
    /// Null: no address of the stack is known.
    pub function: Option<Cow<'a, str>>,
    /// The file, as the program recorded it.
    ///
    /// Null: no address of the stack is known.
    pub file: Option<Cow<'a, str>>,
    /// The line, from 1.
    ///
    /// Unit: line. Null: no address of the stack is known.
    pub line: Option<u32>,
    /// The function that allocated for it: of several the one with most bytes in use.
    ///
    /// Null: the line itself allocates.
    pub via: Option<Cow<'a, str>>,
    /// What of it is in use.
    pub in_use: AmountDoc,
    /// All of it since the program began.
    pub allocated: AmountDoc,
    /// How many more bytes are in use than at the first sample.
    ///
    /// Unit: bytes. Null: there was one reading alone.
    pub grown_bytes: Option<u64>,
    /// How that is known: by the program's memory profile, or of objects of more than 32 KiB alone by a probe. Of these
    /// `allocated` is what was seen, and all that is in use came since.
    #[serde(default)]
    pub basis: AllocationBasis,
}
