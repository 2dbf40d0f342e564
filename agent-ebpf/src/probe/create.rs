//! A goroutine is created: its slot changes hands, its site counts.

use super::now_ns;
use crate::maps::count;
use crate::user::Origin;
use crate::{sites, slots};

/// `g` is the new goroutine; the runtime's function runs as `g0` and has the frame pointer `frame`.
/// Before its id is set, the g still bears its last owner's.
#[inline(always)]
pub fn hit(g: u64, g0: u64, frame: u64, goid_is_set: bool) {
    count!(creates);
    let Some(origin) = Origin::read(g) else {
        count!(bad_reads, "create: the g at {:x} cannot be read", g);
        return;
    };
    if let Some(site) = sites::Entry::find_or_add(origin.gopc, origin.startpc) {
        site.count_created();
        site.keep_stack(frame, g0, origin.gopc);
    }
    if let Some(slot) = slots::Entry::find_or_add(g) {
        let goid = if goid_is_set { origin.goid } else { 0 };
        let now = now_ns();
        slot.write(|slot| slot.set_owner(g, goid, &origin, now));
    }
}
