//! Ranges of memory any word of which may be a pointer.

use crate::golang::memory::{Memory, ReadError};

/// Since Go 1.26 vector registers of goroutines that are interrupted are not saved on their stacks.
pub(super) const SAVED_ELSEWHERE: u16 = 26;
/// Where vector registers are saved they have at most so many bytes (`runtime.xRegState`: 32 of 64 bytes, 8 masks).
pub(super) const SAVED_REGISTERS: u64 = 32 * 64 + 8 * 8;

/// So much is read at once.
const CHUNK: u64 = 64 << 10;
/// A page, at the least.
const PAGE: u64 = 4096;

/// Adds the words of a range. What is not mapped there has none. Whether all of it is.
pub(super) fn push_words(
    memory: &dyn Memory,
    (start, end): (u64, u64),
    words: &mut Vec<u64>,
) -> Result<bool, ReadError> {
    let (mut at, mut is_all) = (start, true);
    while at < end {
        let len = CHUNK.min(end - at);
        if !push(memory, (at, len), words)? {
            // Some pages of it may be there.
            let mut page = at;
            while page < at + len {
                let next = (page + 1).next_multiple_of(PAGE).min(at + len);
                is_all &= push(memory, (page, next - page), words)?;
                page = next;
            }
        }
        at += len;
    }
    Ok(is_all)
}

/// Whether it could be read.
fn push(
    memory: &dyn Memory,
    (at, len): (u64, u64),
    words: &mut Vec<u64>,
) -> Result<bool, ReadError> {
    match memory.read_vec(at, len as usize) {
        Ok(bytes) => {
            words.extend(bytes.as_chunks::<8>().0.iter().map(|it| u64::from_le_bytes(*it)));
            Ok(true)
        }
        Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
        Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Memory whose words are their addresses, but for one page.
    struct WithHole;

    const HOLE: u64 = 0x13000;

    impl Memory for WithHole {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let len = buf.len();
            if addr < HOLE + PAGE && addr + len as u64 > HOLE {
                return Err(ReadError::Unmapped { addr, len });
            }
            for (at, chunk) in (addr..).step_by(8).zip(buf.chunks_mut(8)) {
                chunk.copy_from_slice(&at.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    #[test]
    fn a_page_that_is_not_there_costs_no_other() {
        let words = |start, end| {
            let mut words = Vec::new();
            let is_all = push_words(&WithHole, (start, end), &mut words).unwrap();
            (words, is_all)
        };
        let range = |start: u64, end: u64| (start..end).step_by(8).collect::<Vec<_>>();
        assert_eq!(words(0x10ff8, 0x12000), (range(0x10ff8, 0x12000), true));
        let around = [range(0x11008, HOLE), range(HOLE + PAGE, 0x50000)].concat();
        assert_eq!(words(0x11008, 0x50000), (around, false));
        assert_eq!(words(HOLE + 8, HOLE + 16), (Vec::new(), false));
    }
}
