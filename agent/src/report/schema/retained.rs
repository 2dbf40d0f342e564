//! What `memory --format json` writes: `leak-agent/memory/v1`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::allocated::AllocatedDoc;
use super::amount::AmountDoc;
use super::coverage::TargetDoc;
use super::document::AgentDoc;
use super::forced::WouldFreeDoc;
use super::heap_holder::HeapHolderDoc;
use super::memory::MemoryAccountDoc;
use super::name::{Memory, SchemaName};
use super::resources::HeldDescriptorsDoc;

/// The memory of a program, and who holds its heap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MemoryReport")]
pub struct MemoryReportDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Memory>,
    /// The agent that looked.
    pub agent: AgentDoc<'a>,
    /// Whose memory it is.
    pub target: TargetDoc<'a>,
    /// When it was sampled, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub at: Option<Cow<'a, str>>,
    /// The figures.
    ///
    /// Null: nothing is known of it.
    pub memory: Option<MemoryAccountDoc>,
    /// Who allocated what is in use, by the program's own memory profile.
    ///
    /// Null: the program has none, or it cannot be read, which the notes say; or the target is no process.
    #[serde(default)]
    pub allocated: Option<AllocatedDoc<'a>>,
    /// Who holds the heap.
    ///
    /// Null: it was not asked for (`--retained`).
    pub retained: Option<RetainedDoc<'a>>,
    /// What could not be seen.
    pub notes: Vec<Cow<'a, str>>,
}

/// Who holds the heap, by a walk of its objects while the program went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetainedDoc<'a> {
    /// They, those with most bytes first. Each object counts once, at the first that reaches it: the program's
    /// own variables by name, then those of the standard library, goroutines, the runtime's variables,
    /// finalizers, and objects that keep themselves.
    pub holders: Vec<HeapHolderDoc<'a>>,
    /// All that is reached: the sum of the holders.
    pub reached: AmountDoc,
    /// What is allocated and not reached: garbage that is not freed yet, and what the walk missed.
    pub unreached: AmountDoc,
    /// What collections of garbage would free.
    ///
    /// Null: not all pointers were followed.
    #[serde(default)]
    pub would_free: Option<WouldFreeDoc<'a>>,
    /// Both by the size of an object, smallest first.
    pub classes: Vec<RetainedClassDoc>,
    /// By which paths, those with most bytes first; of more than 1,000 the largest. Similar paths are one: indices
    /// and keys make no difference, and lists and trees are one with themselves.
    pub paths: Vec<HeapPathDoc<'a>>,
    /// Of which types, those with most bytes first; of more than 1,000 the largest.
    pub types: Vec<HeapTypeDoc<'a>>,
    /// What is not as it was at the walk of `--baseline`.
    ///
    /// Null: there is none.
    #[serde(default)]
    pub since: Option<HeldSinceDoc<'a>>,
    /// By which fields objects keep themselves, for each holder of the kinds `cycle` and `cleanup-cycle`; for one of kind
    /// `weak-cycle` by which fields entries lead to their objects.
    #[serde(default)]
    pub cycles: Vec<HeapCycleDoc<'a>>,
    /// Who holds open descriptors, those of which one holds most first: of those alone for which Go's os or net has an
    /// object.
    #[serde(default)]
    pub descriptors: Vec<HeldDescriptorsDoc<'a>>,
    /// How much was seen.
    pub walk: WalkDoc,
    /// The same in words, as far as it is not all.
    pub notes: Vec<Cow<'a, str>>,
}

/// How a walk differs from one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldSinceDoc<'a> {
    /// What the one before reached.
    pub reached_before: AmountDoc,
    /// Whether both followed all pointers.
    pub are_whole: bool,
    /// Holders that hold another amount than before, what has become most first.
    pub holders: Vec<HolderChangeDoc<'a>>,
    /// Types of which there is another amount than before, what has become most first.
    pub types: Vec<TypeChangeDoc<'a>>,
}

/// A holder that holds another amount than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderChangeDoc<'a> {
    /// The holder as it is now; with 0 bytes where it holds nothing any more.
    pub holder: HeapHolderDoc<'a>,
    /// What it held.
    pub before: AmountDoc,
}

