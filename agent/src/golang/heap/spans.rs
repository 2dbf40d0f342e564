//! The heap's spans: runs of pages that hold objects of one size each.
//!
//! `mheap_.allspans` lists the structures of all spans that there ever were. The program goes on while they are
//! read: what does not make sense is left out and counted.

use super::classes;
use super::index::Index;
use crate::golang::gather::Gather;
use crate::golang::layout;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// `runtime.pageSize`.
const PAGE: u64 = 8192;
/// `mSpanInUse` (`runtime/mheap.go`): it holds objects of the heap.
const IN_USE: u8 = 1;
/// No address of a program is higher.
const MAX_ADDRESS: u64 = 1 << 48;
/// No span of a size class has more pages (`internal/runtime/gc/sizeclasses.go`: 10).
const MAX_SMALL_PAGES: u64 = 16;
/// No object of a size class is larger.
const MAX_SMALL: u64 = 32 << 10;
/// More spans than this are not read: 128 GiB of the smallest.
const MAX_SPANS: u64 = 1 << 24;
/// How many structures are read at once.
const BATCH: usize = 4096;
/// How often the list is read anew when it moved.
const MAX_TRIES: u32 = 4;

/// A span that holds objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u64,
    /// The size of an object.
    pub object_bytes: u64,
    /// Its type, where it has one object alone (`mspan.largeType`); else 0.
    pub large_type: u64,
    /// Its size, in bytes.
    pub bytes: u64,
    /// How many objects it has room for.
    pub objects: u32,
    /// The number of its first object among all of the heap.
    pub first: u32,
    /// Twice the size class, and one more without pointers.
    pub class: u8,
    /// `ceil(2^32 / object_bytes)` of a span of small objects; else 0.
    inverse: u32,
}

/// All spans that hold objects, in the order of their addresses.
#[derive(Debug, Default)]
pub struct Spans {
    spans: Vec<Span>,
    index: Index,
    /// A bit for each object, set where it is allocated.
    allocated: Vec<u64>,
    /// How many objects there is room for.
    slots: u32,
    /// Spans with finalizers, cleanups and the like, and the first of them.
    specials: Vec<(u32, u64)>,
    /// Structures that made no sense or could not be read.
    torn: u64,
    /// `mheap_.sweepgen` when they were read.
    sweep_generation: u32,
}

impl Span {
    /// Whether no object of it has pointers.
    #[must_use]
    pub const fn is_without_pointers(&self) -> bool {
        self.class & 1 == 1
    }

    /// Whether it holds one object that has a span of its own.
    #[must_use]
    pub const fn is_large(&self) -> bool {
        self.class >> 1 == 0
    }

    /// One past its last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.start + self.bytes
    }

    /// Whether its objects are what the allocator gives for a value of so many bytes with a header of so many.
    #[must_use]
    pub fn is_size_of(&self, value_bytes: u64, header: u64) -> bool {
        let wanted = value_bytes.saturating_add(header);
        if self.is_large() {
            return wanted <= self.object_bytes && self.object_bytes - wanted < PAGE;
        }
        let class = classes::BYTES.partition_point(|bytes| *bytes < wanted.max(1));
        classes::BYTES.get(class).is_some_and(|bytes| *bytes == self.object_bytes)
    }

    /// Whether another is this one, as far as it can be seen: where it is, and which objects it has room for.
    fn is_as(&self, other: &Self) -> bool {
        (self.start, self.bytes, self.object_bytes, self.class, self.objects)
            == (other.start, other.bytes, other.object_bytes, other.class, other.objects)
    }

    /// Which of its objects holds the byte at an address within it.
    #[inline]
    #[must_use]
    pub fn object_at(&self, address: u64) -> Option<u32> {
        let offset = address.wrapping_sub(self.start);
        if offset >= self.bytes {
            return None;
        }
        let object = if self.inverse == 0 {
            offset / self.object_bytes
        } else {
            // Exact for offsets below 2^17 and objects below 2^15 bytes, as the runtime itself divides.
            offset.wrapping_mul(self.inverse.into()) >> 32
        };
        (object < u64::from(self.objects)).then_some(object as u32)
    }
}

/// Of each span, in the order in which they are listed, a bit for each object.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Bits {
    fn push(&mut self, bytes: &[u8]) -> &mut [u8] {
        let start = self.bytes.len();
        self.starts.push(start);
        self.bytes.extend_from_slice(bytes);
        &mut self.bytes[start..]
    }

    fn of(&self, number: usize) -> &[u8] {
        let end = self.starts.get(number + 1).copied().unwrap_or(self.bytes.len());
        &self.bytes[self.starts[number]..end]
    }
}

