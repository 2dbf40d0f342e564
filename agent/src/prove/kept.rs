//! What proven goroutines alone keep: the heap that their stacks lead to and nothing else does. The collector keeps it, for to it
//! all stacks are roots.

use rustc_hash::FxHashMap;

use crate::golang::heap::marker::shares::{Shared, Shares};

use super::MAIN;
use super::fixpoint::Fixpoint;
use super::goroutines::Goroutine;
use super::outcome::{Kept, ProveError};

/// Groups that are told apart, the largest: each takes a look at all marks of the heap.
const MOST: usize = 256;

/// In which group a goroutine is, by its id.
pub type Groups = FxHashMap<u64, u32>;

/// In which groups those are that started in one function and wait for one reason.
struct Kinds(FxHashMap<(u64, u8), Option<u32>>);

impl Kinds {
    fn of(goroutines: &[Goroutine], groups: &Groups) -> Self {
        let mut kinds: FxHashMap<_, Option<u32>> = FxHashMap::default();
        for goroutine in goroutines {
            let Some(group) = groups.get(&goroutine.goid) else { continue };
            let kind = kinds.entry(Self::key(goroutine)).or_insert(Some(*group));
            if *kind != Some(*group) {
                *kind = None;
            }
        }
        Self(kinds)
    }

    const fn key(goroutine: &Goroutine) -> (u64, u8) {
        (goroutine.start, goroutine.wait_reason)
    }

    /// The group of a goroutine; of one that came since groups were made, that of all others of its kind.
    fn group(&self, goroutine: &Goroutine, groups: &Groups) -> Option<u32> {
        let of_kind = || self.0.get(&Self::key(goroutine)).copied().flatten();
        groups.get(&goroutine.goid).copied().or_else(of_kind)
    }
}

/// What each group of the candidates that cannot run keeps. `None` where not all of it could be read.
pub(super) fn measure(
    fixpoint: &mut Fixpoint<'_>,
    (runs, groups): (&[bool], &Groups),
    threads: usize,
) -> Result<Option<Kept>, ProveError> {
    let unread = |fixpoint: &Fixpoint<'_>| fixpoint.unread + fixpoint.marker.marked().unread;
    let before = unread(fixpoint);
    let kinds = Kinds::of(fixpoint.goroutines, groups);
    let mut members: FxHashMap<Option<u32>, Vec<u32>> = FxHashMap::default();
    let mut main = Vec::new();
    for (number, candidate) in (0..).zip(fixpoint.candidates).filter(|(at, _)| !runs[*at as usize])
    {
        let goroutine = &fixpoint.goroutines[candidate.goroutine];
        if goroutine.goid == MAIN {
            // It is no leak, and keeps what it holds.
            main.push(number);
        } else {
            members.entry(kinds.group(goroutine, groups)).or_default().push(number);
        }
    }
    fixpoint.hold(&main, threads)?;
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_unstable_by_key(|(_, numbers)| std::cmp::Reverse(numbers.len()));
    // Those that nobody asked about share with the others all the same; so do those that are too many.
    let is_told = |at: usize, group: Option<u32>| group.is_some() && at < MOST;
    let mut told = Vec::new();
    let mut others = Vec::new();
    let mut shares = Shares::begin(&mut fixpoint.marker);
    for (at, (group, numbers)) in members.into_iter().enumerate() {
        if !is_told(at, group) {
            others.extend(numbers);
            continue;
        }
        fixpoint.hold(&numbers, threads)?;
        shares.next(&mut fixpoint.marker);
        told.extend(group);
    }
    fixpoint.hold(&others, threads)?;
    shares.next(&mut fixpoint.marker);
    let ended = shares.end(&mut fixpoint.marker, threads);
    let Shared { alone, shared } =
        ended.map_err(|source| fixpoint.program.read_error("the heap", source))?;
    let alone = told.into_iter().zip(alone.iter().map(|tally| tally.bytes)).collect();
    Ok((unread(fixpoint) == before).then_some(Kept { alone, shared: shared.bytes }))
}
