//! Entries of weak pointers: parts of objects that hold a weak pointer to an object which nothing has reached yet.
//!
//! What else an entry holds is kept by whoever keeps the entry, the object too where that leads to it: a weak pointer
//! to it never becomes nil then (package `weak`, Go 1.24). So entries wait until all else has been followed.

use rustc_hash::FxHashMap;

use super::paths::NodeId;
use super::roots::{RecordKind, Special};
use super::shape::Shape;
use crate::golang::types::Label;

/// A word of an object that leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    /// Where it is in the object's value.
    pub(super) offset: u64,
    pub(super) via: Label,
    pub(super) shape: Shape,
    pub(super) value: u64,
}

/// An entry that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the object is that it is a part of.
    pub node: NodeId,
    /// The objects that its weak pointers lead to: an address within each.
    pub objects: Vec<u64>,
    pub(super) leads: Vec<Lead>,
}

/// Weak pointers of a heap, and entries of them.
#[derive(Debug, Default)]
pub(super) struct Weak {
    /// What each handle stands for. A weak pointer points to the handle.
    pub(super) handles: FxHashMap<u64, u64>,
    pub(super) gathered: Vec<Lead>,
    pub(super) waiting: Vec<Entry>,
    /// Entries that were followed at once, since too many waited.
    pub(super) unexamined: u64,
}

impl Weak {
    /// Takes in the handles that the runtime keeps for objects.
    pub(super) fn take(&mut self, records: &[Special]) {
        let handles = records.iter().filter(|record| record.kind == RecordKind::WeakHandle);
        self.handles = handles.map(|record| (record.words[0], record.object)).collect();
    }

    /// Whether there are any weak pointers.
    pub(super) fn is_any(&self) -> bool {
        !self.handles.is_empty()
    }
}
