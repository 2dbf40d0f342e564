//! Who holds the heap: what a walk of its objects, from variables and goroutines on, found.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::amount::Amount;
use super::resources::ResourceKey;

/// Who holds the heap of a process, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// They, those with most bytes first. Each object counts once, at the first holder that reaches it: the
    /// program's own variables come first, then those of the standard library, goroutines, the runtime's variables,
    /// and what finalizers keep last.
    pub holders: Vec<HeapHolder>,
    /// All that is reached: their sum.
    pub reached: Amount,
    /// What is allocated and not reached: garbage that is not freed yet, and what a walk misses.
    pub unreached: Amount,
    /// Both by the size of an object, smallest first.
    pub classes: Vec<RetainedClass>,
    /// By which paths, those with most bytes first; the smallest of very many are left out.
    pub paths: Vec<HeapPath>,
    /// Of which types, those with most bytes first; likewise.
    pub types: Vec<HeapType>,
    /// By which fields objects with a finalizer or cleanup keep themselves: of each holder of that kind.
    pub cycles: Vec<HeapCycle>,
    /// Who holds open descriptors, those of which one holds most first: of those alone for which there is an object of
    /// Go's library.
    pub descriptors: Vec<HeldDescriptors>,
    /// What collections of garbage would free; `None` where not all pointers were followed.
    pub collectable: Option<Collectable>,
    /// How exact it is.
    pub walk: WalkCoverage,
}

/// Open descriptors of one name that are held in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDescriptors {
    /// What they lead to.
    pub key: ResourceKey,
    /// Who holds their objects; `None` where nothing does: collections of garbage close them.
    pub by: Option<HeldPath>,
    /// How many.
    pub count: u64,
    /// How many of those are connections that the other end has closed.
    pub closed_by_peer: u64,
}

/// Who holds objects, and by which path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPath {
    /// Who, with all that it holds.
    pub holder: HeapHolder,
    /// From the holder on; the last step is the objects themselves.
    pub steps: Vec<HeapStep>,
}

/// What collections of garbage would free of a heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collectable {
    /// The next one.
    pub next: Amount,
    /// Later ones, once finalizers and cleanups have run: objects that have a finalizer and are unreachable, and what
    /// those and cleanups keep.
    pub later: Amount,
    /// What the last collection before the walk found reachable; `None` where there was none, or that cannot be read.
    pub last_live_bytes: Option<u64>,
}

/// Who holds most of a heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldHeap {
    /// They: some, those with most bytes first.
    pub holders: Vec<HeapHolder>,
    /// All that is reached.
    pub reached: Amount,
    /// Whether all pointers were followed.
    pub is_whole: bool,
}

/// How two walks of the heap of one program differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldSince {
    /// What the earlier one reached.
    pub before: Amount,
    /// Whether both followed all pointers: else what one has more may be what the other did not come to.
    pub are_whole: bool,
    /// Holders that hold another amount than before, what has become most first.
    pub holders: Vec<HeldChange<HeapHolder>>,
    /// Types of which there is another amount than before, likewise; `None` for what is of no known type.
    pub types: Vec<HeldChange<Option<String>>>,
}

/// What a holder holds, or what there is of a type, at two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldChange<T> {
    /// Who, or of what.
    pub of: T,
    /// How much it was.
    pub before: Amount,
    /// How much it is.
    pub now: Amount,
}

/// How objects keep themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapCycle {
    /// They: their place in [`Retained::holders`].
    pub holder: usize,
    /// From the object on, and back to it; the object alone where it is not known by which fields.
    pub steps: Vec<HeapStep>,
}

impl HeapCycle {
    /// Whether it is known by which fields.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.steps.len() > 1 && self.steps.iter().all(|step| step.type_name.is_some())
    }
}

/// Objects that are held by one path. Indices and keys make no path of their own, nor do lists and trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapPath {
    /// Who holds them: its place in [`Retained::holders`].
    pub holder: usize,
    /// From the holder on; the last step is the objects themselves.
    pub steps: Vec<HeapStep>,
    /// They alone, without what they hold.
    pub holds: Amount,
}

/// Objects of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeapStep {
    /// The field of what is before them that leads to them; `None` for no field, or where that is not known.
    pub via: Option<String>,
    /// Their type, as Go prints it; `None` where it is not known.
    pub type_name: Option<String>,
}

