//! One point of a count over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of goroutines at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SampleDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// How many.
    ///
    /// Unit: goroutines.
    pub goroutines: u64,
}
