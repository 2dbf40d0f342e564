//! What is reachable whoever runs: variables, records of objects, and what is queued to run.

use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::heap::marker::Slot;
use crate::golang::heap::roots::{RecordKind, Special};
use crate::golang::heap::{Heap, Marker, Spans};
use crate::golang::memory::{Memory, Span};

use super::outcome::{NoProof, ProveError};

/// A handle of weak pointers, and the object that it leads to: who reaches the one can get at the other, for as long as
/// that is there, and a goroutine that waits keeps it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weak {
    pub(super) handle: Slot,
    pub(super) object: u64,
}

/// What was found of roots.
#[derive(Default)]
pub(super) struct Roots {
    pub(super) weak: Vec<Weak>,
    /// Why some of it is not known.
    pub(super) missing: Option<NoProof>,
}

/// Marks what roots point to.
pub(super) fn mark(
    program: &Program,
    memory: &dyn Memory,
    heap: &Heap,
    (spans, marker): (&Spans, &Marker<'_>),
) -> Result<Roots, ProveError> {
    let failed = |what| move |source| program.read_error(what, source);
    let mut roots = Roots::default();
    let mut need = |unread: u64, what: &'static str| {
        if unread > 0 && roots.missing.is_none() {
            roots.missing = Some(NoProof::Root { what });
        }
    };
    let variables = program.variables_in(memory, spans)?;
    need(variables.unread, "the variables");
    for variable in &variables.into_heap {
        marker.mark(variable.value);
    }
    drop(variables);
    let queued = heap.queued(memory).map_err(failed("queued finalizers"))?;
    need(queued.unread, "the queue of finalizers");
    let is_unknown = program.has_cleanups() && !heap.has_cleanup_queue();
    need(u64::from(is_unknown), "the queue of cleanups");
    marker.mark_all(&queued.found);
    let specials = heap.specials(memory, spans).map_err(failed("finalizers"))?;
    need(specials.unread, "the finalizers of objects");
    let mut kept = Vec::new();
    let mut handles: Vec<&Special> = Vec::new();
    for special in &specials.found {
        match special.kind {
            RecordKind::Finalizer => {
                marker.mark_all(&special.words);
                marker.mark(special.pointer_type);
                kept.extend(marker.slot(special.object));
            }
            RecordKind::Cleanup => marker.mark_all(&special.words),
            RecordKind::WeakHandle | RecordKind::Other => {
                if marker.slot(special.words[0]).is_some() {
                    handles.push(special);
                }
            }
        }
    }
    marker.mark_from(&kept).map_err(failed("objects with finalizers"))?;
    let mut gather = Gather::default();
    let piece = |special: &&Special| Span { addr: special.words[0], len: 8 };
    let pieces: Vec<Span> = handles.iter().map(piece).collect();
    gather.read(memory, &pieces).map_err(failed("weak pointers"))?;
    for (at, special) in handles.iter().enumerate() {
        let held = gather.get(at).and_then(<[u8]>::first_chunk);
        need(u64::from(held.is_none()), "a weak pointer");
        let held = held.map_or(0, |word| u64::from_le_bytes(*word));
        if let (Some(handle), Some(object)) = (marker.slot(special.words[0]), marker.slot(held))
            && marker.slot(special.object) == Some(object)
        {
            roots.weak.push(Weak { handle, object: held });
        }
    }
    Ok(roots)
}
