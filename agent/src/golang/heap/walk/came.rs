//! Objects that came after the walk began: they are taken for reachable, as the collector takes those that come while
//! it marks, and what they point to is followed.

use super::super::marks::{Mark, Tally};
use super::super::spans::Span;
use super::{ReadError, Shape, Walk};

/// So many bytes of them are searched; the others are counted.
const MAX_SEARCHED: u64 = 256 << 20;

/// What came after the walk began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// All of it that was not reached before: it is neither among what is reached nor what is not.
    pub all: Tally,
    /// What of it was not searched, since it was too much, or could not be read.
    pub unsearched: Tally,
}

impl Walk<'_> {
    /// Marks what objects point to that are there now and were not when the walk began, in spans that are new too; not
    /// the objects.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_what_came(
        &mut self,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Came, ReadError> {
        let mut came = Came::default();
        let mut searched = 0;
        let (spans, memory, mheap, layout) = (self.spans, self.memory, self.mheap, self.layout);
        let mut take = |span: &Span, number: Option<u32>, new: &[u64]| -> Result<(), ReadError> {
            let objects =
                (0..span.objects).filter(|at| new[*at as usize / 64] >> (at % 64) & 1 == 1);
            // Where one was reached it is searched like others.
            let known = number.map(|number| &spans.all()[number as usize]);
            let objects: Vec<u32> = objects
                .filter(|at| {
                    known.is_none_or(|span| self.reach.marks.state(span, *at) != Mark::Known)
                })
                .collect();
            came.all.add(objects.len() as u64, span.object_bytes);
            if span.is_without_pointers() {
                return Ok(());
            }
            let bytes = objects.len() as u64 * span.object_bytes;
            let has_room = bytes <= MAX_SEARCHED - searched && go_on();
            searched += if has_room { bytes } else { 0 };
            if !has_room || !self.reach_from_objects(span, &objects, Shape::Unknown)? {
                came.unsearched.add(objects.len() as u64, span.object_bytes);
            }
            Ok(())
        };
        spans.what_came(memory, mheap, &layout, &mut take)?;
        Ok(came)
    }
}
