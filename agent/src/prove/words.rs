//! Ranges of memory any word of which may be a pointer.

use crate::golang::memory::{Memory, ReadError};

/// Where vector registers are saved they have at most so many bytes (`runtime.xRegState`: 32 of 64 bytes, 8 masks).
pub(super) const SAVED_REGISTERS: u64 = 32 * 64 + 8 * 8;

/// Adds the words of a range. What is not mapped there has none.
pub(super) fn push_words(
    memory: &dyn Memory,
    (start, end): (u64, u64),
    words: &mut Vec<u64>,
) -> Result<(), ReadError> {
    const CHUNK: u64 = 64 << 10;
    let mut at = start;
    while at < end {
        let len = CHUNK.min(end - at);
        match memory.read_vec(at, len as usize) {
            Ok(bytes) => {
                words.extend(bytes.as_chunks::<8>().0.iter().map(|it| u64::from_le_bytes(*it)));
            }
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => {}
        }
        at += len;
    }
    Ok(())
}
