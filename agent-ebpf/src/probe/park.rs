//! A goroutine asks to be parked: since when, on what and why goes into its slot.

use leak_agent_common::State;

use super::now_ns;
use crate::maps::count;
use crate::slots::Entry;
use crate::user::{self, Origin};

/// `g` is the running goroutine; `lock` and `reason` are the arguments of `gopark`.
#[inline(always)]
pub fn hit(g: u64, lock: u64, reason: u64) {
    count!(parks);
    let Some(goid) = user::goid(g) else {
        count!(bad_reads, "park: the id of the g at {:x} cannot be read", g);
        return;
    };
    let Some(slot) = Entry::find_or_add(g) else { return };
    let state = slot.state();
    let is_known = state == State::Created as u32 || state == State::Parked as u32;
    // Its creation, and its predecessor's end, may have come while they were not probed.
    let is_stranger = !is_known || (slot.goid() != goid && slot.goid() != 0);
    let origin = if is_stranger { Origin::read(g) } else { None };
    if is_stranger && origin.is_none() {
        count!(bad_reads, "park: the g at {:x} cannot be read", g);
        return;
    }
    let now = now_ns();
    slot.write(|slot| {
        match &origin {
            Some(origin) => slot.set_owner(g, goid, origin, 0),
            None => slot.set_goid(goid),
        }
        // The reason is a byte; what stands above it in the register means nothing.
        slot.set_parked(now, lock, (reason & 0xff) as u32);
    });
}
