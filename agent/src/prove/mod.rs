//! Proves goroutines leaked: finds those that nothing which can still run will ever wake.
//!
//! A goroutine that waits on a channel or a lock is woken by somebody who reaches what it waits on. What can be
//! reached is marked from the roots of the program and from the stacks of all goroutines that can run, as Go's own
//! collector does it; a goroutine whose wait object is reached counts as one that can run too, until nothing
//! changes. What then still waits is proven. `docs/proof.md` argues that this is sound, root by root.
//!
//! It works on values: a [`Still`] is a program that stands still, whether that is a clone of it, the stopped
//! program itself or a recorded image.

mod fixpoint;
mod goroutines;
mod kept;
mod outcome;
mod room;
mod roots;
mod still;
mod stopper;
mod threads;
mod waits;
mod words;

use crate::golang::Program;
use crate::golang::experiments;
use crate::golang::heap::Heap;
use fixpoint::Fixpoint;
use goroutines::Goroutine;
use waits::Candidate;

pub use kept::Groups;
pub use outcome::{Figures, Gap, Kept, NoProof, Outcome, ProveError, Proven, Unproven, WaitKind};
pub use still::{Still, Thread};
pub use stopper::{
    Early, Ended, Held, How, MAX_PAUSE, MemoryOf, Request, StopError, Stopper, read_in_pieces,
};

/// The id of the goroutine that runs `main`.
const MAIN: u64 = 1;

/// How a proof is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings<'a> {
    /// How many threads mark; at least 1.
    pub threads: usize,
    /// The groups of which it is to be told what they keep. That reads what is proven to be held twice more at most.
    pub groups: Option<&'a Groups>,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { threads: 2, groups: None }
    }
}

/// Finds the goroutines of a located program that nothing can wake, in memory in which it stands still.
///
/// # Errors
/// When that memory cannot be read any more, or is not the program's. What cannot be proven for other reasons is said
/// in [`Outcome::gaps`].
pub fn prove(
    program: &Program,
    still: &Still<'_>,
    settings: Settings<'_>,
) -> Result<Outcome, ProveError> {
    let is_filter = still.threads.is_empty();
    let nothing =
        |why| Outcome { is_filter, gaps: vec![Gap::Nothing { why }], ..Outcome::default() };
    if !program.binary().layout.is_known {
        let version = program.binary().version.to_string();
        return Ok(nothing(NoProof::Version { version }));
    }
    let version = &program.binary().version;
    if let Some(name) = experiments::first_unknown(version) {
        let (name, version) = (name.to_owned(), version.to_string());
        return Ok(nothing(NoProof::Experiment { name, version }));
    }
    let heap = match program.heap() {
        Ok(heap) => heap,
        Err(error) => return Ok(nothing(NoProof::Heap { why: error.to_string() })),
    };
    if program.reasons().is_empty() {
        return Ok(nothing(NoProof::Root { what: "the table of wait reasons" }));
    }
    if !program.knows_plugins_in(still.memory) {
        return Ok(nothing(NoProof::Plugin));
    }
    prove_with(program, heap, still, settings)
}

fn prove_with(
    program: &Program,
    heap: &Heap,
    still: &Still<'_>,
    settings: Settings<'_>,
) -> Result<Outcome, ProveError> {
    let is_filter = still.threads.is_empty();
    let memory = still.memory;
    let spans = heap.spans(memory).map_err(|source| program.read_error("the heap", source))?;
    let (_, goroutines) = program.all_gs_in(memory)?;
    if let Err(why) = room::check(goroutines as u64, &spans) {
        let gaps = vec![Gap::Nothing { why }];
        return Ok(Outcome { is_filter, gaps, ..Outcome::default() });
    }
    let mut marker = heap.marker(memory, &spans);
    let listed = goroutines::read(program, memory)?;
    for address in listed.all.iter().map(|it| it.address).chain(listed.dead) {
        if let Some(slot) = marker.slot(address) {
            marker.hide(slot);
        }
    }
    let goroutines = &listed.all[..];
    let candidates = waits::find(program, memory, &marker, goroutines)?;
    let mut fixpoint = Fixpoint::new(program, memory, marker, (goroutines, &candidates));
    let roots = roots::mark(program, memory, heap, (&spans, &fixpoint.marker))?;
    let mut missing = roots.missing;
    if !is_filter {
        let marker = &fixpoint.marker;
        let threads = threads::search(program, memory, (heap, marker), goroutines, &still.threads)?;
        fixpoint.lowest = threads.lowest;
        fixpoint.take_words(&threads.words);
        missing = missing.or(threads.missing);
    }
    let threads = settings.threads.max(1);
    let runs = fixpoint.run(&roots.weak, threads)?.to_vec();
    let marked = fixpoint.marker.marked();
    let mut figures = fixpoint.figures;
    figures.marked_objects = marked.objects;
    figures.marked_bytes = marked.bytes;
    figures.read_bytes += marked.read_bytes;
    let unread = [
        (spans.torn(), "all of the heap's spans"),
        (listed.unread, "all goroutines"),
        (fixpoint.unread, "all stacks"),
        (marked.unread, "all objects"),
    ];
    let unread = unread.into_iter().find(|(count, _)| *count > 0);
    missing = missing.or(unread.map(|(_, what)| NoProof::Root { what }));
    let mut outcome = sort(goroutines, &candidates, &runs);
    let whole_stacks = fixpoint.whole_stacks;
    if let Some(groups) =
        settings.groups.filter(|_| missing.is_none() && !outcome.proven.is_empty())
    {
        // What cannot be measured any more loses the figure, never the proof.
        outcome.kept = kept::measure(&mut fixpoint, (&runs, groups), threads).ok().flatten();
    }
    outcome.is_filter = is_filter;
    outcome.figures = figures;
    let unknown = candidates.iter().filter(|it| !it.is_known).count() as u64;
    for gap in [Gap::Stacks(whole_stacks), Gap::Waits(unknown)] {
        if !matches!(gap, Gap::Stacks(0) | Gap::Waits(0)) {
            outcome.gaps.push(gap);
        }
    }
    if let Some(why) = missing.filter(|_| !is_filter) {
        for proven in outcome.proven.drain(..) {
            let Proven { goid, kind } = proven;
            outcome.unproven.push(Unproven { goid, kind });
        }
        outcome.unproven.sort_by_key(|it| it.goid);
        outcome.main_waits = false;
        outcome.gaps.push(Gap::Nothing { why });
    }
    Ok(outcome)
}

/// Takes the candidates apart by whether they can run.
fn sort(goroutines: &[Goroutine], candidates: &[Candidate], runs: &[bool]) -> Outcome {
    let mut outcome = Outcome::default();
    for (candidate, runs) in candidates.iter().zip(runs) {
        let goid = goroutines[candidate.goroutine].goid;
        let kind = candidate.kind;
        if *runs {
            outcome.unproven.push(Unproven { goid, kind });
        } else if goid == MAIN {
            outcome.main_waits = true;
        } else {
            outcome.proven.push(Proven { goid, kind });
        }
    }
    outcome.proven.sort_by_key(|it| it.goid);
    outcome.unproven.sort_by_key(|it| it.goid);
    outcome
}
