//! Who holds objects of the heap.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::HolderKind;

/// Who holds objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeapHolderDoc<'a> {
    /// What kind of holder it is.
    pub kind: HolderKind,
    /// The variable's name, that of the function that the goroutines started in, or of the type of objects that keep
    /// themselves.
    ///
    /// Null: there is none, or the executable is stripped of its symbol table.
    pub name: Option<Cow<'a, str>>,
    /// The address of the variable's first pointer into the heap, or of the function.
    ///
    /// Null: there is none.
    pub address: Option<Cow<'a, str>>,
    /// The function of the cleanups by which objects keep themselves (`runtime.AddCleanup`).
    ///
    /// Null: they are others, or it is not known.
    #[serde(default)]
    pub function: Option<Cow<'a, str>>,
    /// Whose entries keep objects that they have weak pointers to (package `weak`), by name.
    ///
    /// Null: they are others, or it has no name.
    #[serde(default)]
    pub entries_of: Option<Cow<'a, str>>,
    /// How many pointers into the heap the variable has, how many goroutines, records or objects there are.
    ///
    /// Unit: pointers, goroutines, records or objects.
    pub count: u64,
    /// What it holds that no holder before it does.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// How many objects that is.
    ///
    /// Unit: objects.
    pub objects: u64,
}
