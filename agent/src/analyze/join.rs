//! One finding a cause: goroutines that come in sets, because one thing that is made has several, are one.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::case::Case;
use super::caused::CauseLine;
use super::detect::Found;
use crate::model::function;
use crate::model::{CauseBasis, DetectorKind, Evidence, Part};

/// What becomes a finding.
pub(super) struct Draft<'a> {
    pub(super) case: Case<'a>,
    pub(super) found: Found,
    pub(super) evidence: Vec<Evidence>,
    pub(super) cause: Option<CauseLine>,
    /// Whether they grow as leaks do.
    pub(super) grows: bool,
    /// The kinds of goroutines that were joined; empty for one.
    pub(super) parts: Vec<Part>,
}

/// Sets that one draft is held against at most.
const MAX_TRIED: usize = 64;

/// How alike the births of two kinds are at least, from 0 to 1, for them to come together.
const MIN_ALIKE: f64 = 0.8;

impl Draft<'_> {
    /// Whether none of the program's own code is on their stacks, and none of it started them.
    fn is_librarys(&self) -> bool {
        !self.cause.is_some_and(|cause| {
            matches!(cause.at.basis, CauseBasis::Stack | CauseBasis::CreationSite)
        }) && self.case.is_librarys()
    }

    /// Whether some of them are part of a deadlock cycle.
    fn is_deadlocked(&self) -> bool {
        self.case.locks.in_cycles.count > 0
    }

    /// The function of the program's own that leads to them.
    fn caused_in(&self) -> Option<&str> {
        self.case.stacks.lookup(self.cause?.at.frame).ok().map(|frame| frame.function)
    }

    /// The library's function that the program calls at the line that leads to them.
    fn callee(&self) -> Option<&str> {
        self.case.stacks.lookup(self.cause?.callee?).ok().map(|frame| frame.function)
    }

    /// The module whose goroutines they are: the first elements of the import path.
    fn module(&self) -> Option<&str> {
        let package = function::package(self.case.entry_function()?);
        let elements = if package.split('/').next()?.contains('.') { 3 } else { 2 };
        let end = package.match_indices('/').nth(elements - 1).map_or(package.len(), |(at, _)| at);
        Some(&package[..end])
    }

    /// Whether this is what the program calls to make something, rather than to use it.
    fn is_made(&self) -> bool {
        let callee = self.cause.and_then(|cause| cause.callee);
        let callee = callee.and_then(|frame| self.case.stacks.lookup(frame).ok());
        callee.is_some_and(|frame| {
            let name = frame.function.rsplit('.').next().unwrap_or_default();
            ["New", "Open", "Dial", "Connect", "Listen", "Start", "Subscribe", "Watch", "Pull"]
                .iter()
                .any(|verb| name.starts_with(verb))
        })
    }

    /// Whether they serve connections that others dial.
    fn accepts(&self) -> bool {
        self.case.calls("net/http.(*conn).serve")
            || self.case.created_by().is_some_and(|site| {
                let name = site.function.rsplit('.').next().unwrap_or_default();
                name == "Serve" || name == "Accept"
            })
    }

    /// Whether both block in one file.
    fn is_beside(&self, other: &Draft<'_>) -> bool {
        let file = |draft: &Draft<'_>| draft.case.blocked_at().map(|frame| frame.file.to_owned());
        file(self).is_some_and(|own| file(other) == Some(own))
    }

    /// Whether the births of both come at the same times.
    fn comes_with(&self, other: &Draft<'_>) -> bool {
        alike(&self.case.life.births, &other.case.life.births) >= MIN_ALIKE
    }
}

