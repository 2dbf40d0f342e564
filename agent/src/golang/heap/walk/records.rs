//! Objects for which the runtime keeps a finalizer or a cleanup, and whether what these keep leads back to them.
//!
//! The runtime keeps what an object with a finalizer points to, and what a cleanup's function and argument point to,
//! but not the object. One that is reached from there all the same is never freed, and its finalizer never runs
//! (`runtime.SetFinalizer`, `runtime.AddCleanup`).

use super::super::pointers::{Part, Pointers};
use super::super::roots::Special;
use super::{NodeId, ReadError, Shape, Walk, shape};
use crate::golang::heap::marks::Mark;
use crate::golang::types::Label;

impl Walk<'_> {
    /// Whether nothing has reached the object at an address yet, of those that were allocated when the walk began.
    #[must_use]
    pub fn is_unreached(&self, address: u64) -> bool {
        let found = self.spans.find(address);
        let object = found.and_then(|(_, span)| Some((span, span.object_at(address)?)));
        object.is_some_and(|(span, object)| self.reach.marks.state(span, object) == Mark::New)
    }

    /// Goes on to count for a holder.
    pub const fn hold_again(&mut self, root: NodeId) {
        self.reach.root = root;
    }

    /// What the object of a finalizer is, by the type that the runtime keeps with it.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn finalized(&mut self, special: &Special) -> Result<Shape, ReadError> {
        let (memory, types) = (self.memory, &mut self.reach.types);
        let Some(pointer) = types.get(memory, special.pointer_type)? else {
            return Ok(Shape::Unknown);
        };
        let layout = types.layout(memory, pointer)?;
        Ok(layout.at(0).map_or(Shape::Unknown, |slot| Shape::of(slot.leads)))
    }

    /// Marks what a record keeps for an object of this shape, and not the object.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_record(&mut self, record: &Special, shape: Shape) -> Result<(), ReadError> {
        record.words.into_iter().for_each(|word| self.reach(word));
        if record.is_finalizer { self.reach_from_object(record.object, shape) } else { Ok(()) }
    }

    /// Marks what an object of this shape points to, and not the object.
    fn reach_from_object(&mut self, address: u64, shape: Shape) -> Result<(), ReadError> {
        let Some((_, span)) = self.spans.find(address) else { return Ok(()) };
        let Some(object) = span.object_at(address) else { return Ok(()) };
        if span.is_without_pointers() {
            return Ok(());
        }
        let Self { memory, pointers, gather, reach, .. } = self;
        let start = span.start + u64::from(object) * span.object_bytes;
        let shape = shape.if_it_fits(&reach.types, span, (start, reach.header(span)), address);
        let node = match shape {
            Shape::Unknown => reach.root,
            _ => reach.paths.child(reach.root, Label::EMPTY, shape.named(true)),
        };
        let layout = shape::layout(&mut reach.types, *memory, shape)?;
        let mut outcome = Ok(());
        let mut follow = |word: shape::Word<'_>, value| {
            if outcome.is_ok() {
                outcome = reach.word((node, shape), layout.as_deref(), word, value);
            }
        };
        if span.is_large() {
            let mut from = Some(0);
            while let Some(at) = from {
                let part = pointers.of_large(*memory, span, at, &mut follow)?;
                from = Pointers::next_part(span, at).filter(|_| part != Part::Last);
            }
        } else {
            let ends = (start, start + span.object_bytes);
            let mut pieces = Vec::new();
            let run = pointers.pieces(*memory, span, ends, &mut pieces)?;
            gather.read(*memory, &pieces)?;
            pointers.of_object(*memory, span, (&run, &*gather), object, &mut follow)?;
        }
        outcome
    }
}
