//! What only a judge can say of the whole process: how its count went, who waits for whose lock.

use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;

use super::hex;
use crate::model::{Group, Holder, LockGraph, LockNode, Rise, RiseVerdict, Rising, Waiter};

/// A count over time.
pub(super) struct History<'a>(pub(super) &'a [(f64, u64)]);

impl Serialize for History<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Point {
            seconds: f64,
            goroutines: u64,
        }
        let points = self.0.iter().map(|&(seconds, goroutines)| Point { seconds, goroutines });
        serializer.collect_seq(points)
    }
}

/// What makes the number of goroutines rise.
#[derive(Serialize)]
pub(super) struct RiseDoc<'a> {
    from: u64,
    to: u64,
    per_second: f64,
    /// By how many goroutines groups rise that findings are made of, and by how many all others do.
    explained: u64,
    unexplained: u64,
    /// Some of the groups that rise.
    groups: Vec<RisingDoc<'a>>,
}

#[derive(Serialize)]
struct RisingDoc<'a> {
    signature: Option<&'a str>,
    more: u64,
    /// The id of the finding; null where it is none.
    finding: Option<&'a str>,
    /// Why it is none.
    reason: Option<&'a str>,
}

impl<'a> RiseDoc<'a> {
    pub(super) fn new(rise: &'a Rise, groups: &'a [Group]) -> Self {
        let rising = |rising: &'a Rising| {
            let (finding, reason) = match &rising.verdict {
                RiseVerdict::Finding(id) => (Some(&**id), None),
                RiseVerdict::Ignored(why) | RiseVerdict::NoLeak(why) => (None, Some(&**why)),
            };
            let signature = groups.get(rising.group).map(|group| &*group.signature);
            RisingDoc { signature, more: rising.more, finding, reason }
        };
        Self {
            from: rise.from,
            to: rise.to,
            per_second: rise.per_second,
            explained: rise.explained,
            unexplained: rise.unexplained,
            groups: rise.groups.iter().map(rising).collect(),
        }
    }
}

/// Who waits for whose lock, over the whole process.
#[derive(Serialize)]
pub(super) struct LockGraphDoc<'a> {
    locks: Vec<LockDoc<'a>>,
    /// One deadlock cycle of each kind.
    cycles: Vec<Vec<WaiterDoc<'a>>>,
    /// How many there are of each kind.
    cycle_counts: &'a [u64],
    /// Contended locks beyond those listed.
    more: u64,
    /// Cycles of kinds beyond those listed.
    more_cycles: u64,
}

impl<'a> LockGraphDoc<'a> {
    pub(super) fn new(graph: &'a LockGraph) -> Self {
        Self {
            locks: graph.locks.iter().map(LockDoc::new).collect(),
            cycles: graph.cycles.iter().map(|cycle| waiters(cycle)).collect(),
            cycle_counts: &graph.alike,
            more: graph.more,
            more_cycles: graph.more_cycles,
        }
    }
}

#[derive(Serialize)]
struct LockDoc<'a> {
    object: String,
    wait_class: &'static str,
    waiting: u64,
    goids_sample: &'a [u64],
    oldest_seconds: Option<f64>,
    likely_holder: Option<HolderDoc<'a>>,
    /// Whether it was seen to pass from hand to hand while they waited.
    passes: bool,
}

impl<'a> LockDoc<'a> {
    fn new(lock: &'a LockNode) -> Self {
        Self {
            object: hex(lock.object),
            wait_class: lock.kind.name(),
            waiting: lock.waiting,
            goids_sample: &lock.waiters,
            oldest_seconds: lock.oldest.as_ref().map(Duration::as_secs_f64),
            likely_holder: lock.holder.as_ref().map(HolderDoc::new),
            passes: lock.passes,
        }
    }
}

/// A goroutine and the lock that it waits for.
#[derive(Serialize)]
pub(super) struct WaiterDoc<'a> {
    goid: u64,
    object: String,
    at: Option<&'a str>,
}

/// A circle's goroutines, each waiting for the next.
pub(super) fn waiters(cycle: &[Waiter]) -> Vec<WaiterDoc<'_>> {
    let waiters = cycle.iter().map(|waiter| WaiterDoc {
        goid: waiter.goid,
        object: hex(waiter.object),
        at: known(&waiter.at),
    });
    waiters.collect()
}

/// Who probably holds a lock.
#[derive(Serialize)]
pub(super) struct HolderDoc<'a> {
    goid: u64,
    doing: &'a str,
    is_stuck: bool,
    at: Option<&'a str>,
}

impl<'a> HolderDoc<'a> {
    pub(super) fn new(holder: &'a Holder) -> Self {
        Self {
            goid: holder.goid,
            doing: &holder.doing,
            is_stuck: holder.is_stuck,
            at: known(&holder.at),
        }
    }
}

/// A place that is not known is an empty text in the model.
fn known(at: &str) -> Option<&str> {
    Some(at).filter(|at| !at.is_empty())
}
