//! An object with a span of its own is allocated: when and at which stack goes into the table, by the span's struct.

use leak_agent_common::{Birth, Large};

use super::now_ns;
use crate::call_sites::{self, Stack};
use crate::larges::Entry;
use crate::maps::count;
use crate::user;

/// `span` is the new `runtime.mspan`, `g` the running goroutine, `frame` that of the runtime's function that made it.
#[inline(always)]
pub fn hit(span: u64, g: u64, frame: u64) {
    count!(allocations);
    let (Some([start, pages]), Some([next, caller])) = (user::span(span), user::caller(frame))
    else {
        count!(bad_reads, "allocate: the mspan at {:x} cannot be read", span);
        return;
    };
    let stack = Stack { caller, frame: next, gopc: user::gopc(g).unwrap_or(0) };
    let site = call_sites::Entry::find_or_add(stack);
    let entry = match site {
        Some(_) => Entry::find_or_add(span),
        None => Entry::find(span),
    };
    match (site, entry) {
        (Some(site), Some(entry)) => {
            site.count_allocated(pages.wrapping_mul(Large::PAGE));
            entry.write(span, start, pages, Birth::new(now_ns(), site.place).word());
        }
        (_, entry) => {
            count!(allocations_lost, "no room for the object at {:x}", start);
            // What the struct stood for before is gone.
            if let Some(entry) = entry {
                entry.forget();
            }
        }
    }
}
