//! A goroutine ends: its slot is marked dead, its site counts, with the lifetime if it is known.

use leak_agent_common::State;

use super::now_ns;
use crate::maps::count;
use crate::user::{self, Origin};
use crate::{sites, slots};

/// `g` is the goroutine.
#[inline(always)]
pub fn hit(g: u64) {
    count!(exits);
    let Some(goid) = user::goid(g) else {
        count!(bad_reads, "exit: the id of the g at {:x} cannot be read", g);
        return;
    };
    let now = now_ns();
    if let Some(slot) = slots::Entry::find(g) {
        let state = slot.state();
        let is_known = state == State::Created as u32 || state == State::Parked as u32;
        if is_known && (slot.goid() == goid || slot.goid() == 0) {
            let (gopc, created_ns) = (slot.gopc(), slot.created_ns());
            slot.write(|slot| {
                slot.set_goid(goid);
                slot.set_dead(now);
            });
            let lifetime = if created_ns == 0 { None } else { Some(now.wrapping_sub(created_ns)) };
            if let Some(site) = sites::Entry::find_or_add(gopc, 0) {
                site.count_exited(lifetime);
            }
            return;
        }
    }
    // It was created, and its slot's last owner ended, while that was not probed.
    let Some(origin) = Origin::read(g) else {
        count!(bad_reads, "exit: the g at {:x} cannot be read", g);
        return;
    };
    if let Some(slot) = slots::Entry::find(g) {
        slot.write(|slot| {
            slot.set_owner(g, goid, &origin, 0);
            slot.set_dead(now);
        });
    }
    if let Some(site) = sites::Entry::find_or_add(origin.gopc, origin.startpc) {
        site.count_exited(None);
    }
}
