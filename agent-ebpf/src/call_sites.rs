//! Stacks at which something happens, each kept once.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::BPF_NOEXIST;
use leak_agent_common::CallSite;
use leak_agent_common::limits::STACK_FRAMES;

use crate::maps::{CALL_SITE_INDEX, CALL_SITES, Table};
use crate::{atomic, user};

/// A stack of the target's as it stands while the thread is in a probe: the innermost return address, the
/// frame pointer of the function that it is in, and the `go` statement of the goroutine.
#[derive(Clone, Copy)]
pub struct Stack {
    pub caller: u64,
    pub frame: u64,
    pub gopc: u64,
}

impl Stack {
    /// Hands out the return addresses, innermost first; how many there were.
    #[inline(always)]
    fn walk(self, mut each: impl FnMut(usize, u64)) -> usize {
        let (mut pc, mut frame) = (self.caller, self.frame);
        let mut len = 0;
        while len < STACK_FRAMES {
            each(len, pc);
            len += 1;
            if frame == 0 {
                break;
            }
            let Some([next, caller]) = user::caller(frame) else { break };
            if caller == 0 {
                break;
            }
            (pc, frame) = (caller, next);
        }
        len
    }

    /// A hash (FNV-1a, by words) that is never 0.
    #[inline(always)]
    fn key(self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        let mut add = |word: u64| {
            hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            // Products carry upwards only.
            hash ^= hash >> 29;
        };
        add(self.gopc);
        self.walk(|_, pc| add(pc));
        hash | 1
    }
}

/// A call site's entry, and its place in the table. Any number of programs may count on it at a time.
#[derive(Clone, Copy)]
pub struct Entry {
    site: *mut CallSite,
    /// Where it stands.
    pub place: u32,
}

impl Entry {
    /// The entry of a stack, the next free one if it has none yet; `None` where there is no room.
    #[inline(always)]
    pub fn find_or_add(stack: Stack) -> Option<Self> {
        let key = stack.key();
        match Self::find(key) {
            Some(entry) => Some(entry),
            None => Self::add(key, stack),
        }
    }

    #[inline(always)]
    fn find(key: u64) -> Option<Self> {
        let place = CALL_SITE_INDEX.get_ptr_mut(&key)?;
        // SAFETY: an element of a map.
        let place = unsafe { read_volatile(place) };
        Some(Self { site: CALL_SITES.get_ptr_mut(place)?, place })
    }

    #[inline(always)]
    fn add(key: u64, stack: Stack) -> Option<Self> {
        let place = Table::CallSites.next()?;
        let site = CALL_SITES.get_ptr_mut(place)?;
        if CALL_SITE_INDEX.insert(&key, &place, u64::from(BPF_NOEXIST)).is_err() {
            // Another processor was faster: its entry counts, and this one stays empty.
            return Self::find(key);
        }
        // SAFETY: an element of a map.
        unsafe {
            write_volatile(&raw mut (*site).key, key);
            write_volatile(&raw mut (*site).gopc, stack.gopc);
        }
        let len = stack.walk(|at, pc| {
            // SAFETY: the same, and the mask tells the verifier that the index is in the array.
            unsafe { write_volatile(&raw mut (*site).stack[at & (STACK_FRAMES - 1)], pc) };
        });
        // Last, and with a barrier: whoever reads the length finds the addresses.
        // SAFETY: the same.
        unsafe { atomic::fetch_add(&raw mut (*site).stack_len, len as u64) };
        Some(Self { site, place })
    }

    /// Counts an object that was allocated here, with so many bytes.
    #[inline(always)]
    pub fn count_allocated(self, bytes: u64) {
        self.count_opened();
        // SAFETY: an element of a map.
        unsafe { atomic::add(&raw mut (*self.site).bytes, bytes) };
    }

    /// Counts a descriptor that was opened here.
    #[inline(always)]
    pub fn count_opened(self) {
        // SAFETY: an element of a map.
        unsafe { atomic::add(&raw mut (*self.site).opened, 1) };
    }
}
