//! A line of source by its names.

/// A line of source, in words of its own: it outlives the stacks that it was found on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The function's full name.
    pub function: String,
    /// The file, as the program recorded it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}
