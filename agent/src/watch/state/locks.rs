//! The lock graph: deadlock cycles, then contended locks.

use super::{has, place_has};
use crate::model::{Assessment, FrameId, LockGraph, LockNode, Waiter};

/// A row of the lock graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock<'a> {
    /// A deadlock cycle, the example of its kind, and how many there are of the kind.
    Cycle {
        /// Its place in the graph.
        index: usize,
        /// Who waits for whom.
        waiters: &'a [Waiter],
        /// How many cycles there are of this kind.
        alike: u64,
    },
    /// A contended lock.
    Lock {
        /// Its place in the graph.
        index: usize,
        /// The lock.
        lock: &'a LockNode,
    },
}

/// The lock graph of a judged window.
#[must_use]
pub fn graph(assessment: &Assessment) -> Option<&LockGraph> {
    assessment.judgement.as_ref().map(|judged| &judged.lock_graph)
}

/// The row of an index: cycles first, then locks.
#[must_use]
pub fn row(assessment: &Assessment, index: usize) -> Option<Lock<'_>> {
    let graph = graph(assessment)?;
    if let Some(waiters) = graph.cycles.get(index) {
        let alike = graph.alike.get(index).copied().unwrap_or(1);
        return Some(Lock::Cycle { index, waiters, alike });
    }
    let index = index - graph.cycles.len();
    graph.locks.get(index).map(|lock| Lock::Lock { index, lock })
}

/// How many rows there are without a filter.
#[must_use]
pub fn count(assessment: &Assessment) -> usize {
    graph(assessment).map_or(0, |graph| graph.cycles.len() + graph.locks.len())
}

/// Indices of the rows with the text, as the graph has them: shortest cycles, then most waiters.
pub(super) fn rows(assessment: &Assessment, filter: &str) -> Vec<usize> {
    let matches =
        |&at: &usize| row(assessment, at).is_some_and(|row| row.matches(assessment, filter));
    (0..count(assessment)).filter(matches).collect()
}

/// What tells a row from others, in every sample.
pub(super) fn key(assessment: &Assessment, index: usize) -> Option<String> {
    row(assessment, index).map(|row| match row {
        Lock::Cycle { waiters, .. } => {
            let ids = waiters.iter().map(|waiter| format!("{}@{:x}", waiter.goid, waiter.object));
            ids.collect::<Vec<_>>().join(" ")
        }
        Lock::Lock { lock, .. } => format!("{:x}", lock.object),
    })
}

impl Lock<'_> {
    /// Whether it has the text in its kind, its address, or the line of a goroutine in it.
    fn matches(self, assessment: &Assessment, filter: &str) -> bool {
        let is_at = |at: Option<FrameId>| at.is_some_and(|at| place_has(assessment, at, filter));
        match self {
            Self::Cycle { waiters, .. } => {
                let waits = |waiter: &Waiter| {
                    is_at(waiter.at) || has(&format!("{:#x}", waiter.object), filter)
                };
                has("deadlock cycle", filter) || waiters.iter().any(waits)
            }
            Self::Lock { lock, .. } => {
                has(lock.kind.name(), filter)
                    || has(&format!("{:#x}", lock.object), filter)
                    || lock.holder.as_ref().is_some_and(|holder| is_at(holder.at))
            }
        }
    }
}
