//! What a goroutine of the graph does, and where.

use super::waits::{Identified, Waits};
use crate::analyze::summary;
use crate::model::{Doing, FrameId, Goroutine, Holder, Observation, StackView, WaitClass};

/// The line where a goroutine is; `None` where it is not known.
pub(super) fn at(observation: &Observation, goroutine: &Goroutine) -> Option<FrameId> {
    let stacks = &observation.stacks;
    let frame = goroutine.stack.id().and_then(|id| summary::blocked_at(stacks, id));
    frame.filter(|&frame| stacks.lookup(frame).is_ok())
}

/// A holder and what it is doing.
pub(super) fn holder(
    observation: &Observation,
    waits: &Waits<'_>,
    goroutine: Identified<'_>,
    is_stuck: bool,
    in_cycle: bool,
) -> Holder {
    let object = match (waits.of_goid(goroutine.goid), observation.objects_of(&goroutine)) {
        (Some((_, lock)), _) => Some(lock),
        (None, &[object]) => Some(object),
        (None, _) => None,
    };
    let doing = match (goroutine.wait, goroutine.stack) {
        (WaitClass::Unknown, StackView::Torn) => Doing::Moves,
        (class, _) => Doing::Wait { class, object, in_cycle },
    };
    Holder { goid: goroutine.goid, doing, is_stuck, at: at(observation, &goroutine) }
}
