//! Goroutines that wait for a lock which their own path holds. A reader waits for a writer, which waits for the reader;
//! whoever holds it alone waits for itself.
//!
//! Who holds a lock is recorded nowhere, and in the lock graph anybody else who knows the lock may hold it, too. The
//! code shows that a call is made with the lock held, and the stack that the goroutine came through that call. Nobody
//! can hold the lock for writing beside a reader, so that one can only wait for a writer that waits for it.

use std::collections::{BTreeMap, HashMap};

use super::case::Case;
use super::code::Confidence;
use super::lockwait::{CodeCycle, Member};
use crate::model::source_rule::LockMistake;
use crate::model::{LockGraph, Mistake, WaitClass};

/// Puts them, and the writers that readers wait for, into deadlock cycles; and all others who wait for their locks
/// behind them.
pub(super) fn confirm(cases: &mut [Case<'_>], graph: &mut LockGraph) {
    // The largest case of each lock stands for all.
    let mut holding: BTreeMap<u64, usize> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate() {
        if let Some(lock) = held_by_own_path(case) {
            holding.entry(lock).or_insert(at);
        }
    }
    if holding.is_empty() {
        return;
    }
    let mut waiting: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, case) in cases.iter().enumerate() {
        if let Some(lock) = case.locks.only_lock().filter(|lock| holding.contains_key(lock)) {
            waiting.entry(lock).or_default().push(at);
        }
    }
    let known = cases.iter().flat_map(|case| case.locks.cycle_numbers()).max();
    let numbers = known.map_or(0, |last| last + 1)..;
    for ((&lock, &holder), number) in holding.iter().zip(numbers) {
        let waiting = waiting.remove(&lock).unwrap_or_default();
        let is_reader = waits_to_read(&cases[holder]);
        let writer = waiting.iter().copied().find(|&at| is_reader && waits_to_write(&cases[at]));
        let members = [Some(holder), writer].into_iter().flatten();
        let members = members.filter_map(|at| member(&cases[at])).collect();
        let Some(cycle) = CodeCycle::of(number, lock, members) else { continue };
        for at in waiting {
            let is_member = at == holder || Some(at) == writer;
            let oldest = cases[at].oldest.unwrap_or_default();
            cases[at].locks.put_behind(&cycle, is_member.then_some(oldest));
        }
        cycle.add_to(graph);
    }
}

/// The lock that they wait for and hold.
fn held_by_own_path(case: &Case<'_>) -> Option<u64> {
    let is_known = case.locks.in_cycles.count > 0 || case.locks.contradicts_source();
    if !matches!(case.wait(), WaitClass::Mutex | WaitClass::RwMutex) || is_known {
        return None;
    }
    // Of several that wait at the same place for the same lock one at most can hold it alone.
    let may_hold_alone = case.count == 1 && case.hints.is_as_sure_as(Confidence::Medium);
    let may_hold = |reading: bool| if reading { waits_to_read(case) } else { may_hold_alone };
    let Mistake::Lock(mistake) = &case.hints.mistake.as_ref()?.mistake else { return None };
    let holds = match mistake {
        LockMistake::TakenTwice { reading, .. } => may_hold(*reading),
        LockMistake::HeldByCaller { reading, call, .. } => {
            may_hold(*reading) && came_through(case, *call)
        }
        LockMistake::Upgraded { .. } => may_hold_alone,
        _ => false,
    };
    case.locks.only_lock().filter(|_| holds)
}

/// Whether the stack has a call in this line of the package.
fn came_through(case: &Case<'_>, line: u32) -> bool {
    let folder = |file: &'_ str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let Some(blocked) = case.blocked_at() else { return false };
    case.frames().any(|frame| frame.line == line && folder(frame.file) == folder(blocked.file))
}

fn waits_to_read(case: &Case<'_>) -> bool {
    waits_in(case, "sync.RWMutex.RLock")
}

fn waits_to_write(case: &Case<'_>) -> bool {
    waits_in(case, "sync.RWMutex.Lock")
}

fn waits_in(case: &Case<'_>, reason: &str) -> bool {
    case.wait() == WaitClass::RwMutex && case.group.reason.as_deref() == Some(reason)
}

fn member(case: &Case<'_>) -> Option<Member> {
    let goid = *case.group.goids_sample.first()?;
    Some(Member { goid, wait: case.wait(), at: case.group.blocked_at })
}

#[cfg(test)]
mod tests;
