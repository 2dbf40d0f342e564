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

/// Adds the words of a range. What is not mapped there has none.
pub(super) fn push_words(
    memory: &dyn Memory,
    (start, end): (u64, u64),
    words: &mut Vec<u64>,
) -> Result<(), ReadError> {
    let mut at = start;
    while at < end {
        let len = CHUNK.min(end - at);
        if !push(memory, (at, len), words)? {
            // Some pages of it may be there.
            let mut page = at;
            while page < at + len {
                let next = (page + 1).next_multiple_of(PAGE).min(at + len);
                push(memory, (page, next - page), words)?;
                page = next;
            }
        }
        at += len;
    }
    Ok(())
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
