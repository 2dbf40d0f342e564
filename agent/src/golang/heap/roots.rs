//! Where the heap is held from: variables, stacks of goroutines, finalizers and the like.

use super::form::Form;
use super::spans::Spans;
use crate::golang::gather::Gather;
use crate::golang::layout;
use crate::golang::memory::{Memory, ReadError, Span as Piece};

/// Variables are read in pieces of this size; a bit of the mask tells of eight bytes.
const CHUNK: u64 = 1 << 20;
/// No module has more bytes of variables with pointers.
const MAX_VARIABLES: u64 = 4 << 30;
/// More records than this are not read.
const MAX_SPECIALS: usize = 1 << 24;
/// No span has more records in its list.
const MAX_LIST: usize = 1 << 13;
/// Behind the head of a record there may be so many pointers (`specialCleanup`: a function, a closure and its
/// argument, Go 1.27).
const WORDS: usize = 3;

/// A word of a variable that is a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its address.
    pub at: u64,
    /// What it points to.
    pub value: u64,
}

/// The words of variables that are pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Those that point into the heap, by address.
    pub into_heap: Vec<Variable>,
    /// Those that point to variables, in the order of what they point to.
    pub among: Vec<Variable>,
    /// How many pieces of memory could not be read.
    pub unread: u64,
}

/// What the runtime keeps for an object: a finalizer, a cleanup, the handle of weak pointers to it, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// An address within the object.
    pub object: u64,
    /// What it is.
    pub kind: RecordKind,
    /// What may point to what it keeps.
    pub words: [u64; WORDS],
    /// The type of a pointer to the object, which a finalizer is kept with; 0 for what has none.
    pub pointer_type: u64,
}

/// What the runtime keeps something for an object for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A finalizer: what the object points to is kept, though nothing else may reach it.
    Finalizer,
    /// A cleanup: its function and argument are kept.
    Cleanup,
    /// The handle of weak pointers to it (Go 1.24).
    WeakHandle,
    /// A sample of the memory profile, ...
    Other,
}

/// What was found, and what was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found<T> {
    /// All that was.
    pub found: Vec<T>,
    /// How many pieces or records could not be read, or were too many.
    pub unread: u64,
}

impl<T> Found<T> {
    pub(super) const fn new() -> Self {
        Self { found: Vec::new(), unread: 0 }
    }
}

/// Adds the variables of a module.
///
/// # Errors
/// When nothing can be read any more.
pub fn variables(
    memory: &dyn Memory,
    module: u64,
    layout: &layout::ModuleData,
    spans: &Spans,
    found: &mut Variables,
) -> Result<(), ReadError> {
    let field = |offset: u32| memory.read_u64(module.wrapping_add(offset.into()));
    let mut parts = [(0, 0, 0); 2];
    for (part, (start, end, mask)) in parts.iter_mut().zip([
        (layout.data, layout.edata, layout.data_mask),
        (layout.bss, layout.ebss, layout.bss_mask),
    ]) {
        *part = (field(start)?, field(end)?, field(mask)?);
    }
    let is_variable =
        |value: u64| parts.iter().any(|(start, end, _)| (*start..*end).contains(&value));
    for (start, end, mask) in parts {
        let len = end.saturating_sub(start);
        found.unread += u64::from(len > MAX_VARIABLES || !start.is_multiple_of(8));
        for at in (0..len.min(MAX_VARIABLES)).step_by(CHUNK as usize) {
            let len = CHUNK.min(len - at);
            let (start, mask) = (start.wrapping_add(at), mask.wrapping_add(at / 64));
            let take = |variable: Variable| {
                if spans.find(variable.value).is_some() {
                    found.into_heap.push(variable);
                } else if is_variable(variable.value) {
                    found.among.push(variable);
                }
            };
            match chunk(memory, (start, len), mask, take) {
                Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => found.unread += 1,
                Ok(()) => {}
            }
        }
    }
    found.into_heap.sort_unstable_by_key(|variable| variable.at);
    found.among.sort_unstable_by_key(|variable| variable.value);
    Ok(())
}

fn chunk(
    memory: &dyn Memory,
    (start, len): (u64, u64),
    mask: u64,
    mut take: impl FnMut(Variable),
) -> Result<(), ReadError> {
    let bits = memory.read_vec(mask, len.div_ceil(64) as usize)?;
    let bytes = memory.read_vec(start, len as usize)?;
    for (index, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let is_pointer = bits[index / 8] >> (index % 8) & 1 == 1;
        if is_pointer {
            take(Variable { at: start + index as u64 * 8, value: u64::from_le_bytes(*word) });
        }
    }
    Ok(())
}

/// What the runtime keeps for objects of the heap.
///
/// # Errors
/// When nothing can be read any more.
pub fn specials(
    memory: &dyn Memory,
    layout: &layout::heap::Special,
    form: &Form,
    spans: &Spans,
) -> Result<Found<Special>, ReadError> {
    let mut found = Found::new();
    let len = layout.size + (WORDS as u32 + 1) * 8;
    let mut gather = Gather::default();
    // The records of all spans at once, one of each span after the other.
    let mut next: Vec<(u32, u64)> = spans.specials().to_vec();
    for _ in 0..MAX_LIST {
        let pieces: Vec<Piece> = next.iter().map(|(_, addr)| Piece { addr: *addr, len }).collect();
        gather.read(memory, &pieces)?;
        let mut behind = Vec::new();
        for (piece, (number, _)) in next.iter().enumerate() {
            let span = &spans.all()[*number as usize];
            let read = gather.get(piece).and_then(|bytes| parse(bytes, layout, form));
            let Some((special, list)) = read.filter(|(it, _)| it.object < span.bytes) else {
                found.unread += 1;
                continue;
            };
            let object = span.start + special.object;
            found.found.push(Special { object, ..special });
            if list != 0 {
                behind.push((*number, list));
            }
        }
        next = behind;
        if next.is_empty() || found.found.len() > MAX_SPECIALS {
            break;
        }
    }
    found.unread += next.len() as u64;
    Ok(found)
}

/// A record, with the offset of its object in the span, and the next of the list.
fn parse(bytes: &[u8], layout: &layout::heap::Special, form: &Form) -> Option<(Special, u64)> {
    let word = |at: u32| Some(u64::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?));
    // A word, or up to Go 1.23 the 16 bits before the kind.
    let offset = word(layout.offset)?;
    let is_wide = layout.kind.abs_diff(layout.offset) >= 8;
    let object = if is_wide { offset } else { offset & 0xffff };
    let mut words = [0; WORDS];
    for (word_at, to) in (layout.size..).step_by(8).zip(&mut words) {
        *to = word(word_at)?;
    }
    let kind = match *bytes.get(layout.kind as usize)? {
        kind if kind == form.finalizer_kind => RecordKind::Finalizer,
        kind if Some(kind) == form.cleanup_kind => RecordKind::Cleanup,
        kind if Some(kind) == form.weak_kind => RecordKind::WeakHandle,
        _ => RecordKind::Other,
    };
    let is_finalizer = kind == RecordKind::Finalizer;
    // Behind the three words, `specialfinalizer.ot`.
    let pointer_type = if is_finalizer { word(layout.size + WORDS as u32 * 8)? } else { 0 };
    Some((Special { object, kind, words, pointer_type }, word(layout.next)?))
}
