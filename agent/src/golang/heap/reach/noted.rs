//! Objects of which is noted by which path each is reached first.

use rustc_hash::FxHashMap;

use super::Reach;
use super::some_spans::SomeSpans;
use crate::golang::heap::paths::NodeId;

/// They, by their span and their number in it.
#[derive(Debug, Default)]
pub(in crate::golang::heap) struct Noted {
    nodes: FxHashMap<(u32, u32), Option<NodeId>>,
    /// Those that have any. Most have none.
    spans: SomeSpans,
}

impl Noted {
    /// An object was reached for the first time, as what is at a node.
    #[inline]
    pub(super) fn reached(&mut self, object: (u32, u32), node: NodeId) {
        if self.spans.has(object.0)
            && let Some(noted) = self.nodes.get_mut(&object)
        {
            *noted = Some(node);
        }
    }
}

impl Reach<'_> {
    /// Notes, from now on, how the object at an address is reached.
    pub(in crate::golang::heap) fn note(&mut self, address: u64) {
        let Some(object) = self.object(address) else { return };
        self.noted.spans.add(object.0);
        self.noted.nodes.insert(object, None);
    }

    /// As what it was reached; `None` where nothing has reached it.
    pub(in crate::golang::heap) fn noted(&self, address: u64) -> Option<NodeId> {
        self.noted.nodes.get(&self.object(address)?).copied().flatten()
    }

    pub(super) fn object(&self, address: u64) -> Option<(u32, u32)> {
        let (number, span) = self.spans.find(address)?;
        Some((number, span.object_at(address)?))
    }
}
