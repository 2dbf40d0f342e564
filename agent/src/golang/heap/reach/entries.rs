//! Entries of weak pointers among the words of an object: they wait, and all else is followed.

use super::super::marks::Mark;
use super::super::paths::NodeId;
use super::super::queue::Key;
use super::super::shape::Shape;
use super::super::weak::{Entry, Lead};
use super::Reach;
use crate::golang::types::Layout;

/// So many entries wait; others are followed at once, and counted.
const MAX_WAITING: usize = 1 << 18;
/// An object of no known type is one entry up to this size, and none beyond.
const MAX_UNTYPED: u64 = 512;
/// `abi.SwissMapGroupSlots`, and the bytes of control words before the slots of a group.
const SLOTS: u64 = 8;
const CONTROL: u64 = 8;

impl Reach<'_> {
    /// Whether nothing has reached the object at an address yet, of those that were allocated when the walk began.
    pub(in crate::golang::heap) fn is_unreached(&self, address: u64) -> bool {
        let found = self.spans.find(address);
        let object = found.and_then(|(_, span)| Some((span, span.object_at(address)?)));
        object.is_some_and(|(span, object)| self.marks.state(span, object) == Mark::New)
    }

    /// Follows the words that were gathered of an object, but for those of entries: these wait.
    pub(in crate::golang::heap) fn gathered(
        &mut self,
        (node, shape): Key,
        layout: Option<&Layout>,
        bytes: u64,
    ) {
        let words = std::mem::take(&mut self.weak.gathered);
        let is_weak = |lead: &Lead| self.weak.handles.contains_key(&lead.value);
        if words.iter().any(is_weak) && (layout.is_some() || bytes <= MAX_UNTYPED) {
            let entry = |lead: &Lead| entry_of(shape, layout, lead.offset);
            for part in words.chunk_by(|one, other| entry(one) == entry(other)) {
                self.entry(node, part);
            }
        } else {
            self.lead(node, &words);
        }
        self.weak.gathered = words;
        self.weak.gathered.clear();
    }

    fn entry(&mut self, node: NodeId, leads: &[Lead]) {
        let objects = leads.iter().filter_map(|lead| self.weak.handles.get(&lead.value)).copied();
        let objects: Vec<u64> = objects.filter(|object| self.is_unreached(*object)).collect();
        let has_room = self.weak.waiting.len() < MAX_WAITING;
        if objects.is_empty() || !has_room {
            self.weak.unexamined += u64::from(!objects.is_empty());
            self.lead(node, leads);
        } else {
            self.weak.waiting.push(Entry { node, objects, leads: leads.to_vec() });
        }
    }

    /// Follows words of what is at a node.
    pub(in crate::golang::heap) fn lead(&mut self, node: NodeId, leads: &[Lead]) {
        for Lead { via, shape, value, .. } in leads {
            self.pointer((node, *via), *shape, *value);
        }
    }
}

/// The number of the entry that a word belongs to: a slot of a map, an element of a slice, or all of the object.
fn entry_of(shape: Shape, layout: Option<&Layout>, offset: u64) -> u64 {
    let size = layout.map_or(0, Layout::size);
    match (shape, size) {
        (_, 0) => 0,
        // `struct { ctrl uint64; slots [8]struct{ key; elem } }`
        (Shape::Cells(_), _) => {
            let slot = (size.saturating_sub(CONTROL) / SLOTS).max(1);
            (offset / size) * SLOTS + (offset % size).saturating_sub(CONTROL) / slot
        }
        _ => offset / size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_slot_or_element_are_one_entry() {
        // Groups of 8 slots, each with a key and a value of a word.
        let group = Layout::of_words(1 + 8 * 2);
        let cells = Shape::Cells(crate::golang::types::TypeId::default());
        let entry = |offset: u64| entry_of(cells, Some(&group), offset * 8);
        assert_eq!([entry(1), entry(2), entry(3), entry(4)], [0, 0, 1, 1]);
        assert_eq!([entry(15), entry(16), entry(17 + 1), entry(17 + 3)], [7, 7, 8, 9]);
        let pair = Layout::of_words(2);
        let many = Shape::Many(crate::golang::types::TypeId::default());
        assert_eq!(entry_of(many, Some(&pair), 8), entry_of(many, Some(&pair), 0));
        assert_ne!(entry_of(many, Some(&pair), 16), entry_of(many, Some(&pair), 8));
        // An object of which nothing is known is one.
        assert_eq!(entry_of(Shape::Unknown, None, 400), 0);
    }
}
