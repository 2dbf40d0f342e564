//! Reading one batch of goroutines: each once, its stack, what it waits on, and each once more.

use super::channels::SampledChannel;
use super::objects::find_objects;
use super::stacks::StackKey;
use super::standing::Known;
use super::{Look, Snapshotter};
use crate::golang::goroutines::{RawG, RawStatus};
use crate::golang::memory::{ReadError, Span};
use crate::golang::{Error, Program};

/// How much of a stack is read at first; most are shorter.
const FIRST_READ: u64 = 16 << 10;

/// A slot of the runtime's list and the goroutine in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) slot: u32,
    pub(super) addr: u64,
}

/// Whether there will be no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There will: leave what is torn for then.
    No,
    /// There will not: take it in as torn.
    Yes,
}

/// A goroutine of the batch.
pub(super) struct Current {
    pub(super) item: Item,
    /// As it was first read.
    pub(super) g: RawG,
    /// As it was read again when all else had been; `None` when it could not be.
    pub(super) later: Option<RawG>,
    /// Its place among the stacks that were read; `None` when it does not stand still.
    pub(super) stack: Option<usize>,
    /// The place of the outermost part of its stack's memory, when it runs and locks are searched for.
    pub(super) outermost: Option<usize>,
    /// What its stack is, once walked; `None` when it could not be.
    pub(super) key: Option<StackKey>,
    /// What the look before knew of it, where it has not run since: its stack is not read again.
    pub(super) unmoved: Option<Known>,
}

impl Current {
    /// Whether it stands where it stood: whatever was read of it in between is its own.
    pub(super) fn stood(&self) -> bool {
        self.later.is_some_and(|later| self.g.stands_as(&later))
    }

    /// Whether it stood, and has not run in between either.
    pub(super) fn stayed(&self) -> bool {
        self.stood() && self.later.is_some_and(|later| self.g.stops == later.stops)
    }

    /// Whether it was running both times.
    pub(super) fn runs(&self) -> bool {
        let runs = |g: &RawG| g.status == RawStatus::Running && g.goid == self.g.goid;
        runs(&self.g) && self.later.as_ref().is_some_and(runs)
    }
}

impl Snapshotter {
    /// Reads `items`: takes in those that stood still or run, and leaves the others for later.
    pub(super) fn batch(
        &mut self,
        look: &mut Look<'_>,
        items: &[Item],
        last: Last,
    ) -> Result<(), Error> {
        let program = look.program;
        let mut batch = self.read_goroutines(look, items)?;
        self.walk_stacks(program, &mut batch)?;
        let objects = find_objects(
            program,
            &batch,
            self.standing.as_ref(),
            &self.buffers.stacks,
            &mut self.buffers.sudogs,
            &mut self.stacks,
            &self.reasons,
        )
        .map_err(failed(program))?;
        let channels = look
            .channels
            .read(program, &batch, &objects, &mut self.buffers.channels, &self.reasons)
            .map_err(failed(program))?;
        self.read_again(program, &mut batch, &channels)?;
        look.channels.take_in(&batch, &channels, &mut look.snapshot.channels);
        self.take_in(look, &batch, &objects, last);
        Ok(())
    }

    fn read_goroutines(
        &mut self,
        look: &mut Look<'_>,
        items: &[Item],
    ) -> Result<Vec<Current>, Error> {
        let reader = look.program.goroutine_reader();
        let span = |item: &Item| Span { addr: item.addr, len: reader.bytes_needed() };
        let spans: Vec<_> = items.iter().map(span).collect();
        let first = &mut self.buffers.goroutines;
        first.read(look.program.memory(), &spans).map_err(failed(look.program))?;
        let first = &self.buffers.goroutines;
        let mut batch = Vec::with_capacity(items.len());
        for (index, &item) in items.iter().enumerate() {
            match first.get(index).and_then(|bytes| reader.parse(item.addr, bytes)) {
                Some(g) if g.status == RawStatus::Dead => {}
                Some(g) => {
                    let unmoved = self.unmoved(look, item, &g);
                    let key = unmoved.map(|known| known.key);
                    let (later, stack, outermost) = (None, None, None);
                    batch.push(Current { item, g, later, stack, outermost, key, unmoved });
                }
                // A goroutine's memory is never given back: this is no runtime that we know, and
                // another try would not help.
                None => look.unreadable += 1,
            }
        }
        Ok(batch)
    }

    /// What the look before knew of a goroutine that has not run since, unless its stack is wanted anew
    /// to be searched for locks.
    fn unmoved(&self, look: &Look<'_>, item: Item, g: &RawG) -> Option<Known> {
        let known = self.standing.as_ref()?.find(item.slot, g)?;
        let is_searched = self.watched.is_empty()
            || known.searched == Some(self.watched.set())
            || look.mentions.has_enough(known.key);
        is_searched.then_some(known)
    }

    fn walk_stacks(&mut self, program: &Program, batch: &mut [Current]) -> Result<(), Error> {
        let mut spans = Vec::with_capacity(batch.len());
        for one in batch.iter_mut() {
            let g = &one.g;
            if g.status == RawStatus::Running && !self.watched.is_empty() {
                let len = g.stack_hi.saturating_sub(g.stack_lo).min(FIRST_READ);
                one.outermost = Some(spans.len());
                spans.push(Span { addr: g.stack_hi.wrapping_sub(len), len: len as u32 });
            }
            if one.unmoved.is_none()
                && g.status.stands_still()
                && (g.stack_lo..g.stack_hi).contains(&g.sp)
            {
                one.stack = Some(spans.len());
                spans.push(Span { addr: g.sp, len: (g.stack_hi - g.sp).min(FIRST_READ) as u32 });
            }
        }
        self.buffers.stacks.read(program.memory(), &spans).map_err(failed(program))?;
        for one in batch.iter_mut().filter(|one| one.unmoved.is_none()) {
            let bytes = one.stack.and_then(|stack| self.buffers.stacks.get(stack));
            one.key =
                bytes.and_then(|stack| self.stacks.walk(program, &mut self.steps, &one.g, stack));
        }
        Ok(())
    }

    /// Reads those again of which something was read since they were first read.
    fn read_again(
        &mut self,
        program: &Program,
        batch: &mut [Current],
        channels: &[SampledChannel],
    ) -> Result<(), Error> {
        let reader = program.goroutine_reader();
        let mut sampled = channels.iter().map(|&(index, _)| index).peekable();
        let mut spans = Vec::with_capacity(batch.len());
        let mut again = Vec::with_capacity(batch.len());
        for (index, one) in batch.iter_mut().enumerate() {
            let mut is_sampled = false;
            while sampled.next_if_eq(&index).is_some() {
                is_sampled = true;
            }
            if one.unmoved.is_some() && !is_sampled {
                one.later = Some(one.g);
            } else {
                spans.push(Span { addr: one.item.addr, len: reader.bytes_needed() });
                again.push(index);
            }
        }
        let second = &mut self.buffers.goroutines;
        second.read(program.memory(), &spans).map_err(failed(program))?;
        for (place, index) in again.into_iter().enumerate() {
            let one = &mut batch[index];
            one.later = second.get(place).and_then(|bytes| reader.parse(one.item.addr, bytes));
        }
        Ok(())
    }
}

fn failed(program: &Program) -> impl Fn(ReadError) -> Error {
    let pid = program.process().pid;
    move |source| Error::read(pid, "the goroutines", source)
}
