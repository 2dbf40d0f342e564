//! Adding to shared words: a probe can be interrupted by another one on its own processor.
//!
//! Rust has no atomics for this target, so these are BPF's own instructions.

use core::arch::asm;

/// Adds to a word.
///
/// # Safety
/// `word` points to a 64-bit word of a map.
#[inline(always)]
pub unsafe fn add(word: *mut u64, amount: u64) {
    // SAFETY: as the caller promises.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) word, in(reg) amount) };
}

/// Adds to a word, says what it was before, and keeps every other access to memory on its side.
///
/// # Safety
/// As for [`add`].
#[inline(always)]
pub unsafe fn fetch_add(word: *mut u64, amount: u64) -> u64 {
    let mut amount = amount;
    // SAFETY: as the caller promises.
    unsafe {
        asm!("{1} = atomic_fetch_add((u64 *)({0} + 0), {1})", in(reg) word, inout(reg) amount);
    }
    amount
}
