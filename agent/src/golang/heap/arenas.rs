//! The bitmaps of pointers that Go 1.21 keeps for each 64 MiB of addresses (`runtime.heapArena`).

use rustc_hash::FxHashMap;

use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// `heapArenaBytes`.
pub(super) const ARENA: u64 = 64 << 20;
/// A word of the bitmap tells of so many bytes.
const TOLD: u64 = 64 * 8;
/// `heapArena.noMorePtrs` follows the bitmap, which is the first field: a bit for each word of the bitmap, set
/// where the object that goes on behind the word has no pointers there.
const BITMAP_BYTES: u64 = ARENA / 64;

/// The arenas of a heap.
pub(super) struct Arenas {
    /// The array of pointers to arenas.
    table: u64,
    /// The address that index 0 stands for.
    base: u64,
    known: FxHashMap<u64, Option<u64>>,
}

/// The bits of a range within one arena.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// Where the range begins, rounded down to what a word tells of.
    start: u64,
    bitmap: &'a [u8],
    /// From the byte that has the bit of the first word.
    no_more: &'a [u8],
}

impl Arenas {
    /// Of the heap whose `mheap_.arenas` is at this address.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(memory: &dyn Memory, arenas: u64, base: u64) -> Result<Self, ReadError> {
        Ok(Self { table: memory.read_u64(arenas)?, base, known: FxHashMap::default() })
    }

    /// What must be read for the range from `start` to `end`, which is within one arena: the bitmap, and what
    /// says where it ends. `None` where there is no arena.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn pieces(
        &mut self,
        memory: &dyn Memory,
        start: u64,
        end: u64,
    ) -> Result<Option<[Piece; 2]>, ReadError> {
        let offset = start.wrapping_sub(self.base);
        let arena = match self.known.get(&(offset / ARENA)) {
            Some(known) => *known,
            None => {
                let entry = self.table.wrapping_add(offset / ARENA * 8);
                let read = match memory.read_u64(entry) {
                    Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                    read => read.ok().filter(|arena| *arena != 0),
                };
                self.known.insert(offset / ARENA, read);
                read
            }
        };
        Ok(arena.map(|arena| {
            let (first, last) =
                (offset % ARENA / TOLD, (offset % ARENA + (end - start)).div_ceil(TOLD));
            let no_more = arena.wrapping_add(BITMAP_BYTES + first / 8);
            [
                Piece { addr: arena.wrapping_add(first * 8), len: ((last - first) * 8) as u32 },
                Piece { addr: no_more, len: (last.div_ceil(8) - first / 8) as u32 },
            ]
        }))
    }
}

impl<'a> Bits<'a> {
    /// Of the range that begins at `start`, as read by [`Arenas::pieces`].
    pub(super) const fn of(start: u64, bitmap: &'a [u8], no_more: &'a [u8]) -> Self {
        Self { start: start & !(TOLD - 1), bitmap, no_more }
    }

    /// Calls `found` with the offset from `start` of each word from there to `end` that is a pointer, where
    /// an object is that begins there, or goes on there. Whether it may have more behind.
    pub(super) fn each(&self, start: u64, end: u64, mut found: impl FnMut(u64)) -> bool {
        let first_bit = self.start / TOLD % 8;
        let mut at = start;
        while at < end {
            let number = (at - self.start) / TOLD;
            let Some(word) = self.bitmap.get(number as usize * 8..).and_then(<[u8]>::first_chunk)
            else {
                return false;
            };
            let word_end = self.start + (number + 1) * TOLD;
            let mut bits = u64::from_le_bytes(*word) >> (at % TOLD / 8);
            let valid = (word_end.min(end) - at) / 8;
            if valid < 64 {
                bits &= (1 << valid) - 1;
            }
            while bits != 0 {
                found(at - start + u64::from(bits.trailing_zeros()) * 8);
                bits &= bits - 1;
            }
            let bit = first_bit + number;
            let is_last =
                self.no_more.get(bit as usize / 8).is_none_or(|it| it >> (bit % 8) & 1 == 1);
            if word_end < end && is_last {
                return false;
            }
            at = word_end;
        }
        true
    }
}
