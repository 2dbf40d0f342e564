//! Where the pointers of objects are, in each way that Go's versions tell it.

use super::arenas::{self, Arenas};
use super::form::{Form, Pointers as Told};
use super::spans::Span;
use super::types::Types;
use crate::golang::gather::Gather;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// Objects up to this size are told by a bitmap at their span's end (`minSizeForMallocHeader`, Go 1.22 to 1.27).
const MAX_WITH_BITS: u64 = 512;
/// From this size on, the marks of green tea follow that bitmap.
const MIN_WITH_MARKS: u64 = 16;
/// What stands before an object that is larger, and has no span of its own: its type.
const HEADER: u64 = 8;
/// An object with a span of its own is read in pieces of this size.
const CHUNK: u64 = 256 << 10;

/// Finds pointers in objects.
pub(super) struct Pointers {
    form: Form,
    /// Up to Go 1.21.
    arenas: Option<Arenas>,
    types: Types,
    /// Objects without a type that can be, all of whose words were taken for pointers.
    pub(super) untyped: u64,
    /// Bytes that were read.
    pub(super) read_bytes: u64,
}

/// Some neighbouring objects of a span, to be read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The first byte.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// Which piece of what is read has their bytes; what tells their pointers follows.
    pub piece: usize,
}

impl Pointers {
    /// Of a heap whose `mheap_.arenas` is at this address.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn new(memory: &dyn Memory, form: Form, arenas: u64) -> Result<Self, ReadError> {
        let arenas = match form.pointers {
            Told::Arenas { base } => Some(Arenas::read(memory, arenas, base)?),
            Told::Spans { .. } => None,
        };
        Ok(Self { form, arenas, types: Types::default(), untyped: 0, read_bytes: 0 })
    }

    /// Adds to `pieces` what must be read of the objects between two addresses of a span of small ones.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn pieces(
        &mut self,
        memory: &dyn Memory,
        span: &Span,
        (start, end): (u64, u64),
        pieces: &mut Vec<Piece>,
    ) -> Result<Run, ReadError> {
        let run = Run { start, end, piece: pieces.len() };
        pieces.push(Piece { addr: start, len: (end - start) as u32 });
        if let Some(arenas) = &mut self.arenas {
            // Where there is no arena nothing is read, and no word is a pointer.
            let none = [Piece { addr: start, len: 0 }; 2];
            pieces.extend(arenas.pieces(memory, start, end)?.unwrap_or(none));
        } else if span.object_bytes <= MAX_WITH_BITS {
            let len = span.bytes / 64;
            let behind = match self.form.pointers {
                Told::Spans { behind } if span.object_bytes >= MIN_WITH_MARKS => behind,
                _ => 0,
            };
            let addr = span.end() - len - u64::from(behind);
            pieces.push(Piece { addr, len: len as u32 });
        }
        Ok(run)
    }

    /// Calls `found` with each pointer of one object of a run. Whether it could be read.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn of_object(
        &mut self,
        memory: &dyn Memory,
        span: &Span,
        (run, gather): (&Run, &Gather),
        object: u32,
        mut found: impl FnMut(u64),
    ) -> Result<bool, ReadError> {
        let from = span.start + u64::from(object) * span.object_bytes;
        let to = from + span.object_bytes;
        let bytes = gather.get(run.piece).and_then(|bytes| {
            bytes.get((from.checked_sub(run.start)?) as usize..to.checked_sub(run.start)? as usize)
        });
        let Some(bytes) = bytes else { return Ok(false) };
        self.read_bytes += span.object_bytes;
        if self.arenas.is_some() {
            let (Some(bitmap), Some(no_more)) =
                (gather.get(run.piece + 1), gather.get(run.piece + 2))
            else {
                return Ok(false);
            };
            let bits = arenas::Bits::of(run.start, bitmap, no_more);
            bits.each(from, to, |offset| found(word(bytes, offset)));
        } else if span.object_bytes <= MAX_WITH_BITS {
            let Some(bitmap) = gather.get(run.piece + 1) else { return Ok(false) };
            let first = (from - span.start) as usize / 8;
            for (index, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
                let bit = first + index;
                if bitmap.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                    found(u64::from_le_bytes(*word));
                }
            }
        } else {
            let address = word(bytes, 0);
            let rest = &bytes[HEADER as usize..];
            // Not yet written: an object that is being allocated.
            if address != 0 {
                self.by_type(memory, address, (0, span.object_bytes - HEADER), rest, found)?;
            }
        }
        Ok(true)
    }

    /// Calls `found` with each pointer of the object that a span is for. Whether it could be read.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn of_large(
        &mut self,
        memory: &dyn Memory,
        span: &Span,
        mut found: impl FnMut(u64),
    ) -> Result<bool, ReadError> {
        let end = span.start + span.object_bytes;
        if self.arenas.is_none() && span.large_type == 0 {
            // Its type is written once it is zeroed: what is there before has no pointers yet.
            return Ok(true);
        }
        let mut gather = Gather::default();
        let mut at = span.start;
        let mut is_read = true;
        while at < end {
            // Chunks end at multiples of their size, so that none is in two arenas.
            let next = (at + 1).next_multiple_of(CHUNK).min(end);
            let mut pieces = vec![Piece { addr: at, len: (next - at) as u32 }];
            if let Some(arenas) = &mut self.arenas {
                pieces.extend(arenas.pieces(memory, at, next)?.into_iter().flatten());
            }
            gather.read(memory, &pieces)?;
            let Some(bytes) = gather.get(0) else {
                is_read = false;
                at = next;
                continue;
            };
            self.read_bytes += bytes.len() as u64;
            if self.arenas.is_some() {
                let (Some(bitmap), Some(no_more)) = (gather.get(1), gather.get(2)) else {
                    return Ok(false);
                };
                let bits = arenas::Bits::of(at, bitmap, no_more);
                if !bits.each(at, next, |offset| found(word(bytes, offset))) {
                    break;
                }
            } else {
                let part = (at - span.start, span.object_bytes);
                self.by_type(memory, span.large_type, part, bytes, &mut found)?;
            }
            at = next;
        }
        Ok(is_read)
    }

    /// Of a part of an object, which holds values of one type, one behind the other: from `start`, of `room` bytes
    /// in all.
    fn by_type(
        &mut self,
        memory: &dyn Memory,
        address: u64,
        (start, room): (u64, u64),
        bytes: &[u8],
        mut found: impl FnMut(u64),
    ) -> Result<(), ReadError> {
        let words = bytes.as_chunks::<8>().0;
        let Some(mask) = self.types.get(memory, &self.form, address, room)? else {
            self.untyped += u64::from(start == 0);
            words.iter().for_each(|word| found(u64::from_le_bytes(*word)));
            return Ok(());
        };
        let mut offset = start % mask.size;
        for word in words {
            if mask.is_pointer(offset) {
                found(u64::from_le_bytes(*word));
            }
            offset += 8;
            if offset == mask.size {
                offset = 0;
            }
        }
        Ok(())
    }
}

fn word(bytes: &[u8], offset: u64) -> u64 {
    let word = bytes.get(offset as usize..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
