//! The two requests for a probe: a `uprobe_multi` link, and a perf event. Whoever tries what the kernel can do
//! and whoever attaches makes the very same.
//!
//! A process that was forked from one of many threads makes them too: nothing here allocates, panics or takes
//! a lock. Each gives the kernel's new descriptor, or -1 and `errno`.

use std::ffi::{CStr, c_int, c_long, c_ulong};
use std::os::fd::RawFd;

const BPF_LINK_CREATE: c_int = 28;
/// The attach type of programs for such links.
pub(super) const BPF_TRACE_UPROBE_MULTI: u32 = 48;

/// `union bpf_attr` (`linux/bpf.h`) for `BPF_LINK_CREATE` with uprobe_multi.
#[repr(C)]
#[derive(Default)]
struct LinkCreate {
    program: u32,
    target: u32,
    attach_type: u32,
    flags: u32,
    path: u64,
    offsets: u64,
    reference_counters: u64,
    cookies: u64,
    count: u32,
    multi_flags: u32,
    pid: u32,
    padding: u32,
}

/// Asks for a link of a program to one offset of a file, in one process; in every process where `pid` is 0.
pub(crate) fn multi_link(program: RawFd, path: &CStr, offset: u64, pid: u32) -> c_long {
    let attr = LinkCreate {
        program: program as u32,
        attach_type: BPF_TRACE_UPROBE_MULTI,
        path: path.as_ptr() as u64,
        offsets: (&raw const offset) as u64,
        count: 1,
        pid,
        ..LinkCreate::default()
    };
    // SAFETY: `attr` is as long as is said; what it points to, one path and one offset, outlives the call.
    unsafe {
        libc::syscall(libc::SYS_bpf, BPF_LINK_CREATE, &raw const attr, size_of::<LinkCreate>())
    }
}

/// `perf_event_attr` (`linux/perf_event.h`), up to its second published size.
#[repr(C)]
#[derive(Default)]
struct EventAttr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint: u32,
    /// The address of the file's path.
    path: u64,
    /// The offset in the file.
    offset: u64,
}

/// `disabled`, `exclude_kernel` and `exclude_hv` among an event's flags: it counts nothing.
pub(super) const HARMLESS: u64 = 1 | 1 << 5 | 1 << 6;
const PERF_FLAG_FD_CLOEXEC: c_ulong = 8;

/// Asks for an event of the kind `pmu` at one offset of a file, in one process; in this one where `pid` is 0.
pub(crate) fn perf_event(pmu: u32, path: &CStr, offset: u64, pid: u32, flags: u64) -> c_long {
    let attr = EventAttr {
        kind: pmu,
        size: size_of::<EventAttr>() as u32,
        flags,
        path: path.as_ptr() as u64,
        offset,
        ..EventAttr::default()
    };
    let (any_cpu, no_group) = (-1, -1);
    // SAFETY: `attr` is as long as it says, and the path in it outlives the call; the rest are plain numbers.
    unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            pid,
            any_cpu,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    }
}
