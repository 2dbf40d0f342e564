//! The process that sets rates: what it runs, how it is forked and asked. All of the unsafe code behind [`super`].
//!
//! Behind the fork all is as [`crate::host::forked`] says.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use crate::host::bare::{Path, last_error};
use crate::host::forked::{Forked, end};

/// What it is called. The kernel keeps 15 bytes of a name.
const NAME: &CStr = c"leak-agent-rate";

/// `CAP_DAC_OVERRIDE` and `CAP_SYS_PTRACE`: what opening other users' `/proc/PID/mem` can need.
const WRITING: u64 = 1 << 1 | 1 << 19;

/// Targets that it serves at a time.
pub(super) const SLOTS: usize = 64;
/// The least rate that it sets, and the largest.
pub(super) const MIN_RATE: u64 = 4 << 10;
pub(super) const MAX_RATE: u64 = 64 << 20;

/// The memory is gone: the process has ended, or executed something.
pub(super) const ENDED: i32 = libc::ESRCH;
/// There is no place for one more target.
pub(super) const FULL: i32 = libc::ENOSPC;

/// What it is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Open the memory, and say what the word is.
    Open,
    /// Set the word, if it is 0.
    Set,
    /// Set it to 0, if it is what it was set to, and close the memory.
    SetBack,
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) what: What,
    /// Whose; for one that is opened, the process.
    pub(super) slot: u32,
    /// A thread of it that lives.
    pub(super) thread: u32,
    /// Where the word is.
    pub(super) address: u64,
    /// What it is set to.
    pub(super) rate: u64,
}

impl Order {
    pub(super) const BYTES: usize = 32;

    pub(super) fn bytes(self) -> [u8; Self::BYTES] {
        let what = match self.what {
            What::Open => 1,
            What::Set => 2,
            What::SetBack => 3,
        };
        let first = u64::from(self.slot) << 32 | what;
        let words = [first, self.thread.into(), self.address, self.rate];
        let mut bytes = [0; Self::BYTES];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let (first, thread) = (words.next()?, words.next()?);
        let (address, rate) = (words.next()?, words.next()?);
        let what = match first as u32 {
            1 => What::Open,
            2 => What::Set,
            3 => What::SetBack,
            _ => return None,
        };
        Some(Self { what, slot: (first >> 32) as u32, thread: thread as u32, address, rate })
    }
}

/// What it says to each order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 when it was done, else why not.
    pub(super) error: i32,
    /// Where what was opened is kept.
    pub(super) slot: u32,
    /// What the word was before; of one that is set back, what it is then.
    pub(super) value: u64,
}

impl Answer {
    pub(super) const BYTES: usize = 16;

    fn bytes(self) -> [u8; Self::BYTES] {
        let first = u128::from(self.error as u32) | u128::from(self.slot) << 32;
        (first | u128::from(self.value) << 64).to_le_bytes()
    }

    pub(super) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let all = u128::from_le_bytes(bytes);
        Self { error: all as i32, slot: (all >> 32) as u32, value: (all >> 64) as u64 }
    }

    const fn failed(error: i32) -> Self {
        Self { error, slot: 0, value: 0 }
    }
}

/// Forks the keeper, which listens on a socket, and gives its pid.
pub(super) fn fork(socket: BorrowedFd<'_>) -> io::Result<i32> {
    Forked { name: NAME, keeps: WRITING, run: serve }.start(socket)
}

/// A word of a target's memory.
#[derive(Clone, Copy)]
struct Slot {
    memory: RawFd,
    address: u64,
    /// What it was set to; 0 for one that was not.
    ours: u64,
}

/// The keeper: does what it is told, until the agent is gone, and then sets everything back.
fn serve() -> ! {
    let mut slots: [Option<Slot>; SLOTS] = [None; SLOTS];
    while let Some(order) = next_order() {
        let answer = match order.what {
            What::Open => open(&mut slots, order),
            What::Set => set(&mut slots, order),
            What::SetBack => match slots.get_mut(order.slot as usize).and_then(Option::take) {
                Some(slot) => set_back(slot),
                None => Answer::failed(libc::EINVAL),
            },
        };
        say(answer);
    }
    for slot in slots.into_iter().flatten() {
        set_back(slot);
    }
    end()
}

