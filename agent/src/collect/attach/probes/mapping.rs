//! The memory of a kernel map, read in place while programs write it.
#![allow(unsafe_code)]

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// A map's words, for reading.
pub(super) struct Mapping {
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the memory belongs to the mapping alone, and is only read, as atomics.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the first `words` words of an array map that was made to be mapped.
    pub(super) fn new(map: impl AsFd, words: usize) -> io::Result<Self> {
        let bytes = words.checked_mul(size_of::<u64>()).and_then(NonZeroUsize::new);
        let bytes = bytes.ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: the kernel chooses an address where nothing else is mapped.
        let start =
            unsafe { mmap(None, bytes, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, map, 0)? };
        Ok(Self { start: start.cast(), words })
    }

    /// The words, as they are while they are read.
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY: so much was mapped, page-aligned, and stays mapped for as long as `self` lives;
        // nobody in this process writes it, and the kernel's writes are what atomics are for.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and no reference outlives `self`. It cannot
        // fail for a range that is mapped.
        let _ = unsafe { munmap(self.start.cast(), self.words * size_of::<u64>()) };
    }
}
