//! Where the pointers of objects are, in each way that Go's versions tell it.

use super::arenas::{self, Arenas};
use super::form::{Form, Pointers as Told};
use super::shape::{HEADER, MAX_WITHOUT_HEADER, Word};
use super::spans::Span;
use super::types::Types;
use crate::golang::gather::Gather;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// From this size on, the marks of green tea follow that bitmap.
const MIN_WITH_MARKS: u64 = 16;
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
    /// Which piece of what is read has their bytes; what tells their pointers follows.
    pub piece: usize,
    /// Whether there is anything that tells them.
    is_told: bool,
}

/// What became of a part of a large object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It was read.
    Read,
    /// And what is behind it has no pointers.
    Last,
    /// It could not be read.
    Unread,
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

    /// How the heap's objects are kept.
    pub(super) const fn form(&self) -> &Form {
        &self.form
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
        let mut run = Run { start, piece: pieces.len(), is_told: true };
        pieces.push(Piece { addr: start, len: (end - start) as u32 });
        if let Some(arenas) = &mut self.arenas {
            let told = arenas.pieces(memory, start, end)?;
            run.is_told = told.is_some();
            pieces.extend(told.into_iter().flatten());
        } else if span.object_bytes <= MAX_WITHOUT_HEADER {
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

    /// The bytes of one object of a run.
    pub(super) fn bytes<'g>(
        span: &Span,
        (run, gather): (&Run, &'g Gather),
        object: u32,
    ) -> Option<&'g [u8]> {
        let from = span.start + u64::from(object) * span.object_bytes;
        let start = from.checked_sub(run.start)? as usize;
        gather.get(run.piece)?.get(start..start + span.object_bytes as usize)
    }

    /// Calls `found` with each pointer of one object of a run, and where it is. Whether it could be read.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn of_object(
        &mut self,
        memory: &dyn Memory,
        span: &Span,
        (run, gather): (&Run, &Gather),
        object: u32,
        mut found: impl FnMut(Word<'_>, u64),
    ) -> Result<bool, ReadError> {
        let from = span.start + u64::from(object) * span.object_bytes;
        let to = from + span.object_bytes;
        let Some(bytes) = Self::bytes(span, (run, gather), object) else { return Ok(false) };
        let whole = &mut found;
        let mut found = |offset: u64, value: u64| {
            whole(Word { offset, bytes, at: offset as usize }, value);
        };
        self.read_bytes += span.object_bytes;
        if !run.is_told {
            return Ok(false);
        }
        if self.arenas.is_some() {
            let (Some(bitmap), Some(no_more)) =
                (gather.get(run.piece + 1), gather.get(run.piece + 2))
            else {
                return Ok(false);
            };
            let bits = arenas::Bits::of(run.start, bitmap, no_more);
            bits.each(from, to, |offset| found(offset, word(bytes, offset)));
        } else if span.object_bytes <= MAX_WITHOUT_HEADER {
            let Some(bitmap) = gather.get(run.piece + 1) else { return Ok(false) };
            let words = bytes.as_chunks::<8>().0;
            let mut pointers = bits_from(bitmap, (from - span.start) as usize / 8);
            if let Some(unused @ 1..) = 64_usize.checked_sub(words.len()) {
                pointers &= u64::MAX.checked_shr(unused as u32).unwrap_or(0);
            }
            while pointers != 0 {
                let index = pointers.trailing_zeros() as usize;
                pointers &= pointers - 1;
                found(index as u64 * 8, u64::from_le_bytes(words[index]));
            }
        } else {
            let address = word(bytes, 0);
            let rest = &bytes[HEADER as usize..];
            // Not yet written: an object that is being allocated.
            if address != 0 {
                let found = |offset: u64, value| {
                    // Of the value, which begins behind the header.
                    whole(Word { offset, bytes: rest, at: offset as usize }, value);
                };
                self.by_type(memory, address, (0, span.object_bytes - HEADER), rest, found)?;
            }
        }
        Ok(true)
    }

    /// Calls `found` with each pointer of the object that a span is for, from an offset on, as far as is read at
    /// once.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn of_large(
        &mut self,
        memory: &dyn Memory,
        span: &Span,
        from: u64,
        mut found: impl FnMut(Word<'_>, u64),
    ) -> Result<Part, ReadError> {
        if self.arenas.is_none() && span.large_type == 0 {
            // Its type is written once it is zeroed: what is there before has no pointers yet.
            return Ok(Part::Last);
        }
        let at = span.start + from;
        let next = Self::next_part(span, from)
            .map_or(span.start + span.object_bytes, |next| span.start + next);
        let mut pieces = vec![Piece { addr: at, len: (next - at) as u32 }];
        if let Some(arenas) = &mut self.arenas {
            pieces.extend(arenas.pieces(memory, at, next)?.into_iter().flatten());
        }
        let mut gather = Gather::default();
        gather.read(memory, &pieces)?;
        let Some(bytes) = gather.get(0) else { return Ok(Part::Unread) };
        self.read_bytes += bytes.len() as u64;
        let mut found = |offset: u64, value: u64| {
            found(Word { offset: from + offset, bytes, at: offset as usize }, value);
        };
        if self.arenas.is_some() {
            let (Some(bitmap), Some(no_more)) = (gather.get(1), gather.get(2)) else {
                return Ok(Part::Unread);
            };
            let bits = arenas::Bits::of(at, bitmap, no_more);
            let has_more = bits.each(at, next, |offset| found(offset, word(bytes, offset)));
            return Ok(if has_more { Part::Read } else { Part::Last });
        }
        let part = (from, span.object_bytes);
        self.by_type(memory, span.large_type, part, bytes, &mut found)?;
        Ok(Part::Read)
    }

    /// Where the part ends that is read from an offset of a large object on; `None` for the last.
    pub(super) fn next_part(span: &Span, from: u64) -> Option<u64> {
        // Parts end at multiples of their size, so that none is in two arenas.
        let next = (span.start + from + 1).next_multiple_of(CHUNK) - span.start;
        (next < span.object_bytes).then_some(next)
    }

    /// Of a part of an object, which holds values of one type, one behind the other: from `start`, of `room` bytes
    /// in all.
    fn by_type(
        &mut self,
        memory: &dyn Memory,
        address: u64,
        (start, room): (u64, u64),
        bytes: &[u8],
        mut found: impl FnMut(u64, u64),
    ) -> Result<(), ReadError> {
        let words = bytes.as_chunks::<8>().0;
        let Some(mask) = self.types.get(memory, &self.form, address, room)? else {
            self.untyped += u64::from(start == 0);
            for (at, word) in (0..).step_by(8).zip(words) {
                found(at, u64::from_le_bytes(*word));
            }
            return Ok(());
        };
        let len = words.len() as u64 * 8;
        // The first value may have begun before.
        let (mut at, mut from) = (0, start % mask.size);
        while at < len {
            let to = mask.size.min(from + (len - at));
            mask.each(from, to, |offset| {
                let at = at + (offset - from);
                found(at, word(bytes, at));
            });
            at += mask.size - from;
            from = 0;
        }
        Ok(())
    }
}

/// The 64 bits from one on; those behind the end are clear.
#[inline]
fn bits_from(bytes: &[u8], bit: usize) -> u64 {
    let rest = bytes.get(bit / 8..).unwrap_or_default();
    let mut nine = [0; 16];
    match rest.first_chunk::<9>() {
        Some(first) => nine[..9].copy_from_slice(first),
        None => nine[..rest.len()].copy_from_slice(rest),
    }
    (u128::from_le_bytes(nine) >> (bit % 8)) as u64
}

fn word(bytes: &[u8], offset: u64) -> u64 {
    let word = bytes.get(offset as usize..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_taken_from_any_one_on_and_are_clear_behind_the_end() {
        let bytes: Vec<u8> = (0..20).map(|byte: u8| byte.wrapping_mul(37) ^ 0x5a).collect();
        for from in 0..170 {
            let expected = (0..64).fold(0, |bits, bit| {
                let byte = bytes.get((from + bit) / 8).copied().unwrap_or(0);
                bits | u64::from(byte >> ((from + bit) % 8) & 1) << bit
            });
            assert_eq!(bits_from(&bytes, from), expected, "from {from}");
        }
    }
}
