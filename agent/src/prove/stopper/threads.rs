//! The threads of a target: stopped all, their registers read, and let go.
//!
//! Runs behind a fork: no allocation, no lock, no panic.

use super::arch;
use super::messages::{Failure, LARGEST, THREAD};
use crate::host::bare::{self, Pages, Path, Plain};
use crate::host::trace::{self, Registers, Seen};

/// Go itself ends a program with more than 10,000 threads.
const MAX_THREADS: usize = 20_000;
/// Twice as many places and more, so that most are where they are looked for first: a power of two.
const PLACES: usize = 1 << 16;
/// Words for all registers: some 60 a thread are not zero.
const MAX_WORDS: usize = 8 << 20;
/// A thread's words beyond these would not fit into a message.
const MAX_THREAD_WORDS: usize = LARGEST / 8 - HEAD;
/// Words of a record before its registers.
const HEAD: usize = 5;
/// Words of the kernel's vector registers: AMX's tiles alone are 1,024.
const MAX_VECTOR_WORDS: usize = 4096;

const RUNS: u32 = 1;
const STANDS: u32 = 2;
const GONE: u32 = 3;
/// Traced, and about to end or ended: until its tracer takes note of its end, its process can neither end nor be replaced.
const LINGERS: u32 = 4;

/// A thread of the target.
#[derive(Clone, Copy)]
pub(super) struct Thread {
    pub(super) tid: u32,
    state: u32,
    /// The signal that it was about to be delivered, and still has to be.
    signal: i32,
}

// SAFETY: three numbers.
#[allow(unsafe_code)]
unsafe impl Plain for Thread {}

impl Thread {
    /// Whether it stands, and no signal waits for it.
    pub(super) const fn is_quiet(&self) -> bool {
        self.state == STANDS && self.signal == 0
    }
}

/// All threads of a target.
pub(super) struct Threads {
    table: Pages<Thread>,
    count: usize,
    /// Ids by where their hash leads.
    known: Pages<u32>,
    records: Pages<u64>,
    recorded: usize,
    vectors: Pages<u64>,
}

