//! How much may be unpacked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;

/// Below this, what little was packed may unpack to however much.
const FREE_BYTES: u64 = 16 << 20;

/// How much may be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all; of an archive, of all its files together.
    pub bytes: u64,
    /// How many times as large as what is packed. It counts from 16 MiB on.
    pub ratio: u64,
    /// Files of an archive.
    pub entries: usize,
}

impl Limits {
    /// A text of a million goroutines that all stand at one place packs to a hundredth at best.
    pub const DEFAULT_RATIO: u64 = 500;

    /// So many bytes, and otherwise what is usual.
    #[must_use]
    pub const fn of_bytes(bytes: u64) -> Self {
        Self { bytes, ratio: Self::DEFAULT_RATIO, entries: 10_000 }
    }
}

/// What was packed and unpacked so far.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    limits: Limits,
    unpacked: u64,
    /// Shared with what reads it.
    packed: Arc<AtomicU64>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self::of(limits, 0)
    }

    /// Of what was packed in so many bytes.
    pub(super) fn of(limits: Limits, packed: u64) -> Self {
        Self { limits, unpacked: 0, packed: Arc::new(AtomicU64::new(packed)) }
    }

    pub(super) fn packed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.packed)
    }

    pub(super) const fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// Counts bytes that were unpacked.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.unpacked = self.unpacked.saturating_add(bytes as u64);
        let Limits { bytes, ratio, .. } = self.limits;
        if self.unpacked > bytes {
            return Err(Error::TooLarge { limit: bytes });
        }
        let packed = self.packed.load(Ordering::Relaxed).max(1);
        if self.unpacked > FREE_BYTES && self.unpacked / packed >= ratio {
            return Err(Error::Ratio { ratio });
        }
        Ok(())
    }
}
