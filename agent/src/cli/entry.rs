//! A flag that is set by the environment or a configuration file: to what, and where.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::Arg;

/// A flag that was not typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, perhaps an old one.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a flag is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// On or off.
    Switch(bool),
    /// One text for each time that the flag would be typed.
    Texts(Vec<OsString>),
}

/// Where a flag was set that nobody typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In this environment variable.
    Variable(String),
    /// In a file; line and column count from 1.
    File { path: PathBuf, line: usize, column: usize },
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => to.write_str(name),
            Self::File { path, line, column } => write!(to, "{}:{line}:{column}", path.display()),
        }
    }
}

/// Whether a flag has this name, or had it once.
pub(super) fn is_called(arg: &Arg, key: &str) -> bool {
    arg.get_long() == Some(key)
        || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&key))
}
