//! From the runtime's status and wait reason to the class of a wait.

use crate::golang::sudog::WaitsOn;
use crate::model::{StackHints, WaitClass};

/// What a wait reason means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) class: WaitClass,
    pub(super) waits_on: Option<WaitsOn>,
    /// Whether the runtime counts every time that a goroutine stops running to wait so. It counts
    /// neither switches of coroutines nor preemptions.
    pub(super) is_counted: bool,
}

impl Reason {
    /// By the runtime's string, of any version.
    pub(super) fn of(reason: &str) -> Self {
        Self {
            class: WaitClass::of_reason(reason),
            waits_on: WaitsOn::of(reason),
            is_counted: !["coroutine", "preempted"].iter().any(|it| reason.starts_with(it)),
        }
    }

    /// With what the stack adds.
    pub(super) fn refined(self, hints: StackHints) -> Self {
        let class = hints.refine(self.class);
        if class == self.class {
            return self;
        }
        Self { class, waits_on: WaitsOn::of("sync.WaitGroup.Wait"), ..self }
    }
}
