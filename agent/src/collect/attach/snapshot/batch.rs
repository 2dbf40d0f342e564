//! Reading one batch of goroutines: each once, its stack, what it waits on, and each once more.

use super::channels::{self, SampledChannel};
use super::item::{Current, Item};
use super::objects::find_objects;
use super::readers::{Reader, Shared};
use crate::golang::goroutines::RawStatus;
use crate::golang::memory::{ReadError, Span};
use crate::golang::{Error, Program};

/// How much of a stack is read at first; most are shorter.
const FIRST_READ: u64 = 16 << 10;

/// What was read of a batch.
pub(super) struct Batch {
    pub(super) goroutines: Vec<Current>,
    /// Pairs of an index of `goroutines` and what that one waits on, by index.
    pub(super) objects: Vec<(usize, u64)>,
    pub(super) channels: Vec<SampledChannel>,
    /// Entries of the list whose memory could not be read.
    pub(super) unreadable: u64,
}

impl Reader {
    /// Reads `items`: each goroutine, its stack, what it waits on, and each goroutine once more.
    pub(super) fn read_batch(
        &mut self,
        shared: &Shared<'_>,
        items: &[Item],
    ) -> Result<Batch, Error> {
        let failed = failed(shared.program);
        let (mut goroutines, unreadable) = self.read_goroutines(shared, items)?;
        self.walk_stacks(shared, &mut goroutines)?;
        let (stacks, sudogs) = (&self.buffers.stacks, &mut self.buffers.sudogs);
        let objects = find_objects(shared, &goroutines, stacks, sudogs).map_err(&failed)?;
        let wanted = {
            let state = shared.state();
            state.unfinished.channels.wanted(&goroutines, &objects, shared.reasons)
        };
        let buffer = &mut self.buffers.channels;
        let channels = channels::read(shared.program, &wanted, buffer).map_err(&failed)?;
        self.read_twice(shared.program, &mut goroutines, &channels)?;
        Ok(Batch { goroutines, objects, channels, unreadable })
    }

    /// The goroutines of a batch that live, and of how many the memory could not be read.
    fn read_goroutines(
        &mut self,
        shared: &Shared<'_>,
        items: &[Item],
    ) -> Result<(Vec<Current>, u64), Error> {
        let reader = shared.program.goroutine_reader();
        let span = |item: &Item| Span { addr: item.addr, len: reader.bytes_needed() };
        let spans: Vec<_> = items.iter().map(span).collect();
        let first = &mut self.buffers.goroutines;
        first.read(shared.program.memory(), &spans).map_err(failed(shared.program))?;
        let (mut batch, mut unreadable) = (Vec::with_capacity(items.len()), 0);
        for (index, &item) in items.iter().enumerate() {
            match first.get(index).and_then(|bytes| reader.parse(item.addr, bytes)) {
                Some(g) if g.status == RawStatus::Dead => {}
                Some(g) => {
                    let (later, stack, outermost, key, unmoved) = (None, None, None, None, None);
                    batch.push(Current { item, g, later, stack, outermost, key, unmoved });
                }
                // A goroutine's memory is never freed: this is no runtime that we know, and
                // another try would not help.
                None => unreadable += 1,
            }
        }
        let state = shared.state();
        if state.standing.is_some() {
            for one in &mut batch {
                one.unmoved = state.unmoved(shared.watched, one.item, &one.g);
                one.key = one.unmoved.map(|known| known.key);
            }
        }
        Ok((batch, unreadable))
    }

    fn walk_stacks(&mut self, shared: &Shared<'_>, batch: &mut [Current]) -> Result<(), Error> {
        let program = shared.program;
        let mut spans = Vec::with_capacity(batch.len());
        for one in batch.iter_mut() {
            let g = &one.g;
            if g.status == RawStatus::Running && !shared.watched.is_empty() {
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
        // Most lead where one before them led, which each thread knows by itself.
        let stacks = &self.buffers.stacks;
        let bytes = |one: &Current| one.stack.and_then(|stack| stacks.get(stack));
        for one in batch.iter_mut().filter(|one| one.unmoved.is_none()) {
            one.key = bytes(one).and_then(|stack| self.trails.find(&one.g, stack));
        }
        let others = |one: &&mut Current| one.key.is_none() && one.stack.is_some();
        let mut state = None;
        for one in batch.iter_mut().filter(others) {
            let Some(stack) = bytes(one) else { continue };
            let state = state.get_or_insert_with(|| shared.state());
            let learnt = (&mut self.steps, &mut self.trails);
            one.key = state.stacks.walk(program, learnt, &one.g, stack);
        }
        Ok(())
    }

    /// Reads those again of which something was read since they were first read.
    fn read_twice(
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

fn failed(program: &Program) -> impl Fn(ReadError) -> Error + use<> {
    let pid = program.process().pid;
    move |source| Error::read(pid, "the goroutines", source)
}
