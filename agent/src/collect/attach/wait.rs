//! From the runtime's status and wait reason to the class of a wait.

use crate::golang::sudog::WaitsOn;
use crate::model::{Status, WaitClass};

/// What the functions on a stack say of a wait that its reason does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StackHints {
    /// It is in a call into C.
    pub(super) cgo: bool,
    /// It is in `sync.(*WaitGroup).Wait`, which has a reason of its own only since Go 1.25.
    pub(super) wait_group: bool,
}

impl StackHints {
    /// Takes in one more function of the stack.
    pub(super) fn add(&mut self, function: &str) {
        self.cgo |= function == "runtime.cgocall";
        self.wait_group |= function == "sync.(*WaitGroup).Wait";
    }
}

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
        if self.class == WaitClass::Semaphore && hints.wait_group {
            let waits_on = WaitsOn::of("sync.WaitGroup.Wait");
            Self { class: WaitClass::WaitGroup, waits_on, ..self }
        } else {
            self
        }
    }
}

/// The class of a goroutine's wait.
pub(super) fn class(status: Status, reason: Option<Reason>, hints: StackHints) -> WaitClass {
    match status {
        Status::Running => WaitClass::Running,
        Status::Runnable | Status::Preempted => WaitClass::Runnable,
        Status::Syscall if hints.cgo => WaitClass::Cgo,
        Status::Syscall => WaitClass::Syscall,
        Status::Waiting | Status::Leaked => {
            reason.map_or(WaitClass::Unknown, |reason| reason.refined(hints).class)
        }
        Status::CopyStack => WaitClass::Unknown,
    }
}