/// Joins drafts of one cause, and leaves all others as they are. The order is the one of their heads.
pub(super) fn join(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let mut sets: Vec<Vec<Draft<'_>>> = Vec::new();
    // Where a library's goroutines belong: by the function that leads to them, or else by their module.
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    let (own, mut librarys): (Vec<_>, Vec<_>) =
        drafts.into_iter().partition(|draft| draft.is_deadlocked() || !draft.is_librarys());
    for set in join_cycles(own) {
        // Nothing joins one that does not grow.
        if set[0].grows {
            for function in set.iter().flat_map(functions_of) {
                places.entry(function).or_default().push(sets.len());
            }
        }
        sets.push(set);
    }
    // Those of which more is known come first: the others join them.
    librarys.sort_by_key(|draft| (draft.cause.is_none(), Reverse(draft.case.count)));
    for draft in librarys {
        if !draft.grows {
            sets.push(vec![draft]);
            continue;
        }
        let by_function = draft.caused_in().map(str::to_owned);
        let by_module = draft.module().map(|module| format!("module {module}"));
        let candidates = by_function.iter().chain(&by_module).filter_map(|key| places.get(key));
        let joins = |&&set: &&usize| belongs(&draft, &sets[set][0]);
        let place = candidates.flatten().take(MAX_TRIED).find(joins).copied();
        let place = place.unwrap_or(sets.len());
        for key in by_function.into_iter().chain(by_module) {
            let known = places.entry(key).or_default();
            if known.len() < MAX_TRIED && !known.contains(&place) {
                known.push(place);
            }
        }
        match sets.get_mut(place) {
            Some(set) => set.push(draft),
            None => sets.push(vec![draft]),
        }
    }
    join_ends(sets).into_iter().filter_map(merged).collect()
}

/// Goroutines of one deadlock cycle are one finding, wherever each of them waits.
fn join_cycles(drafts: Vec<Draft<'_>>) -> Vec<Vec<Draft<'_>>> {
    // Each draft's set, as the first draft of it that was met: one in cycles of two sets makes them one.
    let mut first: Vec<usize> = (0..drafts.len()).collect();
    let mut met: HashMap<usize, usize> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        for number in draft.case.locks.cycle_numbers() {
            let other = root(&first, *met.entry(number).or_insert(at));
            let own = root(&first, at);
            first[own.max(other)] = own.min(other);
        }
    }
    let mut sets: Vec<Vec<Draft<'_>>> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (at, draft) in drafts.into_iter().enumerate() {
        let place = *places.entry(root(&first, at)).or_insert(sets.len());
        match sets.get_mut(place) {
            Some(set) => set.push(draft),
            None => sets.push(vec![draft]),
        }
    }
    sets
}

fn root(first: &[usize], mut at: usize) -> usize {
    while first[at] != at {
        at = first[at];
    }
    at
}

/// Where a process has both ends of the connections that it never closes, the one who dialled leads.
fn join_ends(mut sets: Vec<Vec<Draft<'_>>>) -> Vec<Vec<Draft<'_>>> {
    let mut at = 0;
    while at < sets.len() {
        let accepted = &sets[at][0];
        if !(accepted.accepts() && accepted.is_librarys()) {
            at += 1;
            continue;
        }
        let dialled = |set: &Vec<Draft<'_>>| {
            !set[0].accepts()
                && set.iter().any(|draft| {
                    accepted.case.count.abs_diff(draft.case.count) * 10 <= draft.case.count
                        && draft.is_librarys()
                        && draft.grows
                        && accepted.comes_with(draft)
                })
        };
        let mut others = sets.iter().enumerate().filter(|&(other, _)| other != at);
        match others.find(|(_, set)| dialled(set)).map(|(other, _)| other) {
            Some(other) => {
                let ends = sets.remove(at);
                sets[if other > at { other - 1 } else { other }].extend(ends);
            }
            None => at += 1,
        }
    }
    sets
}