/// Objects of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapType {
    /// The type, as Go prints it: of what is in a slice with `[]` before it, of all parts of a map the map; `None`
    /// where it is not known.
    pub name: Option<String>,
    /// They.
    pub holds: Amount,
}

/// Who holds objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapHolder {
    /// What kind of holder it is.
    pub kind: HolderKind,
    /// The variable's name, that of the function that the goroutines started in, or of the type of objects that keep
    /// themselves; `None` where there is none.
    pub name: Option<String>,
    /// The variable's address, or the function's; `None` for what has none.
    pub address: Option<u64>,
    /// The function of the cleanups by which objects keep themselves; `None` for others, and where it is not known.
    pub function: Option<String>,
    /// Who holds the entries that keep such objects, by name; `None` for others, and where it has none.
    pub entries_of: Option<String>,
    /// How many words of the variable point into the heap; how many goroutines, records or objects there are.
    pub count: u64,
    /// What it holds that no holder before it does.
    pub holds: Amount,
}

impl HeapHolder {
    /// One that has no address, and no more to say of it than its name.
    #[must_use]
    pub const fn of(kind: HolderKind, name: Option<String>, count: u64, holds: Amount) -> Self {
        Self { kind, name, address: None, function: None, entries_of: None, count, holds }
    }
}

/// What kind of holder.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum HolderKind {
    /// A variable of a package.
    Variable,
    /// The stacks of the goroutines that started in one function.
    Goroutines,
    /// Finalizers, cleanups and weak pointers: what runs when an object is unreachable, and what that needs.
    Finalizers,
    /// Objects of one type that nothing else reaches and that are reached from what their own finalizer keeps: it
    /// never runs, and they are never freed.
    Cycle,
    /// The same by what their own cleanups of one function keep: its argument, or what the function captured.
    CleanupCycle,
    /// Objects of one type that nothing reaches but entries which have weak pointers to them: what else is in such an
    /// entry leads back to the object, which is not freed while there is the entry.
    WeakCycle,
    /// What came while the walk went on, and what variables and stacks led to by its end.
    Meanwhile,
}

impl HolderKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether they are objects that keep themselves.
    #[must_use]
    pub const fn is_cycle(self) -> bool {
        matches!(self, Self::Cycle | Self::CleanupCycle | Self::WeakCycle)
    }
}

/// Objects of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetainedClass {
    /// The size of one, in bytes; `None` for large objects, each of which has its own.
    pub object_bytes: Option<u64>,
    /// What is reached.
    pub reached: Amount,
    /// What is not.
    pub unreached: Amount,
}

/// How much a walk saw, and what the program did meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkCoverage {
    /// Whether it followed all pointers, in the time that it had.
    pub is_whole: bool,
    /// How long it took.
    pub took: Duration,
    /// How many bytes of objects it read.
    pub read_bytes: u64,
    /// Spans with objects.
    pub spans: u64,
    /// Those that were freed, or used for something else, before the end.
    pub changed_spans: u64,
    /// Those that made no sense or could not be read.
    pub torn_spans: u64,
    /// Objects that were reached and were not there when the walk began: they came later, or stacks still mention
    /// them.
    pub astray: u64,
    /// Objects of which every word was taken for a pointer.
    pub untyped: u64,
    /// Objects whose holder is known and whose path is not: there were too many paths, or too many objects to search
    /// at once.
    pub untraced: u64,
    /// Objects, stacks, variables, records and queues of finalizers that could not be read.
    pub unread: u64,
    /// Entries of weak pointers of which was not examined whether they keep their objects: there were too many.
    pub unexamined: u64,
    /// Goroutines that ran: what they hold in registers alone is not seen.
    pub running: u64,
    /// Objects that came after the walk began, of which nothing led to them: they are among nothing else.
    pub came: Amount,
    /// Those of them that were too many to follow what they point to.
    pub unsearched: Amount,
    /// Whether a garbage collection began or ended meanwhile.
    pub collected: bool,
    /// Whether variables have names: the executable has a symbol table.
    pub has_names: bool,
    /// Whether it is known of which types variables are: the executable has debug information.
    pub has_variable_types: bool,
}
