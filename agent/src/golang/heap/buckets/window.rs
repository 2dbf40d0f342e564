//! Memory that is read here and there, mostly near to where it was read before.

use crate::golang::memory::{Memory, ReadError};

/// What is read at once. The runtime takes memory for buckets in pieces of 256 KiB (`persistentChunkSize`).
const BYTES: u64 = 64 << 10;

/// A piece of memory that was read, and all behind it.
pub(super) struct Window<'m> {
    memory: &'m dyn Memory,
    start: u64,
    bytes: Vec<u8>,
}

impl<'m> Window<'m> {
    pub(super) const fn new(memory: &'m dyn Memory) -> Self {
        Self { memory, start: 0, bytes: Vec::new() }
    }

    /// `len` bytes, of which the caller sees to it that they are few; `None` where nothing is mapped.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn read(&mut self, at: u64, len: usize) -> Result<Option<&[u8]>, ReadError> {
        if self.place(at, len).is_none() {
            let start = at & !(BYTES - 1);
            // What it is in may end before the window does.
            if !self.fill(start, BYTES as usize)? || self.place(at, len).is_none() {
                self.fill(at, len)?;
            }
        }
        Ok(self.place(at, len).and_then(|place| self.bytes.get(place..place + len)))
    }

    fn place(&self, at: u64, len: usize) -> Option<usize> {
        let place = usize::try_from(at.checked_sub(self.start)?).ok()?;
        (place.checked_add(len)? <= self.bytes.len()).then_some(place)
    }

    fn fill(&mut self, start: u64, len: usize) -> Result<bool, ReadError> {
        self.bytes.resize(len, 0);
        self.start = start;
        match self.memory.read(start, &mut self.bytes) {
            Ok(()) => Ok(true),
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => {
                self.bytes.clear();
                Ok(false)
            }
        }
    }
}
