//! A line of source that has a name.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceDoc<'a> {
    /// The function's full name, as Go's symbol table spells it.
    pub function: Cow<'a, str>,
    /// The source file, as it was called when the program was built.
    pub file: Cow<'a, str>,
    /// The line in the file, from 1.
    ///
    /// Unit: line.
    pub line: u32,
}
