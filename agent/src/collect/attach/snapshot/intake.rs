//! From what a batch read to goroutines of the model, and to what is counted.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;

use rustc_hash::FxHasher;

use super::batch::{Current, Last};
use super::mentions::LockSet;
use super::standing::Known;
use super::{Look, MAX_OBJECTS, Snapshotter};
use crate::collect::attach::clock::Mark;
use crate::collect::attach::wait::{self, Reason};
use crate::golang::goroutines::RawStatus;
use crate::model::{Coverage, Goroutine, ObjectRange, StackView, Status};

impl Snapshotter {
    /// Takes in the goroutines of a batch that stood still or run, and on the last try the others
    /// too, as what they are. `objects` has pairs of an index in the batch and an address, by index.
    pub(super) fn take_in(
        &mut self,
        look: &mut Look<'_>,
        batch: &[Current],
        objects: &[(usize, u64)],
        last: Last,
    ) {
        let mut objects = objects.iter().peekable();
        for (index, one) in batch.iter().enumerate() {
            let start = look.snapshot.objects.len();
            while let Some(&(_, object)) = objects.next_if(|&&(of, _)| of == index) {
                if look.snapshot.objects.len() < MAX_OBJECTS {
                    look.snapshot.objects.push(object);
                }
            }
            let view = self.view(one);
            if matches!(view, StackView::Torn | StackView::NotUnwound) {
                look.snapshot.objects.truncate(start);
                if last == Last::No {
                    look.moved.push(one.item);
                    continue;
                }
            }
            count(&mut look.snapshot.coverage, view);
            let searched = self.search_for_locks(look, one);
            let end = look.snapshot.objects.len();
            let objects = ObjectRange { start: start as u32, len: (end - start) as u32 };
            if matches!(view, StackView::Read(_)) {
                look.cut += u64::from(one.key.is_some_and(|key| self.stacks.is_cut(key)));
                look.snapshot.coverage.unmoved += u64::from(one.unmoved.is_some());
                self.note_standing(one, objects, searched);
            }
            let goroutine = self.goroutine(look, one, view, objects);
            look.snapshot.marks.push(Mark {
                g: one.item.addr,
                slot: one.item.slot,
                place: place(one),
                stops: self.counted_stops(one),
                wait_since_ns: one.g.wait_since_ns,
            });
            look.snapshot.goroutines.push(goroutine);
        }
    }

    /// Looks for contended locks on a stack that was read, and in the stack's memory of a goroutine that
    /// runs: what is left over there of calls that have returned is taken for a mention as well. For which
    /// set of locks the whole stack was searched without finding any, if for one.
    fn search_for_locks(&mut self, look: &mut Look<'_>, one: &Current) -> Option<LockSet> {
        if self.watched.is_empty() {
            return None;
        }
        if let Some(known) = one.unmoved {
            look.mentions.wants(known.key);
            return known.searched;
        }
        let stacks = &self.buffers.stacks;
        if one.runs() {
            let stack = one.outermost.and_then(|stack| stacks.get(stack));
            let found = stack.and_then(|stack| look.mentions.search(&self.watched, stack));
            if found == Some(true) {
                look.mentions.keep(one.g.goid, &[0], 0);
            }
            return None;
        }
        let stack = one.stack.and_then(|stack| stacks.get(stack));
        let (stack, key) = stack.filter(|_| one.stood()).zip(one.key)?;
        if !look.mentions.wants(key) {
            return None;
        }
        let is_whole = one.g.stack_hi - one.g.sp <= stack.len() as u64;
        let found = look.mentions.search_part(&self.watched, stack, is_whole)?;
        if found {
            let of = (&one.g, key);
            let starts = self.stacks.frame_starts(look.program, &mut self.steps, of, stack);
            look.mentions.keep(one.g.goid, &starts, look.program.arguments_at());
        }
        (is_whole && !found).then_some(self.watched.set())
    }

    /// Notes what the next look need not find out again, if it is whole.
    fn note_standing(&mut self, one: &Current, objects: ObjectRange, searched: Option<LockSet>) {
        let is_counted = self.counted_stops(one).is_some();
        let Some(standing) = &mut self.standing else { return };
        let Some(key) = one.key.filter(|_| is_counted && one.stayed()) else { return };
        let reason = self.reasons.get(usize::from(one.g.wait_reason));
        let reason = reason.map(|reason| reason.refined(self.stacks.hints(key)));
        let is_whole = |reason: Reason| reason.waits_on.is_none() || objects.len > 0;
        if reason.is_some_and(is_whole) {
            standing.note(one.item.slot, &one.g, Known { key, objects, searched });
        }
    }

    /// How often it had stopped running before it waits as it does, where that is counted.
    fn counted_stops(&self, one: &Current) -> Option<u8> {
        let waits = matches!(one.g.status, RawStatus::Waiting | RawStatus::Leaked);
        let reason = self.reasons.get(usize::from(one.g.wait_reason)).filter(|_| waits)?;
        one.g.stops.filter(|_| reason.is_counted)
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
        look: &mut Look<'_>,
        one: &Current,
        stack: StackView,
        objects: ObjectRange,
    ) -> Goroutine {
        let (g, program) = (&one.g, look.program);
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
            goid: NonZeroU64::new(g.goid),
            parent: NonZeroU64::new(g.parent),
            objects,
            stack,
            // The first has no creator but the runtime's assembly.
            created_by: (g.goid != 1).then(|| self.stacks.creation_site(program, g.gopc)).flatten(),
            started_in: self.stacks.function_start(program, g.startpc),
            labels: look.labels.read(program.memory(), g.labels, &mut look.snapshot.labels),
            reason: waits.then_some(g.wait_reason),
            wait: wait::class(status, reason, hints),
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
        }
    }
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
