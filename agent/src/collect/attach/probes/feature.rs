//! What this kernel can do, asked by trying.

use aya::sys::UProbeMultiFeature;

/// Whether the kernel has something. A refusal for want of permission is no "no".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// It did not let us find out.
    CannotTell {
        /// What it said instead.
        why: String,
    },
}

/// Whether one link can hold probes of one process, all its threads included. Kernel 6.6 has the
/// link; that a pid means the process and not one thread came in 6.10 and in later 6.6s.
#[must_use]
pub fn uprobe_multi() -> Answer {
    match aya::sys::is_uprobe_multi_supported(UProbeMultiFeature::ProcessScopedPidFilter) {
        Ok(true) => Answer::Yes,
        Ok(false) => Answer::No,
        Err(error) => Answer::CannotTell { why: error.to_string() },
    }
}
