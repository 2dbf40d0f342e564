//! Whether the agent has the memory that a walk takes: what it cannot get ends it, or its whole control group.

use thiserror::Error;

use crate::host::memory::{Allowance, address_space};
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
    let limits = [
        ("its control group (memory.max)", Allowance::read()),
        ("the limit of its address space (ulimit -v)", address_space()),
    ];
    within(limits, pid, heap_bytes)
}

fn within(
    limits: [(&'static str, Option<Allowance>); 2],
    pid: u32,
    heap_bytes: u64,
) -> Result<(), NoRoom> {
    let needed_bytes = BASE_BYTES.saturating_add(heap_bytes / PART);
    let limits = limits.into_iter().filter_map(|(limit, allowance)| Some((limit, allowance?)));
    let Some((limit, least)) = limits.min_by_key(|(_, allowance)| allowance.left_bytes()) else {
        return Ok(());
    };
    let (limit_bytes, left_bytes) = (least.limit_bytes, least.left_bytes());
    if needed_bytes <= left_bytes {
        return Ok(());
    }
    Err(NoRoom { pid, heap_bytes, needed_bytes, limit, limit_bytes, left_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_limit_decides() {
        let limit = |mib: u64| Some(Allowance { limit_bytes: mib << 20, used_bytes: 20 << 20 });
        let check = |group, space, heap_mib: u64| {
            let refused = within([("group", group), ("space", space)], 7, heap_mib << 20);
            refused.err().map(|it| (it.limit, it.left_bytes >> 20))
        };
        assert_eq!(check(None, None, 1 << 20), None);
        assert_eq!(check(limit(64), limit(32), 1), None);
        assert_eq!(check(limit(64), limit(32), 200), Some(("space", 12)));
        assert_eq!(check(limit(24), limit(32), 1), Some(("group", 4)));
        assert_eq!(check(limit(128), None, 2500), None);
        assert_eq!(check(limit(128), None, 2501), Some(("group", 108)));
    }
}
