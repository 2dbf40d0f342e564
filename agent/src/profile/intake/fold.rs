//! Goroutines that are counted together: those of which nothing but their number differs.

use rustc_hash::FxHashMap;

use crate::model::{BlockedFor, FrameId, Goroutine, LabelsId, StackView, Status, WaitClass};

/// Kinds of one profile that are told apart; of those that come after, no stack is kept.
const MAX_KINDS: usize = 1 << 20;

/// Where each kind of goroutine is counted.
#[derive(Default)]
pub(super) struct Folded {
    kinds: FxHashMap<Kind, usize>,
}

/// What those have in common that one record stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    stack: StackView,
    created_by: Option<FrameId>,
    labels: LabelsId,
    reason: Option<u8>,
    wait: WaitClass,
    status: Status,
    proven: bool,
    locked_to_thread: bool,
    /// How long they have waited, roughly: each step is twice as long as the one before.
    waited: u32,
}

impl Folded {
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds goroutines to the record of their kind, or as a new one. Whether their stack was kept.
    pub(super) fn take(&mut self, mut one: Goroutine, all: &mut Vec<Goroutine>) -> bool {
        let mut kind = Kind::of(&one);
        let has_room = self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind);
        if !has_room {
            one.stack = StackView::NotUnwound;
            (one.created_by, one.started_in, one.labels) = (None, None, LabelsId::default());
            kind = Kind::of(&one);
        }
        if let Some(&at) = self.kinds.get(&kind) {
            let together = &mut all[at];
            if let Some(sum) = together.weight.checked_add(one.weight) {
                together.weight = sum;
                together.blocked = shorter(together.blocked, one.blocked);
                return has_room;
            }
        }
        // What is said of one must be true of all that will be counted with it.
        (one.goid, one.parent) = (None, None);
        self.kinds.insert(kind, all.len());
        all.push(one);
        has_room
    }
}

impl Kind {
    fn of(one: &Goroutine) -> Self {
        Self {
            stack: one.stack,
            created_by: one.created_by,
            labels: one.labels,
            reason: one.reason,
            wait: one.wait,
            status: one.status,
            proven: one.proven,
            locked_to_thread: one.locked_to_thread,
            waited: one.blocked.map_or(0, |blocked| (blocked.duration.as_secs() / 60 + 1).ilog2()),
        }
    }
}

/// What is true of both: a time blocked is a lower bound.
fn shorter(one: Option<BlockedFor>, other: Option<BlockedFor>) -> Option<BlockedFor> {
    Some(std::cmp::min_by_key(one?, other?, |blocked| blocked.duration))
}
