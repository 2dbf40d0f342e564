//! How the kernel holds a probe: two ways, by its version.

use std::fmt;

use crate::host::probes::uprobe_multi;

/// How the kernel holds a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A `uprobe_multi` link: kernel 6.6, CAP_BPF and CAP_PERFMON, quick to detach.
    UprobeMulti,
    /// A perf event: every kernel that is supported, mostly with CAP_SYS_ADMIN.
    PerfEvent,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UprobeMulti => "uprobe_multi",
            Self::PerfEvent => "perf event",
        })
    }
}

impl Method {
    /// The best that this kernel has. Where it cannot tell, the newer one is tried: it needs less.
    pub(super) fn best() -> Self {
        if uprobe_multi().is_no() { Self::PerfEvent } else { Self::UprobeMulti }
    }
}
