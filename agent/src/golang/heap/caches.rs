//! What each processor allocated since it last told: objects in the spans of its cache.

use super::classes::{BYTES, ByClass, CLASSES};
use super::processors;
use crate::golang::gather::Gather;
use crate::golang::layout::heap::{Heap as Layout, Mspan};
use crate::golang::memory::{Memory, ReadError, Span};

/// Span classes: with and without pointers.
const SPAN_CLASSES: usize = 2 * CLASSES;

/// Objects that are in no counter of the runtime yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cached {
    /// By class.
    pub small: ByClass,
    /// Those that share a block with others.
    pub tiny: u64,
}

/// Reads the caches. What cannot be read, or is no cache, adds nothing.
pub(super) fn read(memory: &dyn Memory, all_p: u64, layout: &Layout) -> Result<Cached, ReadError> {
    let mut cached = Cached { small: [0; CLASSES], tiny: 0 };
    let mut gather = Gather::default();
    let words = |gather: &Gather, count: usize| -> Vec<u64> {
        (0..count).filter_map(|at| word(gather.get(at)?, 0)).filter(|it| *it != 0).collect()
    };
    let processors = processors::addresses(memory, &mut gather, all_p)?.found;

    let at =
        |address: &u64| Span { addr: address.wrapping_add(u64::from(layout.p.mcache)), len: 8 };
    gather.read(memory, &processors.iter().map(at).collect::<Vec<_>>())?;
    let caches = words(&gather, processors.len());

    let tiny =
        |cache: &u64| Span { addr: cache.wrapping_add(layout.mcache.tiny_allocs.into()), len: 8 };
    let spans = |cache: &u64| Span {
        addr: cache.wrapping_add(layout.mcache.spans.into()),
        len: SPAN_CLASSES as u32 * 8,
    };
    gather.read(memory, &caches.iter().flat_map(|it| [tiny(it), spans(it)]).collect::<Vec<_>>())?;
    let mut held: Vec<(u64, usize)> = Vec::new();
    for cache in 0..caches.len() {
        let tiny = gather.get(2 * cache).and_then(|bytes| word(bytes, 0));
        cached.tiny = cached.tiny.wrapping_add(tiny.unwrap_or(0));
        let spans = gather.get(2 * cache + 1).unwrap_or_default().as_chunks::<8>().0;
        // Large objects, the first two, are in no cache.
        let spans = spans.iter().map(|it| u64::from_le_bytes(*it)).enumerate().skip(2);
        held.extend(spans.map(|(class, address)| (address, class)));
    }
    keep_unique(&mut held);

    let Mspan { allocated, counted, class, object_bytes, .. } = layout.mspan;
    let start = allocated.min(counted).min(class).min(object_bytes);
    let end = allocated.max(counted).max(class).max(object_bytes) + 8;
    let head = |(address, _): &(u64, usize)| Span {
        addr: address.wrapping_add(start.into()),
        len: end - start,
    };
    gather.read(memory, &held.iter().map(head).collect::<Vec<_>>())?;
    for (at, (_, index)) in held.iter().enumerate() {
        let Some(bytes) = gather.get(at) else { continue };
        let field = |offset: u32| word(bytes, (offset - start) as usize).unwrap_or(0);
        let (allocated, counted) = (field(allocated) & 0xffff, field(counted) & 0xffff);
        let is_so = field(class) & 0xff == *index as u64
            && field(object_bytes) == BYTES[index / 2]
            && counted <= allocated;
        if is_so {
            cached.small[index / 2] += allocated - counted;
        }
    }
    Ok(cached)
}

/// Most entries of most caches are the one empty span.
fn keep_unique(held: &mut Vec<(u64, usize)>) {
    held.sort_unstable();
    let mut at = 0;
    let all = std::mem::take(held);
    while let Some(&(address, class)) = all.get(at) {
        let same = all[at..].iter().take_while(|(other, _)| *other == address).count();
        if same == 1 && address != 0 {
            held.push((address, class));
        }
        at += same;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}