impl Threads {
    /// Room for them. `None` where the kernel has no memory.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            table: Pages::map(MAX_THREADS, false)?,
            count: 0,
            known: Pages::map(PLACES, false)?,
            records: Pages::map(MAX_WORDS, false)?,
            recorded: 0,
            vectors: Pages::map(MAX_VECTOR_WORDS, false)?,
        })
    }

    /// Those that were seen.
    pub(super) fn all(&mut self) -> &mut [Thread] {
        self.table.all().get_mut(..self.count).unwrap_or_default()
    }

    /// Stops all threads of a process, those too that come meanwhile: until none is there that was not there before.
    /// Some may stand when this fails; they go on when this process ends.
    pub(super) fn stop(&mut self, pid: u32, until_ns: u64) -> Result<(), Failure> {
        let folder = Path::of(pid).text(b"/task");
        loop {
            let mut seen = Ok(0_usize);
            let listed = bare::each_number(&folder, &mut |tid| {
                if let Ok(new) = seen {
                    seen = self.meet(tid).map(|is_new| new.wrapping_add(usize::from(is_new)));
                }
            });
            listed.map_err(|_| Failure::Gone)?;
            let new = seen?;
            self.wait(pid, until_ns)?;
            // All that were there when the list was read stood before, and could clone no others.
            if new == 0 {
                let any = self.all().iter().any(|thread| thread.state == STANDS);
                return if any { Ok(()) } else { Err(Failure::Gone) };
            }
        }
    }

    /// Whether a thread is new; one that is, is traced and told to stop.
    fn meet(&mut self, tid: u32) -> Result<bool, Failure> {
        if !self.is_new(tid)? {
            return Ok(false);
        }
        let state = match trace::seize(tid, 0) {
            Ok(()) => match trace::interrupt(tid) {
                Ok(()) => RUNS,
                Err(_) => LINGERS,
            },
            Err(libc::ESRCH) => GONE,
            // Nobody traces what has ended, such as a first thread that left the others alone.
            Err(libc::EPERM) if has_ended(tid) => GONE,
            Err(error) => return Err(Failure::Refused(error)),
        };
        let slot = self.table.all().get_mut(self.count).ok_or(Failure::TooManyThreads)?;
        *slot = Thread { tid, state, signal: 0 };
        self.count = self.count.wrapping_add(1);
        Ok(true)
    }

    fn is_new(&mut self, tid: u32) -> Result<bool, Failure> {
        let first = (tid.wrapping_mul(0x9E37_79B9) >> 16) as usize;
        let places = self.known.all();
        for step in 0..PLACES {
            match places.get_mut(first.wrapping_add(step) % PLACES) {
                Some(place) if *place == tid => return Ok(false),
                Some(place) if *place == 0 => {
                    *place = tid;
                    return Ok(true);
                }
                _ => {}
            }
        }
        Err(Failure::TooManyThreads)
    }

    /// Waits until all that are traced stand.
    fn wait(&mut self, pid: u32, until_ns: u64) -> Result<(), Failure> {
        for round in 0_u32.. {
            let mut last = None;
            for thread in self.all().iter_mut().filter(|thread| thread.state == RUNS) {
                match trace::look(thread.tid) {
                    Seen::Running => last = Some(thread),
                    Seen::Signal(signal) => (thread.state, thread.signal) = (STANDS, signal),
                    seen if seen.is_stopped() => thread.state = STANDS,
                    _ => thread.state = GONE,
                }
            }
            let Some(last) = last else { return Ok(()) };
            // A first thread that ends is not reported as long as there are others.
            if round % 64 == 63 && last.tid == pid && has_ended(last.tid) {
                last.state = LINGERS;
            }
            if bare::now_ns() > until_ns {
                return Err(Failure::NotStopped(last.tid));
            }
            // Who replaces the program waits until the others have ended, those too that stand.
            if round % 64 == 63 {
                self.have_all_stood();
            }
            if round < 256 { bare::give_way() } else { bare::sleep_us(20) }
        }
        Ok(())
    }

    /// Reads the registers of all.
    pub(super) fn record(&mut self) -> Result<(), Failure> {
        let threads = self.table.all().get(..self.count).unwrap_or_default();
        for thread in threads.iter().filter(|thread| thread.state == STANDS) {
            let (tid, records) = (thread.tid, self.records.all());
            let general = match trace::registers(tid) {
                Ok(general) => general,
                // Killed meanwhile.
                Err(libc::ESRCH) => continue,
                Err(error) => return Err(Failure::Refused(error)),
            };
            let vectors = match trace::vectors(tid, self.vectors.all()) {
                Ok(vectors) => vectors,
                Err(libc::ESRCH) => continue,
                Err(error) => return Err(Failure::Refused(error)),
            };
            let room = records.get_mut(self.recorded..).unwrap_or_default();
            let used = write(room, tid, &general, vectors).ok_or(Failure::TooManyThreads)?;
            self.recorded = self.recorded.wrapping_add(used);
        }
        Ok(())
    }

    /// Lets all go on, each with the signal that it was about to be delivered.
    pub(super) fn let_go(&mut self) {
        for thread in self.all().iter_mut().filter(|thread| thread.state == STANDS) {
            // One that was killed meanwhile cannot be let go.
            let is_let_go = trace::detach(thread.tid, thread.held_back()).is_ok();
            thread.state = if is_let_go { GONE } else { LINGERS };
        }
    }

    /// Takes note of the ends of threads that were killed while they stood. Whether none is left.
    pub(super) fn forget_ended(&mut self) -> bool {
        let mut none = true;
        for thread in self.all().iter_mut().filter(|thread| thread.state == LINGERS) {
            match trace::look(thread.tid) {
                Seen::Running => none = false,
                Seen::Ended | Seen::Unknown => thread.state = GONE,
                // It is none that ends.
                _ if trace::detach(thread.tid, thread.held_back()).is_ok() => thread.state = GONE,
                _ => none = false,
            }
        }
        none
    }

    /// Whether all that stood still do: none has been killed. Takes note of the ends of those that were.
    pub(super) fn have_all_stood(&mut self) -> bool {
        let mut all = true;
        for thread in self.all().iter_mut().filter(|thread| thread.state == STANDS) {
            if matches!(trace::look(thread.tid), Seen::Ended | Seen::Unknown) {
                (thread.state, all) = (GONE, false);
            }
        }
        all
    }

    /// Says the registers of all to the agent. Whether it has heard, until a time at the latest.
    pub(super) fn tell(&mut self, number: u64, until_ns: u64) -> bool {
        let mut rest = self.records.all().get(..self.recorded).unwrap_or_default();
        while let Some((len, from)) = rest.split_first() {
            let len = *len as usize;
            let (record, behind) = from.split_at_checked(len).unwrap_or((from, &[]));
            let mut message = [0_u8; LARGEST];
            let words = [THREAD, number].into_iter().chain(record.iter().copied());
            let mut said = 0_usize;
            for (to, word) in message.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *to = word.to_le_bytes();
                said = said.wrapping_add(8);
            }
            if !bare::send_until(message.get(..said).unwrap_or_default(), until_ns) {
                return false;
            }
            rest = behind;
        }
        true
    }
}