/// A span's structure, as it was read.
struct Read {
    span: Span,
    free_index: u32,
    alloc_bits: u64,
    specials: u64,
}

impl Read {
    /// Where it is told which objects are allocated.
    fn bits(&self) -> Piece {
        Piece { addr: self.alloc_bits, len: self.span.objects.div_ceil(8) }
    }

    /// Which of 64 objects are allocated, by what was read there; `word` says which 64.
    fn allocated(&self, bits: &[u8], word: u32) -> u64 {
        let mut eight = [0; 8];
        let bytes = bits.get(word as usize * 8..).unwrap_or_default();
        let len = bytes.len().min(8);
        eight[..len].copy_from_slice(&bytes[..len]);
        let first = word * 64;
        // All before the index are.
        let before = below(self.free_index.saturating_sub(first));
        (u64::from_le_bytes(eight) | before) & below(self.span.objects.saturating_sub(first))
    }
}

impl Spans {
    /// Reads the spans of the heap whose `runtime.mheap_` is at `mheap`.
    ///
    /// # Errors
    /// When nothing can be read, or the list of spans moves under every reading.
    pub fn read(memory: &dyn Memory, mheap: u64, layout: &layout::Heap) -> Result<Self, ReadError> {
        let mut tries = 0;
        loop {
            match Self::read_once(memory, mheap, layout) {
                // A longer list replaces a shorter one, which is then unmapped.
                Err(ReadError::Unmapped { .. }) if tries < MAX_TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    fn read_once(
        memory: &dyn Memory,
        mheap: u64,
        layout: &layout::Heap,
    ) -> Result<Self, ReadError> {
        let mut spans = Self::default();
        let mut bits = Bits::default();
        let listed = each(memory, mheap, layout, &mut |batch, gather| {
            spans.take(memory, batch, gather, &mut bits)
        })?;
        spans.torn = listed.torn;
        spans.sweep_generation = listed.generation;
        spans.arrange(bits);
        Ok(spans)
    }

    /// Takes in some spans, and reads the bits that say what is allocated in them. How many of them could not be
    /// read.
    fn take(
        &mut self,
        memory: &dyn Memory,
        batch: Vec<Read>,
        gather: &mut Gather,
        bits: &mut Bits,
    ) -> Result<u64, ReadError> {
        let pieces: Vec<Piece> = batch.iter().map(Read::bits).collect();
        gather.read(memory, &pieces)?;
        let mut torn = 0;
        for (piece, it) in batch.into_iter().enumerate() {
            let Some(found) = gather.get(piece) else {
                torn += 1;
                continue;
            };
            let number = self.spans.len() as u32;
            let found = bits.push(found);
            for object in 0..it.free_index.min(it.span.objects) {
                found[object as usize / 8] |= 1 << (object % 8);
            }
            if it.specials != 0 {
                self.specials.push((number, it.specials));
            }
            self.spans.push(it.span);
        }
        Ok(torn)
    }

    /// Sorts them, leaves out what overlaps, and numbers objects.
    fn arrange(&mut self, bits: Bits) {
        // In place, for they are most of what is kept: the number of each stands in it meanwhile.
        for (number, span) in (0..).zip(&mut self.spans) {
            span.first = number;
        }
        self.spans.sort_unstable_by_key(|span| span.start);
        let mut new_numbers = vec![u32::MAX; self.spans.len()];
        let (mut kept, mut last_end) = (0, 0);
        for at in 0..self.spans.len() {
            let mut span = self.spans[at];
            let old = span.first as usize;
            let overlaps = last_end > span.start;
            let Some(slots) = self.slots.checked_add(span.objects).filter(|_| !overlaps) else {
                self.torn += 1;
                continue;
            };
            span.first = self.slots;
            // Each span has words of its own, so that its bits are at hand.
            self.slots = slots.next_multiple_of(64).max(slots);
            new_numbers[old] = kept as u32;
            self.spans[kept] = span;
            kept += 1;
            last_end = span.end();
        }
        self.spans.truncate(kept);
        self.allocated = vec![0; self.slots as usize / 64 + 1];
        for (old, new) in new_numbers.iter().enumerate() {
            let Some(span) = self.spans.get(*new as usize) else { continue };
            let bytes = bits.of(old);
            let words = &mut self.allocated[span.first as usize / 64..];
            for (object, word) in (0..span.objects).step_by(64).zip(words) {
                let bytes = &bytes[object as usize / 8..];
                let mut eight = [0; 8];
                let len = bytes.len().min(8);
                eight[..len].copy_from_slice(&bytes[..len]);
                *word = u64::from_le_bytes(eight) & below(span.objects - object);
            }
        }
        self.specials.retain_mut(|(number, _)| {
            *number = new_numbers[*number as usize];
            *number != u32::MAX
        });
        self.index = Index::of(&self.spans);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Span] {
        &self.spans
    }

    /// The span at an address, and its number.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<(u32, &Span)> {
        let number = self.index.find(address, &self.spans)?;
        Some((number, &self.spans[number as usize]))
    }

    /// As [`Spans::find`], of many addresses: calls with those that lie in an object, as its number among all and the
    /// span's. Each step is taken for all of them before the next, so that the processor waits for many at a time.
    #[inline]
    pub(super) fn find_all(
        &self,
        addresses: &[u64],
        hints: &mut Vec<(u32, u64)>,
        mut found: impl FnMut(u32, u32),
    ) {
        self.index.hints(addresses, hints);
        for (hint, address) in hints {
            let Some(number) = self.index.find_from(*hint, *address, &self.spans) else { continue };
            let span = &self.spans[number as usize];
            if let Some(object) = span.object_at(*address) {
                found(span.first + object, number);
            }
        }
    }

    /// A bit for each object, set where it is allocated.
    #[must_use]
    pub fn allocated(&self) -> &[u64] {
        &self.allocated
    }

    /// Spans with finalizers, cleanups and the like: their numbers, and the address of the first.
    #[must_use]
    pub fn specials(&self) -> &[(u32, u64)] {
        &self.specials
    }

    /// Structures of spans that made no sense or could not be read.
    #[must_use]
    pub const fn torn(&self) -> u64 {
        self.torn
    }

    /// The generation of sweeping when they were read.
    #[must_use]
    pub const fn sweep_generation(&self) -> u32 {
        self.sweep_generation
    }

    /// The span that an object is in, by the object's number among all.
    #[must_use]
    pub fn of_object(&self, number: u32) -> Option<(u32, &Span)> {
        let at = self.spans.partition_point(|span| span.first <= number).checked_sub(1)?;
        Some((at as u32, &self.spans[at]))
    }

    /// Calls `take` with the spans in which objects have come since these were read.
    ///
    /// # Errors
    /// When nothing can be read.
    pub(super) fn what_came(
        &self,
        memory: &dyn Memory,
        mheap: u64,
        layout: &layout::Heap,
        take: &mut TakeCame<'_>,
    ) -> Result<(), ReadError> {
        let mut new = Vec::new();
        let mut take_batch = |batch: Vec<Read>, gather: &mut Gather| {
            let pieces: Vec<Piece> = batch.iter().map(Read::bits).collect();
            gather.read(memory, &pieces)?;
            let mut torn = 0;
            for (piece, it) in batch.iter().enumerate() {
                let Some(bytes) = gather.get(piece) else {
                    torn += 1;
                    continue;
                };
                let known = self.find(it.span.start).filter(|(_, old)| old.is_as(&it.span));
                let first = known.map(|(_, old)| old.first as usize / 64);
                new.clear();
                new.extend((0..it.span.objects.div_ceil(64)).map(|word| {
                    let before = first.map_or(0, |first| self.allocated[first + word as usize]);
                    it.allocated(bytes, word) & !before
                }));
                if new.iter().any(|bits| *bits != 0) {
                    take(&it.span, known.map(|(number, _)| number), &new)?;
                }
            }
            Ok(torn)
        };
        each(memory, mheap, layout, &mut take_batch).map(|_| ())
    }

    /// How many of these spans are no longer what they were: freed, or used for objects of another size. And the
    /// generation of sweeping by now.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn changed(
        &self,
        memory: &dyn Memory,
        mheap: u64,
        layout: &layout::Heap,
    ) -> Result<(u64, u32), ReadError> {
        let mut same = vec![false; self.spans.len()];
        let mut take = |batch: Vec<Read>, _: &mut Gather| {
            for Read { span: new, .. } in batch {
                let Some((number, old)) = self.find(new.start) else { continue };
                same[number as usize] |= old.is_as(&new);
            }
            Ok(0)
        };
        let listed = each(memory, mheap, layout, &mut take)?;
        let same = same.into_iter().filter(|same| *same).count();
        Ok(((self.spans.len() - same) as u64, listed.generation))
    }
}

/// Takes in a span that is in use now, its number where it was there before, and a bit for each of its objects, set
/// where it came since.
type TakeCame<'t> = dyn FnMut(&Span, Option<u32>, &[u64]) -> Result<(), ReadError> + 't;

/// What a list of spans said.
#[derive(Clone, Copy, Debug, Default)]
struct Listed {
    torn: u64,
    generation: u32,
}

/// Takes in some spans; gives how many of them it could not read.
type Take<'t> = dyn FnMut(Vec<Read>, &mut Gather) -> Result<u64, ReadError> + 't;

/// Calls `take` with the spans in use, some at a time; it gives how many of them it could not read.
fn each(
    memory: &dyn Memory,
    mheap: u64,
    layout: &layout::Heap,
    take: &mut Take<'_>,
) -> Result<Listed, ReadError> {
    let list = mheap.wrapping_add(layout.mheap.all_spans.into());
    let (first, count) = (memory.read_u64(list)?, memory.read_u64(list.wrapping_add(8))?);
    let generation = memory.read_u64(mheap.wrapping_add(layout.mheap.sweep_generation.into()))?;
    let mut listed =
        Listed { torn: count.saturating_sub(MAX_SPANS), generation: generation as u32 };
    let (len, count) = (layout.mspan.size, count.min(MAX_SPANS) as usize);
    let (mut gather, mut bits, mut pieces) = (Gather::default(), Gather::default(), Vec::new());
    for at in (0..count).step_by(BATCH) {
        let addresses =
            memory.read_vec(first.wrapping_add(at as u64 * 8), BATCH.min(count - at) * 8)?;
        let words = addresses.as_chunks::<8>().0.iter();
        pieces.clear();
        pieces.extend(words.map(|address| Piece { addr: u64::from_le_bytes(*address), len }));
        gather.read(memory, &pieces)?;
        let mut read = Vec::new();
        for piece in 0..pieces.len() {
            match gather.get(piece).map(|bytes| parse(bytes, &layout.mspan)) {
                Some(Parsed::InUse(span)) => read.push(span),
                Some(Parsed::Other) => {}
                Some(Parsed::Torn) | None => listed.torn += 1,
            }
        }
        listed.torn += take(read, &mut bits)?;
    }
    Ok(listed)
}

/// The lowest bits.
pub(super) const fn below(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

enum Parsed {
    InUse(Read),
    Other,
    Torn,
}

fn parse(bytes: &[u8], at: &layout::heap::Mspan) -> Parsed {
    let state = bytes.get(at.state as usize).copied();
    match state.map(|state| state == IN_USE) {
        Some(true) => read(bytes, at).map_or(Parsed::Torn, Parsed::InUse),
        Some(false) => Parsed::Other,
        None => Parsed::Torn,
    }
}

/// A span in use, if it can be one.
fn read(bytes: &[u8], at: &layout::heap::Mspan) -> Option<Read> {
    let word = |at: u32| Some(u64::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?));
    // Words up to Go 1.21, and as far from each other; then 16 bits.
    let are_wide = at.objects.abs_diff(at.free_index) == 8;
    let count = |at: u32| {
        let word = if are_wide { word(at)? } else { word_16(bytes, at)? };
        u32::try_from(word).ok()
    };
    let (start, pages) = (word(at.start)?, word(at.pages)?);
    let (objects, object_bytes) = (count(at.objects)?, word(at.object_bytes)?);
    let class = *bytes.get(at.class as usize)?;
    let bytes = pages.checked_mul(PAGE)?;
    let large_type = match at.large_type {
        Some(at) => word(at)?,
        None => 0,
    };
    let mut span =
        Span { start, object_bytes, large_type, bytes, objects, first: 0, class, inverse: 0 };
    let end = start.checked_add(bytes)?;
    let is_sized = if span.is_large() {
        objects == 1
    } else {
        pages <= MAX_SMALL_PAGES && object_bytes <= MAX_SMALL
    };
    let fits = object_bytes >= 8 && u64::from(objects).checked_mul(object_bytes)? <= bytes;
    let is_there = start != 0 && start.is_multiple_of(PAGE) && end <= MAX_ADDRESS && objects > 0;
    let alloc_bits = word(at.alloc_bits)?;
    if !span.is_large() && fits && is_sized {
        span.inverse = u32::MAX / object_bytes as u32 + 1;
    }
    (is_sized && fits && is_there).then_some(Read {
        span,
        free_index: count(at.free_index)?,
        alloc_bits,
        specials: word(at.specials)?,
    })
}

fn word_16(bytes: &[u8], at: u32) -> Option<u64> {
    Some(u16::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?).into())
}
