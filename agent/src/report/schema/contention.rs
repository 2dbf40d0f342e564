//! Contention, as the program's own profiles count it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::FrameDoc;

/// Lines at which goroutines waited for each other, by the program's own block and mutex profiles: most delay
/// first, some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContentionDoc<'a> {
    /// Lines that waited, of the block profile.
    pub waits: Vec<ContendedLineDoc<'a>>,
    /// Over how long that was counted.
    ///
    /// Unit: s. Null: since the program started, or there is no block profile.
    #[serde(default)]
    pub waits_over_seconds: Option<f64>,
    /// The time between the window's first block profile and its last.
    ///
    /// Unit: s. Null: there are not two of one run of the program.
    #[serde(default)]
    pub waits_within_seconds: Option<f64>,
    /// Lines that others waited for, of the mutex profile: at the unlock.
    pub releases: Vec<ContendedLineDoc<'a>>,
    /// Over how long that was counted.
    ///
    /// Unit: s. Null: since the program started, or there is no mutex profile.
    #[serde(default)]
    pub releases_over_seconds: Option<f64>,
    /// The time between the window's first mutex profile and its last.
    ///
    /// Unit: s. Null: there are not two of one run of the program.
    #[serde(default)]
    pub releases_within_seconds: Option<f64>,
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
    /// How often between the window's first profile and its last.
    ///
    /// Unit: waits. Null: there are not two of one run of the program.
    #[serde(default)]
    pub count_within: Option<u64>,
    /// How long in all between the two.
    ///
    /// Unit: s. Null: there are not two of one run of the program.
    #[serde(default)]
    pub delay_within_seconds: Option<f64>,
    /// How many goroutines wait at that line now; 0 for lines that others waited for.
    ///
    /// Unit: goroutines.
    pub waiting: u64,
}
