//! The threads that read one snapshot, and what they share: the list of goroutines, batch by batch, and
//! what is taken in of it, in the list's order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::item::{Item, Last};
use super::mentions::Watched;
use super::stacks::{Stacks, Trails};
use super::standing::{Known, Standing};
use super::{Buffers, Unfinished};
use crate::collect::attach::wait::Reason;
use crate::golang::goroutines::{AllGs, RawG};
use crate::golang::unwind::Steps;
use crate::golang::{Error, Program};
use crate::host::processors::Processors;

/// For how long a helper leaves its processor to others before it checks again whether they want it: mostly
/// it is a kernel thread with little to do, or a thread of the target.
const GIVE_WAY_FOR: Duration = Duration::from_micros(500);

/// The runtime's list of goroutines, to be read in batches.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) all: AllGs,
    pub(super) len: usize,
    /// Goroutines a batch.
    pub(super) batch: usize,
}

/// What all reading threads share.
pub(super) struct Shared<'a> {
    pub(super) program: &'a Program,
    pub(super) reasons: &'a [Reason],
    pub(super) watched: &'a Watched,
    list: List,
    /// Whether this many goroutines with this many distinct stacks fit into memory.
    fits: &'a (dyn Fn(usize, usize) -> bool + Sync),
    /// The batch that is read next.
    next: AtomicUsize,
    state: Mutex<State<'a>>,
    /// Told whenever it is another batch's turn, or reading stops.
    turned: Condvar,
}

/// What one thread at a time may change.
pub(super) struct State<'a> {
    pub(super) stacks: &'a mut Stacks,
    /// `None` where there will be no other snapshot.
    pub(super) standing: Option<&'a mut Standing>,
    pub(super) unfinished: Unfinished,
    /// The batch that is taken in next.
    turn: usize,
    /// Reading failed, or is of no use any more.
    is_stopped: bool,
    is_too_large: bool,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        program: &'a Program,
        list: List,
        (reasons, watched): (&'a [Reason], &'a Watched),
        (stacks, standing): (&'a mut Stacks, Option<&'a mut Standing>),
        fits: &'a (dyn Fn(usize, usize) -> bool + Sync),
    ) -> Self {
        let unfinished = Unfinished::of(program);
        let (turn, is_stopped, is_too_large) = (0, false, false);
        let state = State { stacks, standing, unfinished, turn, is_stopped, is_too_large };
        let (next, turned) = (AtomicUsize::new(0), Condvar::new());
        Self { program, reasons, watched, list, fits, next, state: Mutex::new(state), turned }
    }

    /// What the threads share. A thread that panicked stops the others, so that a lock that it left
    /// poisoned does no harm.
    pub(super) fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Shared::state`], once all batches before `number` have been taken in; `None` when reading
    /// has stopped.
    fn turn(&self, number: usize) -> Option<MutexGuard<'_, State<'a>>> {
        let mut state = self.state();
        while state.turn != number && !state.is_stopped {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (!state.is_stopped).then_some(state)
    }

    /// Whether there are batches that nobody has begun, and reading goes on.
    fn has_more(&self) -> bool {
        let begun = self.next.load(Ordering::Relaxed).saturating_mul(self.list.batch);
        begun < self.list.len && !self.state().is_stopped
    }

    fn stop(&self) {
        self.state().is_stopped = true;
        self.turned.notify_all();
    }

    /// Those that moved while they were read, and have to be read again; none when reading stopped.
    pub(super) fn take_moved(&self) -> Vec<Item> {
        let mut state = self.state();
        if state.is_stopped { Vec::new() } else { std::mem::take(&mut state.unfinished.moved) }
    }

    /// What was read, and whether nothing more fitted in.
    pub(super) fn finish(self) -> (Unfinished, bool) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state.unfinished, state.is_too_large)
    }
}

impl State<'_> {
    /// What the snapshot before knew of a goroutine that has not run since, unless its stack is wanted
    /// anew to be searched for locks.
    pub(super) fn unmoved(&self, watched: &Watched, item: Item, g: &RawG) -> Option<Known> {
        let known = self.standing.as_ref()?.find(item.slot, g)?;
        let is_searched = watched.is_empty()
            || known.searched == Some(watched.set())
            || self.unfinished.mentions.has_enough(known.key);
        is_searched.then_some(known)
    }
}

/// One thread's own: what it learns, and memory that is used again for every batch.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) steps: Steps,
    pub(super) trails: Trails,
    pub(super) buffers: Buffers,
}

/// Whoever waits for a thread that panics would wait for ever.
struct StopOnPanic<'s, 'a>(&'s Shared<'a>);

impl Drop for StopOnPanic<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

impl Reader {
    /// Reads batches until there are none left, or reading stops.
    ///
    /// # Errors
    /// When the process is gone, or cannot be read. The other threads then stop too.
    pub(super) fn read(&mut self, shared: &Shared<'_>) -> Result<(), Error> {
        self.read_while(shared, || ())
    }

    /// As [`Reader::read`], but only while no other thread of the machine wants this one's processor:
    /// until then the rest is left to the thread that reads without condition.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub(super) fn help(
        &mut self,
        shared: &Shared<'_>,
        processors: Processors,
    ) -> Result<(), Error> {
        self.read_while(shared, || {
            while processors.are_contended() && shared.has_more() {
                thread::sleep(GIVE_WAY_FOR);
            }
        })
    }

    fn read_while(&mut self, shared: &Shared<'_>, before_batch: impl Fn()) -> Result<(), Error> {
        let _guard = StopOnPanic(shared);
        let outcome = self.read_batches(shared, before_batch);
        if outcome.is_err() {
            shared.stop();
        }
        outcome
    }

    fn read_batches(&mut self, shared: &Shared<'_>, before_batch: impl Fn()) -> Result<(), Error> {
        let (program, List { all, len, batch }) = (shared.program, shared.list);
        let failed = |source| Error::read(program.process().pid, "the list of goroutines", source);
        let (mut addresses, mut items) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
        loop {
            before_batch();
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            let from = number.saturating_mul(batch);
            if from >= len {
                break;
            }
            all.addresses(program.memory(), from, batch.min(len - from), &mut addresses)
                .map_err(failed)?;
            items.clear();
            items.extend((from as u32..).zip(&addresses).map(|(slot, &addr)| Item { slot, addr }));
            let read = self.read_batch(shared, &items)?;
            let Some(mut state) = shared.turn(number) else { break };
            self.take_in(shared, &mut state, &read, Last::No);
            state.turn += 1;
            if !(shared.fits)(state.unfinished.snapshot.goroutines.len(), state.stacks.distinct()) {
                (state.is_stopped, state.is_too_large) = (true, true);
            }
            drop(state);
            shared.turned.notify_all();
        }
        Ok(())
    }

    /// Reads again those that moved, when no other thread reads any more.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub(super) fn read_again(
        &mut self,
        shared: &Shared<'_>,
        items: &[Item],
        last: Last,
    ) -> Result<(), Error> {
        let read = self.read_batch(shared, items)?;
        self.take_in(shared, &mut shared.state(), &read, last);
        Ok(())
    }
}
