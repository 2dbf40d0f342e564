//! Deadlock cycles that the code shows, where the lock graph alone cannot.

use std::sync::Arc;
use std::time::Duration;

use super::standing::{Cycles, Standing, Tally};
use crate::model::{Doing, FrameId, Holder, LockGraph, WaitClass, Waiter};

/// A goroutine that waits for a lock, and stands for those like it.
pub(in crate::analyze) struct Member {
    pub(in crate::analyze) goid: u64,
    pub(in crate::analyze) wait: WaitClass,
    /// The line where it waits; `None` where it is not known.
    pub(in crate::analyze) at: Option<FrameId>,
}

/// A cycle around one lock: the first member holds it.
pub(in crate::analyze) struct CodeCycle {
    lock: u64,
    cycles: Arc<Cycles>,
    holder: Holder,
}

impl CodeCycle {
    /// `None` without members. `number` tells it from all other cycles of the judgement.
    pub(in crate::analyze) fn of(number: usize, lock: u64, members: Vec<Member>) -> Option<Self> {
        let first = members.first()?;
        let doing = Doing::Wait { class: first.wait, object: Some(lock), in_cycle: true };
        let holder = Holder { goid: first.goid, doing, is_stuck: true, at: first.at };
        let example = members
            .into_iter()
            .map(|member| Waiter { goid: member.goid, object: lock, at: member.at })
            .collect();
        Some(Self { lock, cycles: Arc::new(Cycles { number, count: 1, example }), holder })
    }

    /// Adds it to a graph.
    pub(in crate::analyze) fn add_to(&self, graph: &mut LockGraph) {
        graph.cycles.push(self.cycles.example.clone());
        graph.alike.push(self.cycles.count);
        if let Some(node) = graph.locks.iter_mut().find(|node| node.object == self.lock) {
            node.holder = Some(self.holder);
        }
    }
}

impl Standing {
    /// The lock that all of them wait for, if it is one.
    pub(in crate::analyze) fn only_lock(&self) -> Option<u64> {
        match self.locks[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Notes that their lock is held in a cycle. One of them is a member of it where `waited` says for how
    /// long.
    pub(in crate::analyze) fn put_behind(&mut self, cycle: &CodeCycle, waited: Option<Duration>) {
        let open = std::mem::take(&mut self.open);
        self.stuck.merge(open);
        let waiters = self.holders.values().map(|(_, waiters)| waiters).sum();
        self.holders.clear();
        self.held_by_others = false;
        match waited {
            Some(longest) => {
                self.in_cycles.merge(Tally { count: 1, longest });
                self.cycles.push(Arc::clone(&cycle.cycles));
            }
            None => {
                let kind = (cycle.holder.at, cycle.holder.doing.without_object());
                self.add_holder(kind, cycle.holder, waiters);
            }
        }
    }
}
