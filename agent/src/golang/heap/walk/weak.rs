//! Entries of weak pointers that wait until all else has been followed.

use super::super::paths::NodeId;
use super::super::roots::Special;
use super::super::weak::Entry;
use super::Walk;

impl Walk<'_> {
    /// Has entries of weak pointers wait from now on. `records` are what the runtime keeps for objects.
    pub fn put_off_entries(&mut self, records: &[Special]) {
        self.reach.weak.take(records);
    }

    /// Takes those entries that wait of which all objects have been reached since, and gives them; the others too, with
    /// `all`.
    pub fn take_entries(&mut self, all: bool) -> Vec<Entry> {
        let waiting = std::mem::take(&mut self.reach.weak.waiting);
        let (mut taken, mut waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|entry| {
            all || !entry.objects.iter().any(|object| self.reach.is_unreached(*object))
        });
        self.reach.weak.waiting.append(&mut waiting);
        taken.sort_by_key(|entry| entry.node);
        taken
    }

    /// Counts an entry of which nobody knows whether it keeps its objects.
    pub const fn skip_entry(&mut self) {
        self.reach.weak.unexamined += 1;
    }

    /// Marks what an entry leads to, as held by what is at a node.
    pub fn reach_from_entry(&mut self, entry: &Entry, node: NodeId) {
        self.reach.lead(node, &entry.leads);
    }
}
