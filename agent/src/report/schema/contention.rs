//! Contention, as the program's own profiles count it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::FrameDoc;

/// Lines at which goroutines waited for each other since the program started, by its own block and mutex
/// profiles: most delay first, some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContentionDoc<'a> {
    /// Lines that waited, of the block profile.
    pub waits: Vec<ContendedLineDoc<'a>>,
    /// Lines that others waited for, of the mutex profile: at the unlock.
    pub releases: Vec<ContendedLineDoc<'a>>,
}

/// A line, and how much waiting is on its account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContendedLineDoc<'a> {
    /// The innermost line of the user's own code, or else outside the runtime.
    pub at: FrameDoc<'a>,
    /// How often.
    ///
    /// Unit: waits.
    pub count: u64,
    /// How long in all.
    ///
    /// Unit: s.
    pub delay_seconds: f64,
    /// How many goroutines wait at that line now; 0 for lines that others waited for.
    ///
    /// Unit: goroutines.
    pub waiting: u64,
}