impl Thread {
    /// The signal that it is to go on with. A first thread that was killed may be another program's by now, which has its id
    /// and none of its signals.
    fn held_back(&self) -> i32 {
        let waits = self.signal != 0 && trace::look(self.tid) == Seen::Signal(self.signal);
        if waits { self.signal } else { 0 }
    }

    /// Notes that a signal has come for it.
    pub(super) const fn hold_back(&mut self, signal: i32) {
        self.signal = signal;
    }
}

/// Writes a thread's record: how many words follow, its id, program counter and stack pointer, and what registers hold
/// that is not zero. Gives how many words it has in all; `None` where there is no room.
fn write(room: &mut [u64], tid: u32, general: &Registers, vectors: &[u64]) -> Option<usize> {
    let (ip, sp, others) = arch::parts(general);
    let [low, high] = arch::vector_parts(vectors);
    let held = others.iter().chain(low).chain(high).copied().filter(|word| *word != 0);
    let (len, rest) = room.split_first_mut()?;
    let mut written = 0_usize;
    let mut places = rest.iter_mut();
    for word in [u64::from(tid), ip, sp].into_iter().chain(held.take(MAX_THREAD_WORDS)) {
        *places.next()? = word;
        written = written.wrapping_add(1);
    }
    *len = written as u64;
    written.checked_add(1)
}

/// Whether a thread has ended, and waits for others.
fn has_ended(tid: u32) -> bool {
    let mut room = [0; 512];
    let stat = bare::read(&Path::of(tid).text(b"/stat"), &mut room);
    let state = stat.and_then(super::stat::state);
    state.is_none_or(|state| matches!(state, b'Z' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_what_is_not_zero() {
        let mut general: Registers = [0; _];
        general.fill(5);
        let mut room = [0; 400];
        let used = write(&mut room, 7, &general, &[9; 80]).expect("it fits");
        let (ip, sp, others) = arch::parts(&general);
        assert_eq!(room[..4], [used as u64 - 1, 7, ip, sp]);
        let vectors = arch::vector_parts(&[9; 80]).iter().map(|part| part.len()).sum::<usize>();
        assert_eq!(used, HEAD - 1 + others.len() + vectors);
        assert!(room[used..].iter().all(|word| *word == 0));
        assert_eq!(write(&mut room[..9], 7, &general, &[]), None);
        let used = write(&mut room, 7, &[0; _], &[0; 80]);
        assert_eq!(used, Some(4));
    }

    #[test]
    fn a_thread_is_new_once() {
        let mut threads = Threads::new().expect("memory");
        for tid in 1..1000 {
            assert_eq!(threads.is_new(tid), Ok(true));
        }
        for tid in 1..1000 {
            assert_eq!(threads.is_new(tid), Ok(false));
        }
        assert_eq!(threads.is_new(1000), Ok(true));
    }
}
