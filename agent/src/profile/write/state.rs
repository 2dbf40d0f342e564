//! What a goroutine is doing, in the runtime's words.

use crate::model::{Observation, Status, WaitClass};

/// What stands first in the brackets of its heading (`runtime/traceback.go`, `goroutineheader`): its wait
/// reason, or its status.
pub(super) fn state(
    observation: &Observation,
    (status, reason, wait): (Status, Option<u8>, WaitClass),
) -> &str {
    match status {
        Status::Waiting | Status::Leaked => {
            let reason = reason.and_then(|reason| observation.reasons.get(usize::from(reason)));
            reason.map_or_else(|| of_class(status, wait), String::as_str)
        }
        Status::Runnable => "runnable",
        Status::Running => "running",
        Status::Syscall => "syscall",
        Status::Preempted => "preempted",
        Status::CopyStack => "copystack",
    }
}

/// Where the reason itself is not known: how the runtime says it of such a wait.
const fn of_class(status: Status, wait: WaitClass) -> &'static str {
    match wait {
        WaitClass::ChanSend => "chan send",
        WaitClass::ChanReceive => "chan receive",
        WaitClass::NilChannel => "chan receive (nil chan)",
        WaitClass::Select => "select",
        WaitClass::EmptySelect => "select (no cases)",
        WaitClass::Mutex => "sync.Mutex.Lock",
        WaitClass::RwMutex => "sync.RWMutex.Lock",
        WaitClass::Cond => "sync.Cond.Wait",
        WaitClass::WaitGroup => "sync.WaitGroup.Wait",
        WaitClass::Semaphore => "semacquire",
        WaitClass::IoWait => "IO wait",
        WaitClass::Sleep => "sleep",
        WaitClass::Syscall | WaitClass::Cgo => "syscall",
        WaitClass::Running => "running",
        WaitClass::Runnable => "runnable",
        WaitClass::Runtime | WaitClass::Unknown => match status {
            Status::Leaked => "leaked",
            _ => "waiting",
        },
    }
}
