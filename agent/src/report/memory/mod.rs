//! The memory of one program for people and for programs.

mod json;
mod read;
mod stacks;
mod text;

pub use json::write_json;
pub use read::{ReadError, read};
pub use stacks::{HeldFrame, HeldFrameKind, HeldStack, stacks};
pub use text::write_text;

use crate::model::{Assessment, HeldSince, Retained};

/// What is reported of a program's memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryReport<'a> {
    /// Of one sample.
    pub assessment: &'a Assessment,
    /// Who holds the heap, if that was asked for.
    pub retained: Option<&'a Retained>,
    /// What is not as it was at a walk before, if it is compared with one.
    pub since: Option<&'a HeldSince>,
}

#[cfg(test)]
mod tests;
