//! Which objects wait to be searched, by what they are and by which path they are held.
//!
//! What waits has a bound. Objects of one path and shape wait together, so that they are read together; the paths
//! that were met last are searched first, so that few wait.

use rustc_hash::{FxHashMap, FxHashSet};

use super::paths::NodeId;
use super::shape::Shape;
use crate::golang::types::Label;

/// So many objects are searched together.
const BATCH: usize = 1 << 14;
/// So many may wait in any heap, and one more for each so many that there is room for.
const MIN_WAITING: usize = 1 << 16;
const PER_WAITING: usize = 16;

/// By which path an object is held, and what it is.
pub(super) type Key = (NodeId, Shape);

/// Something to be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Objects that wait by this key.
    Batch(Key),
    /// What is left of the object that a span is for, from an offset on.
    Rest {
        /// The span's number.
        span: u32,
        key: Key,
        from: u64,
    },
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: Vec<Work>,
    waiting: FxHashMap<Key, Vec<u32>>,
    count: usize,
    max: usize,
    /// Spans whose object has no pointers any more behind what was searched.
    ended: FxHashSet<u32>,
    /// Pointers to what nobody knows: another may tell what it is.
    deferred: Vec<(NodeId, Label, u64)>,
}

impl Queue {
    /// For a heap with room for so many objects.
    pub(super) fn new(objects: usize) -> Self {
        Self { max: MIN_WAITING + objects / PER_WAITING, ..Self::default() }
    }

    /// Adds an object by its number. Whether there was room.
    pub(super) fn push(&mut self, key: Key, object: u32) -> bool {
        if self.count >= self.max {
            return false;
        }
        let waiting = self.waiting.entry(key).or_default();
        if waiting.is_empty() {
            self.order.push(Work::Batch(key));
        }
        waiting.push(object);
        self.count += 1;
        true
    }

    /// Puts off a pointer to what nobody knows. Whether there was room.
    pub(super) fn defer(&mut self, node: NodeId, via: Label, address: u64) -> bool {
        let has_room = self.deferred.len() < self.max / 4;
        if has_room {
            self.deferred.push((node, via, address));
        }
        has_room
    }

    /// The pointer that was put off last.
    pub(super) fn deferred(&mut self) -> Option<(NodeId, Label, u64)> {
        self.deferred.pop()
    }

    /// What is searched next.
    pub(super) fn next(&mut self) -> Option<Work> {
        loop {
            match self.order.pop()? {
                Work::Rest { span, .. } if self.ended.remove(&span) => {}
                work => return Some(work),
            }
        }
    }

    /// Puts back what was to be searched next.
    pub(super) fn again(&mut self, work: Work) {
        self.order.push(work);
    }

    /// Takes the objects that wait by a key, not all if they are many, in their order.
    pub(super) fn take(&mut self, key: Key) -> Vec<u32> {
        let Some(waiting) = self.waiting.get_mut(&key) else { return Vec::new() };
        let objects = if waiting.len() > BATCH {
            self.order.push(Work::Batch(key));
            waiting.split_off(waiting.len() - BATCH)
        } else {
            self.waiting.remove(&key).unwrap_or_default()
        };
        self.count -= objects.len();
        let mut objects = objects;
        objects.sort_unstable();
        objects
    }

    /// Puts back what was taken and not searched.
    pub(super) fn put_back(&mut self, key: Key, objects: &[u32]) {
        if objects.is_empty() {
            return;
        }
        let waiting = self.waiting.entry(key).or_default();
        if waiting.is_empty() {
            self.order.push(Work::Batch(key));
        }
        waiting.extend_from_slice(objects);
        self.count += objects.len();
    }

    /// Adds what is left of a large object.
    pub(super) fn rest(&mut self, span: u32, key: Key, from: u64) {
        self.order.push(Work::Rest { span, key, from });
    }

    /// Says that there are no pointers in what is left of it.
    pub(super) fn end(&mut self, span: u32) {
        self.ended.insert(span);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.deferred.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::paths::Paths;
    use super::*;

    #[test]
    fn what_waits_has_a_bound_and_nothing_is_lost() {
        let mut paths = Paths::default();
        let key = (paths.root(), Shape::Unknown);
        let mut queue = Queue::new(0);
        let pushed = (0..).take_while(|object| queue.push(key, *object)).count();
        assert_eq!(pushed, MIN_WAITING);
        let mut taken = 0;
        while let Some(Work::Batch(key)) = queue.next() {
            let objects = queue.take(key);
            assert!(objects.is_sorted() && objects.len() <= BATCH);
            taken += objects.len();
            if taken == BATCH {
                queue.put_back(key, &objects[..10]);
                taken -= 10;
            }
        }
        assert_eq!((taken, queue.count), (pushed, 0));
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_left_of_an_object_comes_after_what_it_led_to() {
        let mut paths = Paths::default();
        let key = (paths.root(), Shape::Unknown);
        let mut queue = Queue::new(0);
        queue.rest(3, key, 1 << 20);
        queue.rest(4, key, 1 << 20);
        queue.end(4);
        assert!(queue.push(key, 7));
        assert_eq!(queue.next(), Some(Work::Batch(key)));
        assert_eq!(queue.take(key), [7]);
        assert_eq!(queue.next(), Some(Work::Rest { span: 3, key, from: 1 << 20 }));
        assert_eq!(queue.next(), None);
    }
}
