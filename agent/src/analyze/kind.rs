//! What tells goroutines apart before they are grouped by their signatures.

use crate::model::{FrameId, Goroutine, StackView, WaitClass};

/// What goroutines of the same kind share to the bit; a group holds one kind or several.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub(super) stack: StackView,
    pub(super) created_by: Option<FrameId>,
    pub(super) reason: Option<u8>,
    pub(super) wait: WaitClass,
}

impl Kind {
    pub(super) const fn of(goroutine: &Goroutine) -> Self {
        Self {
            stack: goroutine.stack,
            created_by: goroutine.created_by,
            reason: goroutine.reason,
            wait: goroutine.wait,
        }
    }
}
