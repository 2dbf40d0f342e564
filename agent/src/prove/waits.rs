//! What goroutines wait on.

use smallvec::SmallVec;

use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::goroutines::RawStatus;
use crate::golang::heap::Marker;
use crate::golang::heap::marker::Slot;
use crate::golang::memory::{Memory, Span};
use crate::golang::sudog::{self, Searched, Slot as Place, Sudog, WaitsOn};

use super::goroutines::Goroutine;
use super::outcome::{ProveError, WaitKind};

/// No select has more cases.
const MAX_CASES: usize = 1 << 16;
/// How many goroutines are looked at together.
const BATCH: usize = 4096;
/// The size of the object that a sudog is (88 to 104 bytes, Go 1.21 to 1.27).
const SUDOG_OBJECTS: [u64; 2] = [96, 112];
/// How often memory is read while one stack is searched.
const MAX_READS: usize = 512;

/// A goroutine that waits on a channel or a lock. There may be millions, most of which wait on one or two.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Its number among all goroutines.
    pub(super) goroutine: usize,
    pub(super) kind: WaitKind,
    /// What it waits on, any of which can wake it.
    pub(super) objects: SmallVec<[u64; 2]>,
    /// By which the runtime links it to that.
    pub(super) sudogs: SmallVec<[Slot; 4]>,
    /// What it receives into or sends from.
    pub(super) elements: SmallVec<[u64; 2]>,
    /// Whether all of that is known. If not, it counts as one that can run.
    pub(super) is_known: bool,
}

/// What a wait reason says. The reasons are those that Go's own leak profile goes by
/// (`runtime/mgc.go`, `(*g).isMaybeRunnable`, Go 1.26), and bare semaphores.
pub(super) fn kind(reason: &str) -> Option<WaitKind> {
    Some(match reason {
        "chan receive" | "chan send" | "select" => WaitKind::Channel,
        "chan receive (nil chan)" | "chan send (nil chan)" | "select (no cases)" => {
            WaitKind::Nothing
        }
        "sync.Mutex.Lock"
        | "sync.RWMutex.Lock"
        | "sync.RWMutex.RLock"
        | "sync.WaitGroup.Wait"
        | "semacquire" => WaitKind::Semaphore,
        "sync.Cond.Wait" => WaitKind::Cond,
        _ => return None,
    })
}

/// All goroutines that wait on a channel or a lock, and on which.
pub(super) fn find(
    program: &Program,
    memory: &dyn Memory,
    marker: &Marker<'_>,
    goroutines: &[Goroutine],
) -> Result<Vec<Candidate>, ProveError> {
    let reasons: Vec<_> = program.reasons().iter().map(|reason| kind(reason)).collect();
    let mut found: Vec<Candidate> = Vec::new();
    for (number, goroutine) in goroutines.iter().enumerate() {
        let waits = matches!(goroutine.status, RawStatus::Waiting | RawStatus::Leaked);
        let kind = reasons.get(usize::from(goroutine.wait_reason)).copied().flatten();
        let Some(mut kind) = kind.filter(|_| waits) else { continue };
        let reason = program.reasons().get(usize::from(goroutine.wait_reason));
        if reason.is_some_and(|reason| is_of_nothing(reason, goroutine)) {
            kind = WaitKind::Nothing;
        }
        if is_of_runtime(program, goroutine) {
            continue;
        }
        found.push(Candidate {
            goroutine: number,
            kind,
            objects: SmallVec::new(),
            sudogs: SmallVec::new(),
            elements: SmallVec::new(),
            is_known: kind == WaitKind::Nothing,
        });
    }
    for batch in found.chunks_mut(BATCH) {
        linked(program, memory, (marker, goroutines), batch)?;
        searched(program, memory, (marker, goroutines), batch)?;
    }
    Ok(found)
}

/// Whether it is a select all of whose channels are nil: those are left out, and then there is nothing that it is linked to
/// (`runtime/select.go`, `selectgo`). What woke it would have handed it something.
fn is_of_nothing(reason: &str, goroutine: &Goroutine) -> bool {
    reason == "select" && goroutine.waiting == 0 && goroutine.param == 0
}

/// Whether it is one of the runtime's own, which wait for what the runtime alone knows of.
fn is_of_runtime(program: &Program, goroutine: &Goroutine) -> bool {
    let name = program.function_name(goroutine.start).unwrap_or("runtime.");
    name.starts_with("runtime.") && name != "runtime.main"
}

