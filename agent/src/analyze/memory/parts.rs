//! Where the resident memory is.

use crate::model::{Memory, RssParts};

/// The resident memory taken apart. What the runtime counts and what the kernel counts are joined here: of
/// anonymous memory, what is more than the runtime's is not Go's, and what the runtime has more is not
/// resident.
pub(super) fn parts(memory: &Memory) -> Option<RssParts> {
    let (heap, process) = (memory.heap.as_ref()?, memory.process?);
    // Before the first collection nobody knows what is reachable.
    let live_bytes = heap.marked_bytes.unwrap_or(0).min(heap.objects_bytes);
    let go = heap.ready_bytes();
    let objects = heap.objects_bytes.min(heap.in_use_bytes);
    let live_bytes = live_bytes.min(objects);
    Some(RssParts {
        rss_bytes: process.rss_bytes,
        live_bytes,
        uncollected_bytes: objects - live_bytes,
        fragmented_bytes: heap.in_use_bytes - objects,
        idle_bytes: heap.idle_bytes,
        stacks_bytes: heap.stacks_bytes,
        runtime_bytes: heap.runtime_bytes,
        outside_bytes: process.anonymous_bytes.saturating_sub(go),
        file_bytes: process.file_bytes,
        shared_bytes: process.shared_bytes,
        not_resident_bytes: go.saturating_sub(process.anonymous_bytes),
    })
}
