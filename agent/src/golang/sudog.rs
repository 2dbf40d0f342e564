//! What a blocked goroutine waits on: channels and locks, through the runtime's sudogs.
//!
//! A goroutine that waits on channels is linked to its sudogs by `g.waiting`. One that waits on a
//! semaphore (mutex, RWMutex, WaitGroup) or a Cond is only since Go 1.26; before that its sudog is
//! found on its own stack, where the waiting function keeps it.

use super::layout;
use super::memory::Memory;

/// How much of the innermost stack is searched for a sudog.
pub const SEARCH_BYTES: usize = 512;
/// No more waiters of one Cond are followed than this.
const MAX_WAITERS: usize = 10_000;
/// Where `sync.Cond` keeps its list of waiters, behind its Locker (Go 1.21 to 1.27).
const COND_LIST: u64 = 16;
/// Where that list keeps its first waiter (`runtime.notifyList`).
const LIST_HEAD: u64 = 16;

/// How the address that people know is made of what a sudog holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsOn {
    /// Channels: `sudog.c` of every sudog in the chain.
    Channels,
    /// A lock, this many bytes before the semaphore in `sudog.elem`.
    Lock(u64),
    /// A `sync.Cond`, whose list of waiters `sudog.elem` names since Go 1.26.
    Cond,
}

impl WaitsOn {
    /// By the runtime's wait reason; `None` for what has no address (a sleep) or keeps no sudog.
    #[must_use]
    pub fn of(reason: &str) -> Option<Self> {
        // In a synctest bubble, waits that time alone can end are marked.
        let reason = ["(durable)", "(synctest)"]
            .into_iter()
            .find_map(|mark| reason.strip_suffix(mark))
            .map_or(reason, str::trim_end);
        // The offsets of the semaphores in sync.Mutex, sync.RWMutex and sync.WaitGroup.
        let waits_on = match reason {
            "sync.Mutex.Lock" => Self::Lock(4),
            "sync.RWMutex.Lock" => Self::Lock(8),
            "sync.RWMutex.RLock" => Self::Lock(12),
            "sync.WaitGroup.Wait" => Self::Lock(8),
            // A WaitGroup up to Go 1.24, or some other user of a bare semaphore.
            "semacquire" => Self::Lock(0),
            "sync.Cond.Wait" => Self::Cond,
            "select" | "chan send" | "chan receive" => Self::Channels,
            _ => return None,
        };
        Some(waits_on)
    }
}

/// One `runtime.sudog`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sudog {
    /// The goroutine that waits.
    pub g: u64,
    /// The next in the object's queue.
    pub next: u64,
    /// What is sent, received, or waited on.
    pub elem: u64,
    /// The channel.
    pub channel: u64,
    /// The goroutine's next sudog.
    pub wait_link: u64,
}

impl Sudog {
    /// Parses the struct.
    #[must_use]
    pub fn parse(layout: &layout::Sudog, bytes: &[u8]) -> Option<Self> {
        let word = |at: u32| Some(u64::from_le_bytes(*bytes.get(at as usize..)?.first_chunk()?));
        Some(Self {
            g: word(layout.g)?,
            next: word(layout.next)?,
            elem: word(layout.elem)?,
            channel: word(layout.c)?,
            wait_link: word(layout.wait_link)?,
        })
    }

    /// Reads the one at an address; `None` when there is no memory.
    pub fn read(memory: &dyn Memory, layout: &layout::Sudog, address: u64) -> Option<Self> {
        Self::parse(layout, &memory.read_vec(address, layout.size as usize).ok()?)
    }
}

/// Where on its stack a goroutine keeps what leads to its wait object: the same for every
/// goroutine with the same stack of the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A sudog, this many bytes above the stack pointer.
    Sudog(u16),
    /// A `sync.Cond`.
    Cond(u16),
    /// Nowhere that was found.
    None,
}

/// The address that a stack keeps in a slot.
#[must_use]
pub fn slot_value(stack: &[u8], at: u16) -> Option<u64> {
    Some(u64::from_le_bytes(*stack.get(usize::from(at)..)?.first_chunk()?))
}

/// A stack that is searched for what leads to a wait object.
pub struct Searched<'a> {
    /// What is searched for.
    pub waits_on: WaitsOn,
    /// The goroutine's address.
    pub g: u64,
    /// The innermost bytes of its stack.
    pub stack: &'a [u8],
    /// Whether an address may be a sudog's or a Cond's at all.
    pub foreign: &'a dyn Fn(u64) -> bool,
}

/// Searches the innermost part of a stack for the slot that leads to what its goroutine waits on.
/// Takes each read of memory from `reads`, and finds nothing more once that is 0.
pub fn search(
    memory: &dyn Memory,
    layout: &layout::Sudog,
    searched: &Searched<'_>,
    reads: &mut usize,
) -> Slot {
    let &Searched { waits_on, g, stack, foreign } = searched;
    let words = || {
        (0..SEARCH_BYTES.min(stack.len()) as u16)
            .step_by(8)
            .filter_map(|at| Some((at, slot_value(stack, at)?)))
            .filter(|&(_, value)| value != 0 && value % 8 == 0 && foreign(value))
    };
    // The last one that fits: innermost words may be left over from other calls, while the
    // function that waits keeps its own for as long as it does.
    let sudog = words()
        .filter(|&(_, value)| {
            let sudog = spend(reads).and_then(|()| Sudog::read(memory, layout, value));
            // A semaphore's sudog that is no longer in use has no element.
            sudog.is_some_and(|it| it.g == g && (waits_on == WaitsOn::Cond || it.elem != 0))
        })
        .last();
    let Some((at, sudog)) = sudog else { return Slot::None };
    if waits_on != WaitsOn::Cond {
        return Slot::Sudog(at);
    }
    let cond = words().filter(|&(_, value)| is_waiter(memory, layout, value, sudog, reads)).last();
    cond.map_or(Slot::None, |(at, _)| Slot::Cond(at))
}

/// Takes one read; `None` when there is none left.
fn spend(reads: &mut usize) -> Option<()> {
    *reads = reads.checked_sub(1)?;
    Some(())
}

/// Whether `sudog` is in the list of waiters of the Cond at `cond`.
fn is_waiter(
    memory: &dyn Memory,
    layout: &layout::Sudog,
    cond: u64,
    sudog: u64,
    reads: &mut usize,
) -> bool {
    let head = cond.checked_add(COND_LIST + LIST_HEAD).filter(|_| spend(reads).is_some());
    let head = head.and_then(|at| memory.read_u64(at).ok());
    let mut waiter = head.unwrap_or(0);
    for _ in 0..MAX_WAITERS {
        if waiter == 0 || !waiter.is_multiple_of(8) {
            return false;
        }
        if waiter == sudog {
            return true;
        }
        let next = spend(reads).and_then(|()| Sudog::read(memory, layout, waiter));
        let Some(next) = next else { return false };
        waiter = next.next;
    }
    false
}

/// The object that a sudog leads to, as people know it; `None` when it holds none.
#[must_use]
pub fn object(waits_on: WaitsOn, sudog: &Sudog) -> Option<u64> {
    let (address, back) = match waits_on {
        WaitsOn::Channels => (sudog.channel, 0),
        WaitsOn::Lock(back) => (sudog.elem, back),
        WaitsOn::Cond => (sudog.elem, COND_LIST),
    };
    (address != 0).then(|| address.wrapping_sub(back))
}