/// Follows the sudogs that goroutines are linked to.
fn linked(
    program: &Program,
    memory: &dyn Memory,
    (marker, goroutines): (&Marker<'_>, &[Goroutine]),
    batch: &mut [Candidate],
) -> Result<(), ProveError> {
    let layout = &program.binary().layout.layout.sudog;
    let mut gather = Gather::default();
    let mut next: Vec<(usize, u64)> = Vec::new();
    for (number, candidate) in batch.iter().enumerate() {
        let goroutine = &goroutines[candidate.goroutine];
        // What is being woken has been handed something.
        let is_woken = goroutine.param != 0 && candidate.kind == WaitKind::Channel;
        if candidate.kind != WaitKind::Nothing && goroutine.waiting != 0 && !is_woken {
            next.push((number, goroutine.waiting));
        }
    }
    for _ in 0..MAX_CASES {
        if next.is_empty() {
            break;
        }
        let len = layout.size;
        let pieces: Vec<Span> = next.iter().map(|(_, addr)| Span { addr: *addr, len }).collect();
        gather
            .read(memory, &pieces)
            .map_err(|source| program.read_error("what goroutines wait on", source))?;
        let mut behind = Vec::new();
        for (piece, (number, address)) in next.iter().enumerate() {
            let candidate = &mut batch[*number];
            let sudog = gather.get(piece).and_then(|bytes| Sudog::parse(layout, bytes));
            let goroutine = &goroutines[candidate.goroutine];
            let sudog = sudog.filter(|it| it.g == goroutine.address);
            let slot = marker.slot(*address);
            let (Some(sudog), Some(slot)) = (sudog, slot) else {
                candidate.is_known = false;
                continue;
            };
            let object = match candidate.kind {
                WaitKind::Channel => sudog.channel,
                _ => sudog.elem,
            };
            candidate.is_known = object != 0;
            candidate.sudogs.push(slot);
            if object == 0 {
                continue;
            }
            candidate.objects.push(object);
            if candidate.kind == WaitKind::Channel {
                candidate.elements.push(sudog.elem);
                if sudog.wait_link != 0 {
                    behind.push((*number, sudog.wait_link));
                    // Until the rest is known too.
                    candidate.is_known = false;
                }
            }
        }
        next = behind;
    }
    Ok(())
}

/// Searches the stacks of those that wait on a lock and are not linked to it, as up to Go 1.25.
fn searched(
    program: &Program,
    memory: &dyn Memory,
    (marker, goroutines): (&Marker<'_>, &[Goroutine]),
    batch: &mut [Candidate],
) -> Result<(), ProveError> {
    let failed = |source| program.read_error("what goroutines wait on", source);
    let layout = &program.binary().layout.layout.sudog;
    let mut wanted: Vec<&mut Candidate> = batch
        .iter_mut()
        .filter(|it| {
            let goroutine = &goroutines[it.goroutine];
            matches!(it.kind, WaitKind::Semaphore | WaitKind::Cond)
                && goroutine.waiting == 0
                && goroutine.stands()
        })
        .collect();
    let pieces: Vec<Span> = wanted
        .iter()
        .map(|it| {
            let goroutine = &goroutines[it.goroutine];
            let (addr, len) = (goroutine.registers.sp, goroutine.high - goroutine.registers.sp);
            Span { addr, len: len.min(sudog::SEARCH_BYTES as u64) as u32 }
        })
        .collect();
    let mut gather = Gather::default();
    gather.read(memory, &pieces).map_err(failed)?;
    // Where those before had it: the same stack has it at the same place.
    let mut usual = None;
    for (piece, candidate) in wanted.iter_mut().enumerate() {
        let Some(stack) = gather.get(piece) else { continue };
        let g = goroutines[candidate.goroutine].address;
        let is_sudog = |address: u64| {
            let place = marker.slot(address).and_then(|slot| marker.place(slot));
            place.is_some_and(|(start, size)| start == address && SUDOG_OBJECTS.contains(&size))
        };
        let of = |at: u16| {
            let address = sudog::slot_value(stack, at).filter(|address| is_sudog(*address))?;
            let sudog = Sudog::read(memory, layout, address)?;
            Some((address, sudog)).filter(|(_, it)| it.g == g && it.elem != 0)
        };
        if candidate.kind == WaitKind::Semaphore
            && let Some((address, sudog)) = usual.and_then(of)
        {
            know(candidate, marker.slot(address), sudog.elem);
            continue;
        }
        let is_cond = candidate.kind == WaitKind::Cond;
        let waits_on = if is_cond { WaitsOn::Cond } else { WaitsOn::Lock(0) };
        let foreign = |address: u64| marker.slot(address).is_some();
        let searched = Searched { waits_on, g, stack, foreign: &foreign };
        match sudog::search(memory, layout, &searched, &mut { MAX_READS }) {
            Place::Sudog(at) => {
                if let Some((address, sudog)) = of(at) {
                    usual = Some(at);
                    know(candidate, marker.slot(address), sudog.elem);
                }
            }
            Place::Cond(at) => {
                if let Some(cond) = sudog::slot_value(stack, at) {
                    know(candidate, None, cond);
                }
            }
            Place::None => {}
        }
    }
    Ok(())
}

fn know(candidate: &mut Candidate, sudog: Option<Slot>, object: u64) {
    candidate.sudogs.extend(sudog);
    candidate.objects.push(object);
    candidate.is_known = true;
}
