//! What `--list` writes: the Go programs that run on this machine.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{List, SchemaName};

/// The Go programs that run on this machine, as far as they may be read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "List")]
pub struct ListDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<List>,
    /// They, by process id: an entry for each Go runtime.
    pub processes: Vec<GoProcessDoc<'a>>,
    /// How many other processes may not be read.
    ///
    /// Unit: processes.
    pub refused: u64,
}

/// A process that runs Go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GoProcessDoc<'a> {
    /// Its id, as the agent's pid namespace counts.
    ///
    /// Unit: process id.
    pub pid: u32,
    /// The file name of its executable.
    pub exe: Cow<'a, str>,
    /// The shared library that holds the Go runtime.
    ///
    /// Null: the executable holds it.
    pub library: Option<Cow<'a, str>>,
    /// Go's version, as the file or else the memory says.
    pub go_version: Cow<'a, str>,
    /// Its command line, arguments separated by spaces.
    pub command: Cow<'a, str>,
    /// Its id in its own pid namespace (a container's).
    ///
    /// Unit: process id. Null: it is the same.
    pub own_pid: Option<u32>,
}
