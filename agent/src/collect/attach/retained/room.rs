//! Whether the agent has the memory that a walk takes: what it cannot get ends it, or its whole control group.

use thiserror::Error;

use crate::host::memory::{Allowance, tightest};
use crate::units::bytes;

/// A walk keeps some bits for each object, and the structures of spans: less than this part of the heap.
const PART: u64 = 25;
/// What it takes however small the heap is.
const BASE_BYTES: u64 = 8 << 20;

/// A walk of a heap would take more memory than the agent may.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "a walk of the heap of process {pid} ({}) may take {}, and {limit} leaves leak-agent {} of {}",
    bytes(*heap_bytes), bytes(*needed_bytes), bytes(*left_bytes), bytes(*limit_bytes)
)]
pub struct NoRoom {
    /// The target.
    pub pid: u32,
    /// The target's heap: spans that hold objects.
    pub heap_bytes: u64,
    /// What the walk may take.
    pub needed_bytes: u64,
    /// What limits the agent.
    pub limit: &'static str,
    /// To how much.
    pub limit_bytes: u64,
    /// What is left of that.
    pub left_bytes: u64,
}

/// That a walk of so large a heap fits into what limits the agent.
pub(super) fn check(pid: u32, heap_bytes: u64) -> Result<(), NoRoom> {
    within(tightest(), pid, heap_bytes)
}

fn within(
    limit: Option<(&'static str, Allowance)>,
    pid: u32,
    heap_bytes: u64,
) -> Result<(), NoRoom> {
    let needed_bytes = BASE_BYTES.saturating_add(heap_bytes / PART);
    let Some((limit, it)) = limit.filter(|(_, it)| it.left_bytes() < needed_bytes) else {
        return Ok(());
    };
    let (limit_bytes, left_bytes) = (it.limit_bytes, it.left_bytes());
    Err(NoRoom { pid, heap_bytes, needed_bytes, limit, limit_bytes, left_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_heap_takes_more() {
        let limit = |mib: u64| Allowance { limit_bytes: mib << 20, used_bytes: 20 << 20 };
        let check = |limit: Option<Allowance>, heap_mib: u64| {
            let refused = within(limit.map(|it| ("group", it)), 7, heap_mib << 20);
            refused.err().map(|it| (it.limit, it.left_bytes >> 20))
        };
        assert_eq!(check(None, 1 << 20), None);
        assert_eq!(check(Some(limit(32)), 1), None);
        assert_eq!(check(Some(limit(32)), 200), Some(("group", 12)));
        assert_eq!(check(Some(limit(128)), 2500), None);
        assert_eq!(check(Some(limit(128)), 2501), Some(("group", 108)));
    }
}
