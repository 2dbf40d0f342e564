//! Why debug information gives no layout.

use thiserror::Error;

/// Why DWARF gave no layout.
#[derive(Debug, Error)]
pub enum DwarfError {
    /// The executable has no such section: it was linked with `-w` or stripped.
    #[error("the executable has no section {section}: it was built without debug information")]
    NoSection {
        /// Which.
        section: &'static str,
    },
    /// The file's headers place the section wrongly.
    #[error("cannot read section {section}")]
    Section {
        /// Which.
        section: &'static str,
        /// What is wrong.
        #[source]
        source: object::Error,
    },
    /// Compressed by another method than zlib, which Go's and the usual linkers use.
    #[error("section {section} is compressed by a method other than zlib")]
    Compression {
        /// Which.
        section: &'static str,
    },
    /// The compressed data are broken.
    #[error("the compressed data of section {section} are broken")]
    Inflate {
        /// Which.
        section: &'static str,
    },
    /// Not well-formed DWARF.
    #[error("the debug information of the unit at {unit:#x} in .debug_info is malformed")]
    Malformed {
        /// Where the unit stands in (uncompressed) `.debug_info`.
        unit: u64,
        /// What is wrong.
        #[source]
        source: gimli::Error,
    },
    /// Something is larger than in any Go program, so that reading on could take for ever.
    #[error("the debug information is not believable: too much {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
    },
    /// There is debug information, but not of Go's runtime.
    #[error("the debug information does not describe a package named runtime")]
    NoRuntime,
    /// One of the runtime's structs is not described.
    #[error("the debug information does not describe the struct runtime.{of}")]
    NoStruct {
        /// Which.
        of: &'static str,
    },
    /// A struct has no such field, or it is not where a field can be.
    #[error("the debug information does not place field {path} of runtime.{of}")]
    NoField {
        /// The struct.
        of: &'static str,
        /// The field.
        path: &'static str,
    },
    /// The offsets contradict each other.
    #[error("the debug information places the runtime's fields where they cannot be")]
    Implausible,
}
