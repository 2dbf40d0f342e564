//! Frames of stacks. One that no symbol table could name has its address in place of the names.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of the program, where one line is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrameDoc<'a> {
    /// The function's full name, as Go's symbol table spells it.
    ///
    /// Null: the frame has no name.
    pub function: Option<Cow<'a, str>>,
    /// The source file, as it was called when the program was built.
    ///
    /// Null: the frame has no name.
    pub file: Option<Cow<'a, str>>,
    /// The line in the file, from 1.
    ///
    /// Unit: line. Null: the frame has no name.
    pub line: Option<u32>,
    /// The program counter of a frame without a name, in hexadecimal. Absent for one with a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Cow<'a, str>>,
}

/// A frame of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StackFrameDoc<'a> {
    /// The line.
    #[serde(flatten)]
    pub frame: FrameDoc<'a>,
    /// Whether the compiler inlined the call, so that it has no frame of its own on the real stack.
    ///
    /// Null: the frame has no name.
    pub inlined: Option<bool>,
}
