//! Reading one batch of goroutines.

use std::num::NonZeroU64;

use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

use super::objects::{Labels, find_objects};
use super::stacks::StackKey;
use super::{Snapshot, Snapshotter};
use crate::collect::attach::clock::Mark;
use crate::collect::attach::wait;
use crate::golang::goroutines::{RawG, RawStatus};
use crate::golang::memory::Span;
use crate::golang::{Error, Program};
use crate::model::{Goroutine, ObjectRange, StackView, Status};

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
    item: Item,
    pub(super) g: RawG,
    /// Its place among the stacks that were read; `None` when it does not stand still.
    pub(super) stack: Option<usize>,
    /// What its stack is, once walked; `None` when it could not be.
    pub(super) key: Option<StackKey>,
}

impl Snapshotter {
    /// Reads `items`; adds those that stood still (or run) to `snapshot` and the others to `moved`.
    pub(super) fn batch(
        &mut self,
        program: &Program,
        items: &[Item],
        last: Last,
        labels: &mut Labels,
        snapshot: &mut Snapshot,
        moved: &mut Vec<Item>,
    ) -> Result<(), Error> {
        let memory = program.memory();
        let failed = |source| Error::read(program.process().pid, "the goroutines", source);
        let reader = program.goroutine_reader();
        let span = |item: &Item| Span { addr: item.addr, len: reader.bytes_needed() };

        let spans: Vec<_> = items.iter().map(span).collect();
        self.buffers.first.read(memory, &spans).map_err(failed)?;
        let mut current = Vec::with_capacity(items.len());
        for (index, &item) in items.iter().enumerate() {
            let g = self.buffers.first.get(index).and_then(|bytes| reader.parse(item.addr, bytes));
            match g {
                Some(g) if g.status == RawStatus::Dead => {}
                Some(g) => current.push(Current { item, g, stack: None, key: None }),
                // A goroutine's memory is never given back: this is no runtime that we know.
                None if last == Last::Yes => snapshot.coverage.torn += 1,
                None => moved.push(item),
            }
        }

        let mut spans = Vec::with_capacity(current.len());
        for one in current.iter_mut().filter(|one| one.g.status.stands_still()) {
            let g = &one.g;
            if (g.stack_lo..g.stack_hi).contains(&g.sp) {
                one.stack = Some(spans.len());
                spans.push(Span { addr: g.sp, len: (g.stack_hi - g.sp).min(FIRST_READ) as u32 });
            }
        }
        self.buffers.stacks.read(memory, &spans).map_err(failed)?;
        for one in &mut current {
            let bytes = one.stack.and_then(|stack| self.buffers.stacks.get(stack));
            one.key =
                bytes.and_then(|stack| self.stacks.walk(program, &mut self.steps, &one.g, stack));
        }

        let objects = find_objects(
            program,
            &current,
            &self.buffers.stacks,
            &mut self.buffers.sudogs,
            &mut self.stacks,
            &self.reasons,
        )
        .map_err(failed)?;

        let spans: Vec<_> = current.iter().map(|one| span(&one.item)).collect();
        self.buffers.second.read(memory, &spans).map_err(failed)?;
        let mut objects = objects.into_iter().peekable();
        for (index, one) in current.iter().enumerate() {
            let start = snapshot.objects.len();
            while let Some((_, object)) = objects.next_if(|&(of, _)| of == index) {
                snapshot.objects.push(object);
            }
            let later =
                self.buffers.second.get(index).and_then(|bytes| reader.parse(one.item.addr, bytes));
            let stood = later.is_some_and(|later| one.g.stands_as(&later));
            let running = one.g.status == RawStatus::Running
                && later.is_some_and(|later| {
                    later.status == RawStatus::Running && later.goid == one.g.goid
                });
            if !running && (!stood || one.key.is_none()) {
                snapshot.objects.truncate(start);
                if last == Last::No {
                    moved.push(one.item);
                    continue;
                }
            }
            let view = match one.key {
                _ if running => StackView::Running,
                Some(key) if stood => StackView::Read(self.stacks.id(key)),
                // A stack on the move was not even tried.
                _ if stood && one.g.status != RawStatus::CopyStack => StackView::NotUnwound,
                _ => StackView::Torn,
            };
            let objects =
                ObjectRange { start: start as u32, len: (snapshot.objects.len() - start) as u32 };
            let goroutine = self.goroutine(program, one, view, objects, labels, snapshot);
            snapshot.marks.push(Mark {
                slot: one.item.slot,
                place: place(one),
                wait_since_ns: one.g.wait_since_ns,
            });
            snapshot.goroutines.push(goroutine);
        }
        Ok(())
    }

    fn goroutine(
        &mut self,
        program: &Program,
        one: &Current,
        stack: StackView,
        objects: ObjectRange,
        labels: &mut Labels,
        snapshot: &mut Snapshot,
    ) -> Goroutine {
        let g = &one.g;
        let coverage = &mut snapshot.coverage;
        match stack {
            StackView::Read(_) => coverage.goroutines_read += 1,
            StackView::Running => coverage.running += 1,
            StackView::Torn => coverage.torn += 1,
            StackView::NotUnwound => coverage.not_unwound += 1,
        }
        let status = match g.status {
            RawStatus::Runnable => Status::Runnable,
            RawStatus::Running => Status::Running,
            RawStatus::Syscall => Status::Syscall,
            RawStatus::Waiting => Status::Waiting,
            RawStatus::Preempted => Status::Preempted,
            RawStatus::Leaked => Status::Leaked,
            RawStatus::CopyStack | RawStatus::Dead | RawStatus::Unknown(_) => Status::CopyStack,
        };
        let waits = matches!(status, Status::Waiting | Status::Leaked);
        let reason = waits.then(|| self.reasons.get(usize::from(g.wait_reason))).flatten().copied();
        let hints = one.key.map(|key| self.stacks.hints(key)).unwrap_or_default();
        Goroutine {
            goid: g.goid,
            parent: NonZeroU64::new(g.parent),
            objects,
            stack,
            // The first has no creator but the runtime's assembly.
            created_by: (g.goid != 1).then(|| self.stacks.creation_site(program, g.gopc)).flatten(),
            started_in: self.stacks.function_start(program, g.startpc),
            labels: labels.read(program.memory(), g.labels, &mut snapshot.labels),
            reason: waits.then_some(g.wait_reason),
            wait: wait::class(status, reason, hints),
            status,
            locked_to_thread: g.locked,
            blocked: None,
        }
    }
}

/// A digest of where a goroutine stands.
fn place(one: &Current) -> u32 {
    let mut hasher = FxHasher::default();
    (one.key, one.g.sp, one.g.wait_reason).hash(&mut hasher);
    hasher.finish() as u32
}
