//! What the rules that read source state: as values, which `report` words.

/// What a source rule states about a blocked line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNote {
    /// A sentence with line numbers.
    Text(String),
}

/// What to change in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceFix {
    /// A sentence that names variables and lines.
    Text(String),
}
