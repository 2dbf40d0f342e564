//! From what a batch read to goroutines of the model, and to what is counted.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;

use rustc_hash::FxHasher;

use super::batch::Batch;
use super::item::{Current, Last};
use super::mentions::LockSet;
use super::readers::{Reader, Shared, State};
use super::standing::Known;
use super::{MAX_OBJECTS, Unfinished};
use crate::collect::attach::clock::Mark;
use crate::collect::attach::wait::Reason;
use crate::golang::goroutines::RawStatus;
use crate::model::{Coverage, Goroutine, ObjectRange, StackView, Status, WaitClass};

impl Reader {
    /// Takes in the goroutines of a batch that stood still or run, and on the last try the others
    /// too, as what they are.
    pub(super) fn take_in(
        &mut self,
        shared: &Shared<'_>,
        state: &mut State<'_>,
        batch: &Batch,
        last: Last,
    ) {
        let State { unfinished, .. } = &mut *state;
        unfinished.unreadable += batch.unreadable;
        let found = &mut unfinished.snapshot.channels;
        unfinished.channels.take_in(&batch.goroutines, &batch.channels, found);
        let mut objects = batch.objects.iter().peekable();
        for (index, one) in batch.goroutines.iter().enumerate() {
            let start = state.unfinished.snapshot.objects.len();
            while let Some(&(_, object)) = objects.next_if(|&&(of, _)| of == index) {
                if state.unfinished.snapshot.objects.len() < MAX_OBJECTS {
                    state.unfinished.snapshot.objects.push(object);
                }
            }
            let view = state.view(one);
            if matches!(view, StackView::Torn | StackView::NotUnwound) {
                state.unfinished.snapshot.objects.truncate(start);
                if last == Last::No {
                    state.unfinished.moved.push(one.item);
                    continue;
                }
            }
            count(&mut state.unfinished.snapshot.coverage, view);
            let searched = self.search_for_locks(shared, state, one);
            let end = state.unfinished.snapshot.objects.len();
            let objects = ObjectRange { start: start as u32, len: (end - start) as u32 };
            let stops = counted_stops(shared.reasons, one);
            if matches!(view, StackView::Read(_)) {
                state.unfinished.cut +=
                    u64::from(one.key.is_some_and(|it| state.stacks.is_cut(it)));
                state.unfinished.snapshot.coverage.unmoved += u64::from(one.unmoved.is_some());
                if stops.is_some() {
                    state.note_standing(shared.reasons, one, objects, searched);
                }
            }
            let goroutine = state.goroutine(shared, one, view, objects);
            state.unfinished.snapshot.marks.push(Mark {
                g: one.item.addr,
                slot: one.item.slot,
                place: place(one),
                stops,
                wait_since_ns: one.g.wait_since_ns,
            });
            state.unfinished.snapshot.has_lock_waits |=
                matches!(goroutine.wait, WaitClass::Mutex | WaitClass::RwMutex);
            state.unfinished.snapshot.goroutines.push(goroutine);
        }
    }

    /// Searches for contended locks on a stack that was read, and in the stack's memory of a goroutine that
    /// runs: what is left over there of calls that have returned is taken for a mention as well. For which
    /// set of locks the whole stack was searched without finding any, if for one.
    fn search_for_locks(
        &mut self,
        shared: &Shared<'_>,
        state: &mut State<'_>,
        one: &Current,
    ) -> Option<LockSet> {
        let Shared { watched, program, .. } = *shared;
        if watched.is_empty() {
            return None;
        }
        let State { stacks, unfinished: Unfinished { mentions, .. }, .. } = state;
        if let Some(known) = one.unmoved {
            mentions.wants(known.key);
            return known.searched;
        }
        let bytes = &self.buffers.stacks;
        if one.runs() {
            let stack = one.outermost.and_then(|stack| bytes.get(stack));
            let found = stack.and_then(|stack| mentions.search(watched, stack));
            if found == Some(true) {
                mentions.keep(one.g.goid, &[0], 0);
            }
            return None;
        }
        let stack = one.stack.and_then(|stack| bytes.get(stack));
        let (stack, key) = stack.filter(|_| one.stood()).zip(one.key)?;
        if !mentions.wants(key) {
            return None;
        }
        let is_whole = one.g.stack_hi - one.g.sp <= stack.len() as u64;
        let found = mentions.search_part(watched, stack, is_whole)?;
        if found {
            let starts = stacks.frame_starts(program, &mut self.steps, (&one.g, key), stack);
            mentions.keep(one.g.goid, &starts, program.arguments_at());
        }
        (is_whole && !found).then_some(watched.set())
    }
}

