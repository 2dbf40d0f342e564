//! A descriptor is opened: when and at which stack goes into its place in the table.

use leak_agent_common::Birth;

use super::now_ns;
use crate::call_sites::{Entry, Stack};
use crate::maps::{DESCRIPTORS, count};
use crate::user;

/// `fd` is the `internal/poll.FD`, `g` the running goroutine; `caller` and `frame` are where its stack
/// begins.
#[inline(always)]
pub fn hit(fd: u64, g: u64, caller: Option<u64>, frame: u64) {
    count!(opens);
    let (Some(number), Some(caller)) = (user::sysfd(fd), caller) else {
        count!(bad_reads, "open: the poll.FD at {:x} cannot be read", fd);
        return;
    };
    let place = u32::try_from(number).ok().and_then(|number| DESCRIPTORS.get_ptr_mut(number));
    let Some(place) = place else {
        count!(opens_lost, "no place for the descriptor {}", number);
        return;
    };
    let stack = Stack { caller, frame, gopc: user::gopc(g).unwrap_or(0) };
    let word = match Entry::find_or_add(stack) {
        Some(site) => {
            site.count_opened();
            Birth::new(now_ns(), site.place).word()
        }
        None => {
            count!(opens_lost, "no room for the stack that opens the descriptor {}", number);
            // Whoever had the number before was opened elsewhere.
            0
        }
    };
    // SAFETY: an element of a map.
    unsafe { place.write_volatile(word) };
}
