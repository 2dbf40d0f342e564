//! What `compare` writes: how two moments differ.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{Compare, SchemaName};
use super::place::PlaceDoc;
use super::resources::LeadsTo;
use crate::model::{ResourceKind, WaitClass};

/// Two moments, and how they differ.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub struct ComparisonDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Compare>,
    /// The earlier moment.
    pub before: MomentDoc<'a>,
    /// The later moment.
    pub after: MomentDoc<'a>,
    /// Groups whose count is another, largest change first.
    pub groups: Vec<ChangedDoc<'a>>,
    /// How many groups are as large as before.
    ///
    /// Unit: groups.
    pub unchanged: u64,
    /// Descriptors, threads, mappings and children of which there are more or fewer: the totals first, and then by name what
    /// has changed most. Names are compared where both moments looked at them, the commonest 256 of each.
    #[serde(default)]
    pub resources: Vec<ResourceChangeDoc<'a>>,
}

/// Resources of which there are more or fewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceChangeDoc<'a> {
    /// Their kind. More kinds may come within v1.
    pub kind: ResourceKind,
    /// What they lead to.
    ///
    /// Null: it has no name, or these are all of the kind.
    pub name: Option<Cow<'a, str>>,
    /// What the name is of.
    ///
    /// Null: there is no name.
    pub leads_to: Option<LeadsTo>,
    /// How many there were.
    ///
    /// Unit: things of that kind.
    pub before: u64,
    /// How many there are.
    ///
    /// Unit: things of that kind.
    pub after: u64,
}

/// A moment: of one target, or of several as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MomentDoc<'a> {
    /// When, as RFC 3339 in UTC.
    ///
    /// Null: it is not known.
    pub at: Option<Cow<'a, str>>,
    /// The executable's file name, or what its source is called.
    pub exe: Cow<'a, str>,
    /// How many goroutines there were in all.
    ///
    /// Unit: goroutines. Null: they were not looked at; then no groups are compared.
    pub goroutines: Option<u64>,
    /// How much memory there was.
    ///
    /// Null: nothing is known of it.
    #[serde(default)]
    pub memory: Option<MomentMemoryDoc>,
}

/// Memory at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MomentMemoryDoc {
    /// Objects that the last collection found reachable.
    ///
    /// Unit: bytes. Null: it is not known, or there was no collection.
    pub live_bytes: Option<u64>,
    /// All objects: those that are not reachable and not freed yet too. Of a heap profile, those in use.
    ///
    /// Unit: bytes. Null: it is not known.
    pub objects_bytes: Option<u64>,
    /// Goroutines' stacks.
    ///
    /// Unit: bytes. Null: it is not known.
    pub stacks_bytes: Option<u64>,
    /// Anonymous memory that the Go runtime does not know of, at least: of C, of mmap.
    ///
    /// Unit: bytes. Null: it is not known.
    pub outside_bytes: Option<u64>,
    /// Resident memory.
    ///
    /// Unit: bytes. Null: it is not known.
    pub rss_bytes: Option<u64>,
}

/// A group whose count is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedDoc<'a> {
    /// What became of it.
    pub change: ChangeKind,
    /// The group's signature, as in a report.
    pub signature: Cow<'a, str>,
    /// How many goroutines it had.
    ///
    /// Unit: goroutines.
    pub before: u64,
    /// How many it has.
    ///
    /// Unit: goroutines.
    pub after: u64,
    /// What its goroutines wait for.
    pub wait_class: WaitClass,
    /// The innermost line of the program's own code.
    ///
    /// Null: there is none, or it has no name.
    pub blocked_at: Option<PlaceDoc<'a>>,
    /// The `go` statement that created them.
    ///
    /// Null: it is not known.
    pub created_by: Option<PlaceDoc<'a>>,
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was not there.
    New,
    /// It is larger.
    Grown,
    /// It is smaller.
    Shrunk,
    /// It is not there any more.
    Gone,
}
