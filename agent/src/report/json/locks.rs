//! Who waits for whose lock.

use std::borrow::Cow;

use super::{hex, seconds};
use crate::model::{Holder, LockGraph, LockNode, Waiter};
use crate::report::schema::{HolderDoc, LockDoc, LockGraphDoc, WaiterDoc};

/// The graph of the whole process.
pub(super) fn graph(graph: &LockGraph) -> LockGraphDoc<'_> {
    LockGraphDoc {
        locks: graph.locks.iter().map(lock).collect(),
        cycles: graph.cycles.iter().map(|cycle| waiters(cycle)).collect(),
        cycle_counts: graph.alike.clone(),
        more: graph.more,
        more_cycles: graph.more_cycles,
    }
}

fn lock(lock: &LockNode) -> LockDoc<'_> {
    LockDoc {
        object: hex(lock.object),
        wait_class: lock.kind,
        waiting: lock.waiting,
        goids_sample: lock.waiters.clone(),
        oldest_seconds: seconds(lock.oldest),
        likely_holder: lock.holder.as_ref().map(holder),
        passes: lock.passes,
    }
}

/// A deadlock cycle's goroutines, each waiting for the next.
pub(super) fn waiters(cycle: &[Waiter]) -> Vec<WaiterDoc<'_>> {
    let waiters = cycle.iter().map(|waiter| WaiterDoc {
        goid: waiter.goid,
        object: hex(waiter.object),
        at: known(&waiter.at),
    });
    waiters.collect()
}

/// Who probably holds a lock.
pub(super) fn holder(holder: &Holder) -> HolderDoc<'_> {
    HolderDoc {
        goid: holder.goid,
        doing: (&holder.doing).into(),
        is_stuck: holder.is_stuck,
        at: known(&holder.at),
    }
}

/// A place that is not known is an empty text in the model.
fn known(at: &str) -> Option<Cow<'_, str>> {
    Some(at).filter(|at| !at.is_empty()).map(Into::into)
}
