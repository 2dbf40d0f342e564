//! What objects point to, without them: those of finalizers, and those that came after the walk began.

use super::super::pointers::{Part, Pointers};
use super::super::spans::Span;
use super::{ReadError, Shape, Walk, shape};
use crate::golang::types::Label;

impl Walk<'_> {
    /// Marks what objects of a span point to, in the order of their addresses, and not the objects. The span need not
    /// be one that the walk began with. Whether all could be read.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn reach_from_objects(
        &mut self,
        span: &Span,
        objects: &[u32],
        shape: Shape,
    ) -> Result<bool, ReadError> {
        let (Some(first), Some(last)) = (objects.first(), objects.last()) else { return Ok(true) };
        if span.is_without_pointers() {
            return Ok(true);
        }
        let Self { memory, pointers, gather, reach, .. } = self;
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
        let mut are_read = true;
        if span.is_large() {
            let mut from = Some(0);
            while let Some(at) = from {
                let part = pointers.of_large(*memory, span, at, &mut follow)?;
                are_read &= part != Part::Unread;
                from = Pointers::next_part(span, at).filter(|_| part != Part::Last);
            }
        } else {
            let at = |object: u32| span.start + u64::from(object) * span.object_bytes;
            let ends = (at(*first), at(last + 1));
            let mut pieces = Vec::new();
            let run = pointers.pieces(*memory, span, ends, &mut pieces)?;
            gather.read(*memory, &pieces)?;
            for object in objects {
                are_read &=
                    pointers.of_object(*memory, span, (&run, &*gather), *object, &mut follow)?;
            }
        }
        outcome.map(|()| are_read)
    }
}