/// A type of which there is another amount than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypeChangeDoc<'a> {
    /// The type, as Go prints it.
    ///
    /// Null: it is not known.
    pub name: Option<Cow<'a, str>>,
    /// What there was of it.
    pub before: AmountDoc,
    /// What there is.
    pub now: AmountDoc,
}

/// Objects that are held by one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapPathDoc<'a> {
    /// Who holds them: an index of `holders`.
    ///
    /// Unit: index.
    pub holder: usize,
    /// From the holder on; the last step is the objects themselves.
    pub steps: Vec<HeapStepDoc<'a>>,
    /// All of it as text, as in `main.store -> map[string]*main.Session -> main.Session.events -> []byte`.
    pub text: Cow<'a, str>,
    /// They alone, without what they hold.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// How many they are.
    ///
    /// Unit: objects.
    pub objects: u64,
}

/// How objects with a finalizer or a cleanup keep themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapCycleDoc<'a> {
    /// They: an index of `holders`.
    ///
    /// Unit: index.
    pub holder: usize,
    /// From the object on and back to it; the object alone where it is not known by which fields.
    pub steps: Vec<HeapStepDoc<'a>>,
    /// All of it as text, as in `main.node.next -> main.leaf.parent -> main.node`.
    pub text: Cow<'a, str>,
}

/// Objects of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapStepDoc<'a> {
    /// The field, of what is before them, that leads to them.
    ///
    /// Null: there is no field (elements, keys, what a pointer points to), or it is not known.
    pub via: Option<Cow<'a, str>>,
    /// Their type, as Go prints it: of what is in a slice with `[]` before it, of all parts of a map the map.
    ///
    /// Null: it is not known.
    #[serde(rename = "type")]
    pub type_name: Option<Cow<'a, str>>,
}

/// Objects of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapTypeDoc<'a> {
    /// The type, as in a path's steps.
    ///
    /// Null: it is not known.
    pub name: Option<Cow<'a, str>>,
    /// All objects of it.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// How many they are.
    ///
    /// Unit: objects.
    pub objects: u64,
}

/// Objects of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetainedClassDoc {
    /// The size of one.
    ///
    /// Unit: bytes. Null: they are large, each of a size of its own.
    pub object_bytes: Option<u64>,
    /// What is reached.
    pub reached: AmountDoc,
    /// What is not.
    pub unreached: AmountDoc,
}

/// How much a walk saw, and what the program did meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WalkDoc {
    /// Whether it followed all pointers in the time that it had.
    pub is_whole: bool,
    /// How long it took.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// Objects that were searched for pointers.
    ///
    /// Unit: bytes.
    pub read_bytes: u64,
    /// Spans of memory with objects.
    ///
    /// Unit: spans.
    pub spans: u64,
    /// Those that were freed or used for something else before the end.
    ///
    /// Unit: spans.
    pub changed_spans: u64,
    /// Those that made no sense or could not be read.
    ///
    /// Unit: spans.
    pub torn_spans: u64,
    /// Objects that were reached and were not there when the walk began: they came later, or stacks still mention
    /// them.
    ///
    /// Unit: objects.
    pub astray: u64,
    /// Objects of which every word was taken for a pointer.
    ///
    /// Unit: objects.
    pub untyped: u64,
    /// Objects whose holder is known and whose path was not kept: there were too many.
    ///
    /// Unit: objects.
    pub untraced: u64,
    /// Objects, stacks, variables, records and queues of finalizers that could not be read.
    ///
    /// Unit: objects, stacks, variables, records and queues.
    pub unread: u64,
    /// Entries of weak pointers of which was not examined whether they keep their objects: there were too many.
    ///
    /// Unit: entries.
    #[serde(default)]
    pub unexamined: u64,
    /// Goroutines that ran: what they hold in registers alone is not seen.
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub running: u64,
    /// What came after the walk began and nothing led to: it is in no sum, what it points to was followed.
    #[serde(default)]
    pub came: AmountDoc,
    /// What of that was too much to search.
    #[serde(default)]
    pub unsearched: AmountDoc,
    /// Whether a garbage collection began or ended meanwhile.
    pub collected: bool,
    /// Whether variables have names: the executable has a symbol table.
    pub has_names: bool,
    /// Whether the types of variables are known: the executable has debug information.
    pub has_variable_types: bool,
}
