//! Objects and their bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AmountDoc {
    /// Each object as large as its size class.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// How many they are.
    ///
    /// Unit: objects.
    pub objects: u64,
}
