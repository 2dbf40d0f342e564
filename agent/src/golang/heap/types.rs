//! Which words of a type are pointers, by the runtime's own data of types.

use rustc_hash::FxHashMap;

use super::form::Form;
use super::spans::below;
use crate::golang::memory::{Memory, ReadError};

/// Where `abi.Type` has what is needed (`internal/abi/type.go`, Go 1.21 to 1.27): its size, the part of it that has
/// pointers, flags, kind, mask.
const SIZE: usize = 0;
const POINTER_BYTES: usize = 8;
const FLAGS: usize = 20;
const KIND: usize = 23;
const MASK: usize = 32;
const LEN: usize = 40;
/// `TFlagGCMaskOnDemand`; up to Go 1.23 the same bit means something else.
const ON_DEMAND: u8 = 1 << 4;
/// `kindGCProg`, up to Go 1.23: there is no mask but a program that makes one.
const PROGRAM: u8 = 1 << 6;
/// Longer masks, of types of more than 64 MiB, are not read.
const MAX_MASK: u64 = 1 << 20;
/// Bytes of masks that are kept.
const MAX_KEPT: usize = 16 << 20;

/// Where the pointers of a type are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mask {
    /// The type's size.
    pub size: u64,
    /// The part of it, from its start, that has pointers.
    pub pointer_bytes: u64,
    /// A bit for each word of that part.
    pub bits: Box<[u64]>,
}

impl Mask {
    /// Calls with the offset of each word that is a pointer, between two offsets within the type.
    #[inline]
    pub(super) fn each(&self, from: u64, to: u64, mut found: impl FnMut(u64)) {
        let to = to.min(self.pointer_bytes) / 8;
        let mut word = from / 8;
        while word < to {
            let bits = self.bits.get(word as usize / 64).map_or(0, |bits| bits >> (word % 64));
            let next = (word / 64 + 1) * 64;
            let mut bits = bits & below((next.min(to) - word) as u32);
            while bits != 0 {
                found((word + u64::from(bits.trailing_zeros())) * 8);
                bits &= bits - 1;
            }
            word = next;
        }
    }
}

/// The masks of types that were met.
#[derive(Default)]
pub(super) struct Types {
    known: FxHashMap<u64, Option<std::rc::Rc<Mask>>>,
    kept: usize,
}

impl Types {
    /// The mask of the type at an address; `None` where there is no type that can be, of a size of at most
    /// `room`, or none that has a mask yet.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn get(
        &mut self,
        memory: &dyn Memory,
        form: &Form,
        address: u64,
        room: u64,
    ) -> Result<Option<std::rc::Rc<Mask>>, ReadError> {
        let mask = match self.known.get(&address) {
            Some(known) => known.clone(),
            None => {
                let read = match read(memory, form, address) {
                    Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                    Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => None,
                    Ok(read) => read.map(std::rc::Rc::new),
                };
                self.keep(address, read.clone());
                read
            }
        };
        Ok(mask.filter(|mask| mask.size <= room))
    }

    fn keep(&mut self, address: u64, mask: Option<std::rc::Rc<Mask>>) {
        if self.kept > MAX_KEPT {
            self.known.clear();
            self.kept = 0;
        }
        self.kept += 64 + mask.as_ref().map_or(0, |mask| 8 * mask.bits.len());
        self.known.insert(address, mask);
    }
}

fn read(memory: &dyn Memory, form: &Form, address: u64) -> Result<Option<Mask>, ReadError> {
    let mut bytes = [0; LEN];
    memory.read(address, &mut bytes)?;
    let word = |at: usize| bytes[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    let (size, pointer_bytes) = (word(SIZE), word(POINTER_BYTES));
    let is_sane = size > 0 && pointer_bytes > 0 && pointer_bytes <= size;
    let is_aligned = size.is_multiple_of(8) && pointer_bytes.is_multiple_of(8);
    let len = (pointer_bytes / 8).div_ceil(8);
    if !is_sane || !is_aligned || len > MAX_MASK {
        return Ok(None);
    }
    let mut mask = word(MASK);
    if form.masks_on_demand {
        if bytes[FLAGS] & ON_DEMAND != 0 {
            mask = memory.read_u64(mask)?;
        }
    } else if bytes[KIND] & PROGRAM != 0 {
        return Ok(None);
    }
    if mask == 0 {
        return Ok(None);
    }
    let bits = memory.read_vec(mask, len as usize)?;
    let bits = bits.chunks(8).map(|bytes| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(eight)
    });
    let bits = bits.collect();
    Ok(Some(Mask { size, pointer_bytes, bits }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pointer_of_a_part_is_told_once() {
        // 70 words with pointers of 80: each third, and the last of the first 64.
        let pointers = |word: u64| word < 70 && (word.is_multiple_of(3) || word == 63);
        let bits = [0..64, 64..128].map(|words: std::ops::Range<u64>| {
            words
                .clone()
                .filter(|word| pointers(*word))
                .fold(0, |bits, word| bits | 1 << (word - words.start))
        });
        let mask = Mask { size: 640, pointer_bytes: 560, bits: Box::new(bits) };
        for (from, to) in [(0, 640), (8, 504), (496, 520), (552, 640), (560, 640), (24, 24)] {
            let mut told = Vec::new();
            mask.each(from, to, |offset| told.push(offset));
            let expected: Vec<u64> =
                (from / 8..to / 8).filter(|word| pointers(*word)).map(|word| word * 8).collect();
            assert_eq!(told, expected, "{from} to {to}");
        }
    }
}
