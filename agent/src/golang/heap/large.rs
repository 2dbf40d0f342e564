//! Whether objects with a span of their own are still there.

use super::Heap;
use crate::golang::gather::Gather;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// `runtime.mSpanInUse`.
const IN_USE: u8 = 1;
/// Structs that are read at once.
const BATCH: usize = 1024;

/// An object with a span of its own, as it was when it was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargeObject {
    /// The address of its `runtime.mspan`.
    pub span: u64,
    /// Where it begins.
    pub start: u64,
    /// How many pages the span has.
    pub pages: u64,
}

impl Heap {
    /// The offset of `runtime.mspan.startAddr`; `None` where `npages` does not follow it.
    #[must_use]
    pub const fn span_start(&self) -> Option<u32> {
        let span = self.layout.mspan;
        if span.pages == span.start + 8 { Some(span.start) } else { None }
    }

    /// Of each of some objects, whether its span is as it was: it has not been freed. The runtime uses the struct of one
    /// that was freed for any other.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn are_there(
        &self,
        memory: &dyn Memory,
        objects: &[LargeObject],
    ) -> Result<Vec<bool>, ReadError> {
        let at = self.layout.mspan;
        let mut are_there = Vec::with_capacity(objects.len());
        let mut gather = Gather::default();
        for batch in objects.chunks(BATCH) {
            let piece = |object: &LargeObject| Piece { addr: object.span, len: at.size };
            let pieces: Vec<Piece> = batch.iter().map(piece).collect();
            gather.read(memory, &pieces)?;
            are_there.extend(batch.iter().enumerate().map(|(number, object)| {
                let Some(bytes) = gather.get(number) else { return false };
                let word = |offset: u32| {
                    let word = bytes.get(offset as usize..).and_then(<[u8]>::first_chunk);
                    word.map(|word| u64::from_le_bytes(*word))
                };
                let byte = |offset: u32| bytes.get(offset as usize).copied();
                word(at.start) == Some(object.start)
                    && word(at.pages) == Some(object.pages)
                    && byte(at.state) == Some(IN_USE)
                    && byte(at.class).is_some_and(|class| class >> 1 == 0)
            }));
        }
        Ok(are_there)
    }
}
