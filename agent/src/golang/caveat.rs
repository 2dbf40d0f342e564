//! What was found in a program only in a roundabout way, or not at all.

/// Something to know of how a program was located.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// The program's version is later than any that the table of layouts knows; its own DWARF told the
    /// layout.
    LaterVersion(String),
    /// The layout is that of another version nearby.
    NearestLayout {
        /// Of which.
        known: String,
        /// The program's version.
        wanted: String,
    },
    /// Build information is stripped or obfuscated; the runtime's functions told the minor version of Go 1.
    VersionByFunctions(u16),
    /// The names of wait reasons could not be read, and why.
    NoWaitReasons(String),
}

/// What is missing of a program's plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginGap {
    /// One cannot be read.
    Unreadable {
        /// The address of its module data.
        address: u64,
        /// Why.
        why: String,
    },
    /// How many more cannot be read than are told one by one.
    MoreUnreadable(usize),
    /// The list of modules has this many entries, and no more of it is read.
    Cut(usize),
}
