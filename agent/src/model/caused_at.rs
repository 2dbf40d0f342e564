//! The line of the program's own code that leads to a finding, and how it is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::stack::FrameId;

/// The line of the program's own code that leads to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CausedAt {
    /// The line.
    pub frame: FrameId,
    /// How it is known.
    pub basis: CauseBasis,
}

/// How the line that leads to a finding is known, surest first.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CauseBasis {
    /// It is on the blocked goroutines' own stacks; of descriptors, on the stack that opened them.
    Stack,
    /// It is the `go` statement that created them, or the goroutine that opened descriptors.
    CreationSite,
    /// It is on the stack of one of their creators, as a probe saw it, or of the creators of those.
    CreationStack,
    /// One of their creators, or of the creators of those, is there now. It may have been elsewhere when
    /// it created them.
    Creator,
}

impl CauseBasis {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