fn open(slots: &mut [Option<Slot>; SLOTS], order: Order) -> Answer {
    let free = slots.iter_mut().enumerate().find(|(_, slot)| slot.is_none());
    let Some((place, slot)) = free else { return Answer::failed(FULL) };
    // A thread of another process is not there.
    let path = Path::of(order.slot).text(b"/task/").number(order.thread).text(b"/mem");
    // SAFETY: the path ends with a zero, and outlives the call.
    let memory = unsafe { libc::open(path.as_c_str().as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    if memory < 0 {
        return Answer::failed(last_error());
    }
    let opened = Slot { memory, address: order.address, ours: 0 };
    match opened.read() {
        Ok(value) => {
            *slot = Some(opened);
            Answer { error: 0, slot: place as u32, value }
        }
        Err(error) => {
            opened.close();
            Answer::failed(error)
        }
    }
}

/// Sets the word where it is 0. Whatever the agent has become: nothing else is ever written.
fn set(slots: &mut [Option<Slot>; SLOTS], order: Order) -> Answer {
    let is_rate = order.rate.is_power_of_two() && (MIN_RATE..=MAX_RATE).contains(&order.rate);
    let slot = slots.get_mut(order.slot as usize).and_then(Option::as_mut);
    let Some(slot) = slot.filter(|_| is_rate) else { return Answer::failed(libc::EINVAL) };
    match slot.read() {
        Ok(0) => {
            slot.ours = order.rate;
            match slot.write(order.rate) {
                Ok(()) => Answer { error: 0, slot: order.slot, value: 0 },
                Err(error) => {
                    slot.ours = 0;
                    Answer::failed(error)
                }
            }
        }
        Ok(value) => Answer { error: 0, slot: order.slot, value },
        Err(error) => Answer::failed(error),
    }
}

/// Sets a word back where it is still what it was set to, and closes the memory.
fn set_back(slot: Slot) -> Answer {
    let outcome = match slot.read() {
        Ok(value) if slot.ours != 0 && value == slot.ours => {
            slot.write(0).and_then(|()| slot.read())
        }
        other => other,
    };
    slot.close();
    match outcome {
        Ok(value) => Answer { error: 0, slot: 0, value },
        Err(error) => Answer::failed(error),
    }
}

impl Slot {
    fn read(self) -> Result<u64, i32> {
        let mut word = [0_u8; 8];
        done(|| {
            // SAFETY: eight bytes of this frame.
            unsafe {
                let to: *mut c_void = word.as_mut_ptr().cast();
                libc::pread(self.memory, to, word.len(), self.address as libc::off_t)
            }
        })?;
        Ok(u64::from_le_bytes(word))
    }

    fn write(self, value: u64) -> Result<(), i32> {
        let word = value.to_le_bytes();
        done(|| {
            // SAFETY: eight bytes of this frame, to the memory of another process.
            unsafe {
                let from: *const c_void = word.as_ptr().cast();
                libc::pwrite(self.memory, from, word.len(), self.address as libc::off_t)
            }
        })
    }

    fn close(self) {
        // SAFETY: it was opened by this process, which has no other use for it.
        unsafe { libc::close(self.memory) };
    }
}

/// Whether a call moved a whole word. Of memory that is gone nothing is moved.
fn done(mut call: impl FnMut() -> isize) -> Result<(), i32> {
    loop {
        match call() {
            8 => return Ok(()),
            0 => return Err(ENDED),
            1.. => return Err(libc::EIO),
            ..0 => match last_error() {
                libc::EINTR => {}
                error => return Err(error),
            },
        }
    }
}

/// Waits for the next order; `None` when the agent is gone.
fn next_order() -> Option<Order> {
    let mut bytes = [0_u8; Order::BYTES];
    // SAFETY: the buffer is this frame's own. An order is one write of the agent's, and comes whole.
    let read = unsafe { libc::recv(0, bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_WAITALL) };
    if read == Order::BYTES as isize { Order::from_bytes(&bytes) } else { None }
}

fn say(answer: Answer) {
    let bytes = answer.bytes();
    // SAFETY: the buffer is this frame's own. An agent that is gone is found out by the next order.
    unsafe { libc::send(0, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        for what in [What::Open, What::Set, What::SetBack] {
            let order =
                Order { what, slot: 63, thread: u32::MAX, address: 0x0123_4567_89ab_cdef, rate: 7 };
            assert_eq!(Order::from_bytes(&order.bytes()), Some(order));
        }
        assert_eq!(Order::from_bytes(&[0; Order::BYTES]), None);
        let answer = Answer { error: libc::EPERM, slot: u32::MAX, value: u64::MAX };
        assert_eq!(Answer::from_bytes(answer.bytes()), answer);
        let negative = Answer { error: -1, slot: 0, value: 0 };
        assert_eq!(Answer::from_bytes(negative.bytes()), negative);
    }
}
