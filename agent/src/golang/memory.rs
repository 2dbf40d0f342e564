//! Somebody's memory, read by address.
//!
//! A live process, a clone of one, a core file and a test's image are all read alike through [`Memory`].

use thiserror::Error;

/// A read that could not be done.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The address is not mapped (or no longer), or the read would go past what is.
    #[error("cannot read {len} bytes at {addr:#x}: not mapped")]
    Unmapped {
        /// Where.
        addr: u64,
        /// How much.
        len: usize,
    },
    /// The process is gone.
    #[error("the process has exited")]
    Exited,
    /// The kernel refuses.
    #[error("no permission to read the memory of the process")]
    Denied,
    /// Anything else that the kernel said.
    #[error("cannot read {len} bytes at {addr:#x}")]
    Os {
        /// Where.
        addr: u64,
        /// How much.
        len: usize,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
}

/// A piece of memory to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first address.
    pub addr: u64,
    /// Its length in bytes.
    pub len: u32,
}

/// Memory that can be read by address. Reading never changes or stops its owner.
pub trait Memory {
    /// Fills `buf` with what stands at `addr`.
    ///
    /// # Errors
    /// When not every byte could be read; `buf` is then unspecified.
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError>;

    /// Reads many spans one behind the other into `buf`, which has their lengths' sum, and calls
    /// `failed` with the index of each span that could not be read (its bytes are then zero).
    ///
    /// # Errors
    /// When nothing more can be read at all: the process is gone, or access is refused.
    fn read_spans(
        &self,
        spans: &[Span],
        buf: &mut [u8],
        failed: &mut dyn FnMut(usize),
    ) -> Result<(), ReadError> {
        let mut rest = buf;
        for (index, span) in spans.iter().enumerate() {
            let (this, behind) = rest.split_at_mut(span.len as usize);
            match self.read(span.addr, this) {
                Ok(()) => {}
                Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => {
                    this.fill(0);
                    failed(index);
                }
            }
            rest = behind;
        }
        Ok(())
    }

    /// The 64-bit little-endian word at `addr`.
    ///
    /// # Errors
    /// As [`Memory::read`].
    fn read_u64(&self, addr: u64) -> Result<u64, ReadError> {
        let mut word = [0; 8];
        self.read(addr, &mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    /// `len` bytes at `addr`. The caller bounds `len`: it may come from the target.
    ///
    /// # Errors
    /// As [`Memory::read`].
    fn read_vec(&self, addr: u64, len: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![0; len];
        self.read(addr, &mut bytes)?;
        Ok(bytes)
    }
}