impl State<'_> {
    /// Notes what the next snapshot need not find out again, if it is whole.
    fn note_standing(
        &mut self,
        reasons: &[Reason],
        one: &Current,
        objects: ObjectRange,
        searched: Option<LockSet>,
    ) {
        let Some(standing) = &mut self.standing else { return };
        let Some(key) = one.key.filter(|_| one.stayed()) else { return };
        let reason = reasons.get(usize::from(one.g.wait_reason));
        let reason = reason.map(|reason| reason.refined(self.stacks.hints(key)));
        let is_whole = |reason: Reason| reason.waits_on.is_none() || objects.len > 0;
        if reason.is_some_and(is_whole) {
            standing.note(one.item.slot, &one.g, Known { key, objects, searched });
        }
    }

    fn view(&self, one: &Current) -> StackView {
        match one.key {
            _ if one.runs() => StackView::Running,
            // A stack on the move was not even tried.
            _ if !one.stood() || one.g.status == RawStatus::CopyStack => StackView::Torn,
            Some(key) => StackView::Read(self.stacks.id(key)),
            None => StackView::NotUnwound,
        }
    }

    fn goroutine(
        &mut self,
        shared: &Shared<'_>,
        one: &Current,
        stack: StackView,
        objects: ObjectRange,
    ) -> Goroutine {
        let (g, program) = (&one.g, shared.program);
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
        let reason =
            waits.then(|| shared.reasons.get(usize::from(g.wait_reason))).flatten().copied();
        let hints = one.key.map(|key| self.stacks.hints(key)).unwrap_or_default();
        let Unfinished { labels, snapshot, .. } = &mut self.unfinished;
        Goroutine {
            goid: NonZeroU64::new(g.goid),
            parent: NonZeroU64::new(g.parent),
            objects,
            stack,
            // The first has no creator but the runtime's assembly.
            created_by: (g.goid != 1).then(|| self.stacks.creation_site(program, g.gopc)).flatten(),
            started_in: self.stacks.function_start(program, g.startpc),
            labels: labels.read(program.memory(), g.labels, &mut snapshot.labels),
            reason: waits.then_some(g.wait_reason),
            wait: status.wait_class(reason.map(|reason| reason.class), hints),
            status,
            locked_to_thread: g.locked,
            blocked: None,
            age: None,
            seen_for: None,
            came: None,
            parks: None,
            stack_bytes: Some(
                u32::try_from(g.stack_hi.saturating_sub(g.stack_lo)).unwrap_or(u32::MAX),
            ),
            weight: 1,
            proven: false,
        }
    }
}

/// How often it had stopped running before it waits as it does, where that is counted.
fn counted_stops(reasons: &[Reason], one: &Current) -> Option<u8> {
    let waits = matches!(one.g.status, RawStatus::Waiting | RawStatus::Leaked);
    let reason = reasons.get(usize::from(one.g.wait_reason)).filter(|_| waits)?;
    one.g.stops.filter(|_| reason.is_counted)
}

const fn count(coverage: &mut Coverage, view: StackView) {
    match view {
        StackView::Read(_) => coverage.goroutines_read += 1,
        StackView::Running => coverage.running += 1,
        StackView::Torn => coverage.torn += 1,
        StackView::NotUnwound => coverage.not_unwound += 1,
    }
}

/// A digest of where a goroutine stands.
fn place(one: &Current) -> u32 {
    let mut hasher = FxHasher::default();
    (one.key, one.g.sp, one.g.wait_reason).hash(&mut hasher);
    hasher.finish() as u32
}
