//! Deadlock cycles: goroutines of which each waits for a lock that the next one probably holds.
//!
//! Four kinds: through several locks (AB-BA and longer), through a lock and a wait group, of one
//! goroutine that waits for what it holds, and of a reader behind a writer that waits for the reader.

use std::time::Duration;

use super::holders::Candidates;
use super::waits::{Identified, Waits, wants_to_lock};
use super::{DOUBTFUL, long};
use crate::model::{Goroutine, Mention, Observation, WaitClass};

/// Goroutines that wait for each other, in the order in which each waits for the next, with the lock (as an
/// index) that it waits for.
pub(super) type Cycle<'a> = Vec<(Identified<'a>, usize)>;

/// How often a plain `Lock` leaves the lock's address in the frames outside package sync: once for
/// the call, once for the function that calls it (Go 1.21 to 1.27, amd64).
const LOCK_MENTIONS: u32 = 2;
/// The same for an `RLock`, which is inlined and keeps nothing for its call.
const RLOCK_MENTIONS: u32 = 1;

/// A likely holder that waits for another contended lock.
#[derive(Clone, Copy)]
struct Edge<'a> {
    holder: Identified<'a>,
    /// The lock that it waits for.
    next: usize,
    /// Whether it stands beside others that do not wait for locks.
    doubtful: bool,
}

/// All cycles, and for the locks in them the holders that they name.
pub(super) fn find<'a>(
    observation: &'a Observation,
    waits: &Waits<'a>,
    candidates: &Candidates<'a>,
    held: &mut [Option<Identified<'a>>],
    passed: impl Fn(u64) -> Option<Duration>,
) -> Vec<Cycle<'a>> {
    let stuck = |goroutine: &Goroutine, lock: usize, least: Duration| {
        let waited = goroutine.blocked.map_or(Duration::ZERO, |blocked| blocked.duration);
        let since = observation.elapsed.checked_sub(waited);
        let passed = passed(waits.locks[lock].address);
        waited >= least && passed.is_none_or(|passed| since.is_some_and(|since| passed < since))
    };
    let mut cycles = Vec::new();
    for cycle in rings(&best(edges(waits, candidates))) {
        let least =
            if cycle.iter().any(|&(_, edge)| edge.doubtful) { DOUBTFUL } else { long(observation) };
        if cycle.iter().all(|&(_, edge)| stuck(&edge.holder, edge.next, least)) {
            for &(lock, edge) in &cycle {
                held[lock] = Some(edge.holder);
            }
            cycles.push(cycle.iter().map(|&(_, edge)| (edge.holder, edge.next)).collect());
        }
    }
    // Its holder may be one of those whose stacks there was no time to search.
    let least =
        if observation.coverage.stacks_unsearched > 0 { DOUBTFUL } else { long(observation) };
    for (lock, held) in held.iter_mut().enumerate() {
        let cycle = within(observation, waits, candidates, lock);
        if !cycle.is_empty() && cycle.iter().all(|goroutine| stuck(goroutine, lock, least)) {
            *held = cycle.first().copied();
            cycles.push(cycle.into_iter().map(|goroutine| (goroutine, lock)).collect());
        }
    }
    cycles
}

/// For each lock, those of its candidates that wait for another one.
fn edges<'a>(waits: &Waits<'a>, candidates: &Candidates<'a>) -> Vec<Vec<Edge<'a>>> {
    let of_lock = |(lock, others): (usize, &Vec<Identified<'a>>)| {
        let kind = waits.locks[lock].kind;
        if !waits.locks[lock].is_held()
            || !others.iter().any(|it| waits.lock_wanted_by(it.goid).is_some())
        {
            return Vec::new();
        }
        // A wait group is done when all are done: others beside the one raise no doubt.
        let doubtful = kind != WaitClass::WaitGroup
            && candidates.without_parents(waits, lock).any(|it| !wants_to_lock(&it));
        let mut edges = Vec::new();
        for &holder in others {
            let Some(next) = waits.lock_wanted_by(holder.goid) else { continue };
            // Whoever waits for a wait group knows its workers' locks, and need hold none of them.
            let holds = wants_to_lock(&holder)
                || (holder.wait == WaitClass::WaitGroup
                    && kind != WaitClass::WaitGroup
                    && others.len() == 1
                    && !candidates.may_be_held_unseen(waits, lock));
            if holds {
                edges.push(Edge { holder, next, doubtful });
            }
        }
        edges
    };
    candidates.others.iter().enumerate().map(of_lock).collect()
}

