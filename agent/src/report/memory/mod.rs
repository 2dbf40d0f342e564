//! The memory of one program for people and for programs.

mod json;
mod text;

pub use json::write_json;
pub use text::write_text;

use crate::model::{Assessment, Retained};

/// What is reported of a program's memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryReport<'a> {
    /// Of one sample.
    pub assessment: &'a Assessment,
    /// Who holds the heap, if that was asked for.
    pub retained: Option<&'a Retained>,
}

#[cfg(test)]
mod tests;
