//! Who waits for whose lock.

use super::{hex, seconds};
use crate::model::{FrameId, Holder, LockGraph, LockNode, StackTable, Waiter};
use crate::report::phrases;
use crate::report::schema::{HolderDoc, LockDoc, LockGraphDoc, WaiterDoc};

/// The graph of the whole process.
pub(super) fn graph(graph: &LockGraph, stacks: &StackTable) -> LockGraphDoc<'static> {
    LockGraphDoc {
        locks: graph.locks.iter().map(|it| lock(it, stacks)).collect(),
        cycles: graph.cycles.iter().map(|cycle| waiters(cycle, stacks)).collect(),
        cycle_counts: graph.alike.clone(),
        more: graph.more,
        more_cycles: graph.more_cycles,
    }
}

fn lock(lock: &LockNode, stacks: &StackTable) -> LockDoc<'static> {
    LockDoc {
        object: hex(lock.object),
        wait_class: lock.kind,
        waiting: lock.waiting,
        goids_sample: lock.waiters.clone(),
        oldest_seconds: seconds(lock.oldest),
        likely_holder: lock.holder.map(|it| holder(it, stacks)),
        passes: lock.passes,
    }
}

/// A deadlock cycle's goroutines, each waiting for the next.
pub(super) fn waiters(cycle: &[Waiter], stacks: &StackTable) -> Vec<WaiterDoc<'static>> {
    let waiters = cycle.iter().map(|waiter| WaiterDoc {
        goid: waiter.goid,
        object: hex(waiter.object),
        at: place(waiter.at, stacks).map(Into::into),
    });
    waiters.collect()
}

/// Who probably holds a lock.
pub(super) fn holder(holder: Holder, stacks: &StackTable) -> HolderDoc<'static> {
    HolderDoc {
        goid: holder.goid,
        doing: phrases::does(holder.doing).into(),
        is_stuck: holder.is_stuck,
        at: place(holder.at, stacks).map(Into::into),
    }
}

fn place(at: Option<FrameId>, stacks: &StackTable) -> Option<String> {
    phrases::place(stacks, at?)
}