/// The functions that a draft's goroutines have on their stacks.
fn functions_of(draft: &Draft<'_>) -> Vec<String> {
    let mut functions: Vec<String> =
        draft.case.frames().map(|frame| frame.function.to_owned()).collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

/// Whether a library's goroutines belong to a set, by its first draft.
fn belongs(draft: &Draft<'_>, head: &Draft<'_>) -> bool {
    if !draft.grows || !head.grows {
        return false;
    }
    let same_module = draft.module().is_some() && draft.module() == head.module();
    if head.is_librarys() {
        return match (draft.caused_in(), head.caused_in()) {
            (Some(a), Some(b)) => a == b && (same_module || draft.callee() == head.callee()),
            _ => same_module && draft.comes_with(head),
        };
    }
    // Each of the program's own goroutines made some for itself.
    let package = draft.case.entry_function().map(function::package);
    let calls_it =
        head.case.frames().any(|frame| Some(function::package(frame.function)) == package);
    let is_there = draft
        .caused_in()
        .is_some_and(|function| head.case.frames().any(|frame| frame.function == function));
    is_there && (calls_it || draft.comes_with(head))
}

/// One draft of a set.
fn merged(mut set: Vec<Draft<'_>>) -> Option<Draft<'_>> {
    // The program's own lead, then whoever dialled; else what is most, and of equals what is always the same.
    set.sort_by(|a, b| {
        let key = |draft: &Draft<'_>| {
            // Those of a cycle come in equal numbers, more or less.
            let most = Reverse(if draft.is_deadlocked() { u64::MAX } else { draft.case.count });
            (draft.is_librarys(), draft.accepts(), most)
        };
        key(a).cmp(&key(b)).then_with(|| a.case.group.signature.cmp(&b.case.group.signature))
    });
    let parts: Vec<Part> = set
        .iter()
        .filter_map(|draft| {
            Some(Part {
                group: *draft.case.groups.first()?,
                count: draft.case.count,
                entry: draft.case.entry(),
            })
        })
        .collect();
    // Where it is made says more than where it is used; who accepts does not make the connections.
    let accepts = set.first().is_some_and(Draft::accepts);
    let dialled = set.iter().filter(|draft| accepts || !draft.accepts());
    let made = dialled.clone().find(|draft| draft.is_made());
    let cause = made.or_else(|| dialled.clone().find(|draft| draft.cause.is_some()));
    let cause = cause.and_then(|draft| draft.cause);
    let mut set = set.into_iter();
    let mut head = set.next()?;
    let is_librarys = head.is_librarys();
    for other in set {
        head.found.verdict = head.found.verdict.max(other.found.verdict);
        head.found.count += other.found.count;
        // Of a cycle, the code of one member may show the mistake: lines are told without their file.
        if head.is_deadlocked() && head.case.hints.mistake.is_none() && head.is_beside(&other) {
            head.case.hints.mistake.clone_from(&other.case.hints.mistake);
        }
        head.case.absorb(other.case);
        head.grows |= other.grows;
        let known: HashSet<DetectorKind> = head.evidence.iter().map(Evidence::detector).collect();
        let new = other.evidence.into_iter().filter(|it| !known.contains(&it.detector()));
        head.evidence.extend(new);
    }
    if parts.len() > 1 {
        head.parts = parts;
        head.case.measure();
    }
    if is_librarys {
        head.cause = cause;
    }
    Some(head)
}

/// How alike two courses of births are, whatever their size: the cosine of their angle.
fn alike(a: &[u32], b: &[u32]) -> f64 {
    let dot = |a: &[u32], b: &[u32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let size = dot(a, a).sqrt() * dot(b, b).sqrt();
    if size > 0.0 { dot(a, b) / size } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn births_at_the_same_times_are_alike_whatever_their_number() {
        let one = [0, 1, 0, 0, 2, 0, 1];
        let threefold = [0, 3, 0, 0, 6, 0, 3];
        let between = [1, 0, 1, 1, 0, 1, 0];
        assert!(alike(&one, &threefold) > 0.99);
        assert!(alike(&one, &between) < 0.1);
        assert!(alike(&one, &[]) < 0.1);
    }
}