/// For each lock from which one gets to a cycle, the edge to take: to the holder that has waited
/// longest.
fn best<'a>(edges: Vec<Vec<Edge<'a>>>) -> Vec<Option<Edge<'a>>> {
    let mut left: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut towards: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (lock, edges) in edges.iter().enumerate() {
        edges.iter().for_each(|edge| towards[edge.next].push(lock));
    }
    // What leads nowhere goes, then what leads only there, and so on.
    let mut ends: Vec<usize> = (0..edges.len()).filter(|&lock| left[lock] == 0).collect();
    while let Some(end) = ends.pop() {
        for &lock in &towards[end] {
            left[lock] -= 1;
            if left[lock] == 0 {
                ends.push(lock);
            }
        }
    }
    let longest = |edges: &Vec<Edge<'a>>| {
        let leading = edges.iter().filter(|edge| left[edge.next] > 0);
        let waited = |edge: &Edge<'_>| edge.holder.blocked.map(|blocked| blocked.duration);
        leading.copied().min_by_key(|edge| (std::cmp::Reverse(waited(edge)), edge.holder.goid))
    };
    edges.iter().map(longest).collect()
}

/// The rings of a graph in which every node has one way on at most: each as locks and the edges that
/// lead on from them.
fn rings<'a>(best: &[Option<Edge<'a>>]) -> Vec<Vec<(usize, Edge<'a>)>> {
    let mut rings = Vec::new();
    // The walk on which a lock was first met.
    let mut met = vec![usize::MAX; best.len()];
    for start in 0..best.len() {
        let (mut at, mut path) = (start, Vec::new());
        while let Some(edge) = best[at].filter(|_| met[at] == usize::MAX) {
            met[at] = start;
            path.push((at, edge));
            at = edge.next;
        }
        if met[at] == start
            && let Some(from) = path.iter().position(|&(lock, _)| lock == at)
        {
            let mut ring = path.split_off(from);
            // A ring has no first: the oldest goroutine is.
            let oldest = (0..ring.len()).min_by_key(|&place| ring[place].1.holder.goid);
            ring.rotate_left(oldest.unwrap_or(0));
            rings.push(ring);
        }
    }
    rings
}

/// The cycle of those who wait for one lock that they themselves hold: one who locks it again, or a
/// reader who reads again, and the writer in between. Empty without one.
fn within<'a>(
    observation: &Observation,
    waits: &Waits<'a>,
    candidates: &Candidates<'a>,
    lock: usize,
) -> Vec<Identified<'a>> {
    let is_lock = matches!(waits.locks[lock].kind, WaitClass::Mutex | WaitClass::RwMutex);
    if !is_lock || !candidates.others[lock].is_empty() {
        return Vec::new();
    }
    let reads = |goroutine: &Goroutine| {
        let reason = observation.reason_of(goroutine);
        reason.is_some_and(|reason| reason.starts_with("sync.RWMutex.RLock"))
    };
    let holds = |&&(goroutine, mention): &&(Identified<'_>, Mention)| {
        let plain = if reads(&goroutine) { RLOCK_MENTIONS } else { LOCK_MENTIONS };
        mention.times > plain || mention.outer > 0
    };
    let most = |&&(goroutine, mention): &&(Identified<'a>, Mention)| {
        (mention.outer, mention.times, std::cmp::Reverse(goroutine.goid))
    };
    let Some(&(holder, _)) = candidates.own[lock].iter().filter(holds).max_by_key(most) else {
        return Vec::new();
    };
    if candidates.may_be_held_unseen(waits, lock) {
        return Vec::new();
    }
    if !reads(&holder) {
        return vec![holder];
    }
    // A reader waits for nothing but a writer.
    let writers = waits.locks[lock].waiters.iter().copied();
    let writer =
        writers.filter(|it| it.wait == WaitClass::RwMutex && !reads(it)).min_by_key(|it| it.goid);
    match writer {
        Some(writer) => vec![holder, writer],
        None => vec![holder],
    }
}
