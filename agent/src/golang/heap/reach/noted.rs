//! Objects of which is noted by which path each is reached first.

use rustc_hash::FxHashMap;

use super::Reach;
use crate::golang::heap::paths::NodeId;

/// They, by their span and their number in it.
#[derive(Debug, Default)]
pub(in crate::golang::heap) struct Noted {
    nodes: FxHashMap<(u32, u32), Option<NodeId>>,
    /// A bit for each span: whether it has any. Most have none.
    spans: Vec<u64>,
}

impl Noted {
    /// An object was reached for the first time, as what is at a node.
    #[inline]
    pub(super) fn reached(&mut self, object: (u32, u32), node: NodeId) {
        let bits = self.spans.get(object.0 as usize / 64).copied().unwrap_or(0);
        if bits >> (object.0 % 64) & 1 == 1
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
        let word = object.0 as usize / 64;
        if self.noted.spans.len() <= word {
            self.noted.spans.resize(word + 1, 0);
        }
        self.noted.spans[word] |= 1 << (object.0 % 64);
        self.noted.nodes.insert(object, None);
    }

    /// As what it was reached; `None` where nothing has reached it.
    pub(in crate::golang::heap) fn noted(&self, address: u64) -> Option<NodeId> {
        self.noted.nodes.get(&self.object(address)?).copied().flatten()
    }

    fn object(&self, address: u64) -> Option<(u32, u32)> {
        let (number, span) = self.spans.find(address)?;
        Some((number, span.object_at(address)?))
    }
}
