//! The target's memory: read, never written.

use aya_ebpf::helpers::bpf_probe_read_user;
use leak_agent_common::limits::SKIPPED_FRAMES;
use leak_agent_common::{Site, limits::STACK_FRAMES};

use crate::settings::settings;

/// What a `runtime.g` says of its goroutine's origin.
pub struct Origin {
    /// Its id.
    pub goid: u64,
    /// Its creator's id.
    pub parent: u64,
    /// Where it was created.
    pub gopc: u64,
    /// Where it started.
    pub startpc: u64,
}

impl Origin {
    /// Reads it; `None` where the target's memory is not there.
    #[inline(always)]
    pub fn read(g: u64) -> Option<Self> {
        let at = settings();
        Some(Self {
            goid: word(g, at.goid)?,
            parent: word(g, at.parent_goid)?,
            gopc: word(g, at.gopc)?,
            startpc: word(g, at.startpc)?,
        })
    }
}

/// A goroutine's id.
#[inline(always)]
pub fn goid(g: u64) -> Option<u64> {
    word(g, settings().goid)
}

/// The frame pointer with which the creator of a goroutine left its own stack, read from the
/// goroutine of the thread's system stack.
#[inline(always)]
pub fn creators_frame(g0: u64) -> Option<u64> {
    let at = settings();
    word(word(word(g0, at.m)?, at.curg)?, at.sched_bp)
}

/// The word at an offset of a struct.
#[inline(always)]
pub fn word(base: u64, offset: u32) -> Option<u64> {
    let address = base.wrapping_add(u64::from(offset)) as *const u64;
    // SAFETY: the kernel checks the address, and says so if nothing can be read there.
    unsafe { bpf_probe_read_user(address) }.ok()
}

/// The `go` statement that created a goroutine.
#[inline(always)]
pub fn gopc(g: u64) -> Option<u64> {
    word(g, settings().gopc)
}

/// The number of the descriptor that an `internal/poll.FD` is for.
#[inline(always)]
pub fn sysfd(fd: u64) -> Option<u64> {
    word(fd, settings().sysfd)
}

/// Where the object of a `runtime.mspan` begins, and how many pages it has.
#[inline(always)]
pub fn span(span: u64) -> Option<[u64; 2]> {
    let address = span.wrapping_add(u64::from(settings().span_start)) as *const [u64; 2];
    // SAFETY: as above.
    unsafe { bpf_probe_read_user(address) }.ok()
}

/// The frame pointer and the return address that stand where a frame pointer points to.
#[inline(always)]
pub fn caller(frame: u64) -> Option<[u64; 2]> {
    // SAFETY: as above.
    unsafe { bpf_probe_read_user(frame as *const [u64; 2]) }.ok()
}

/// Follows frame pointers from `frame`, and keeps the return addresses from `gopc` on: what lies
/// before it is the runtime's own way from the `go` statement to here, over two stacks. Says how
/// many it kept.
#[inline(always)]
pub fn walk(frame: u64, gopc: u64, site: *mut Site) -> u64 {
    let mut frame = frame;
    let mut len = 0;
    for at in 0..STACK_FRAMES + SKIPPED_FRAMES {
        let Some([next, pc]) = caller(frame) else { break };
        if len > 0 || pc == gopc {
            if len >= STACK_FRAMES {
                break;
            }
            // SAFETY: `site` is an element of a map, and the index is below the array's length,
            // which the mask tells the verifier too.
            unsafe { (&raw mut (*site).stack[len & (STACK_FRAMES - 1)]).write_volatile(pc) };
            len += 1;
        } else if at >= SKIPPED_FRAMES {
            break;
        }
        if next == 0 {
            break;
        }
        frame = next;
    }
    len as u64
}
