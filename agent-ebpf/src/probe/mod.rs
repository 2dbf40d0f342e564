//! What is done at each probe.

pub mod allocate;
pub mod create;
pub mod exit;
pub mod open;
pub mod park;

use aya_ebpf::helpers::bpf_ktime_get_ns;

/// Nanoseconds by the clock that Go's `nanotime` reads.
#[inline(always)]
fn now_ns() -> u64 {
    // SAFETY: it takes no argument and cannot fail.
    unsafe { bpf_ktime_get_ns() }
}
