//! The goroutines of the runtime itself, which Go's own profiles and dumps leave out.

use crate::model::{FrameId, Goroutine, Observation};

/// Whether it is one of them (`runtime/traceback.go`, `isSystemGoroutine`; Go 1.21 to 1.27): one that starts
/// in a function of the runtime. Those that run finalizers and cleanups count while they are in the
/// program's code.
pub(super) fn is_of_runtime(observation: &Observation, goroutine: &Goroutine) -> bool {
    let stacks = &observation.stacks;
    let start = goroutine.started_in.and_then(|frame| stacks.lookup(frame).ok());
    let Some(start) = start.filter(|start| start.function.starts_with("runtime.")) else {
        return false;
    };
    match start.function {
        "runtime.main" | "runtime.corostart" | "runtime.handleAsyncEvent" => false,
        "runtime.runfinq" | "runtime.runFinalizers" | "runtime.runCleanups" => {
            let stack = goroutine.stack.id().map_or(&[][..], |id| stacks.frames_of(id));
            let function =
                |&frame: &FrameId| stacks.lookup(frame).map_or("", |frame| frame.function);
            stack.iter().map(function).all(|name| name.is_empty() || name.starts_with("runtime."))
        }
        _ => true,
    }
}
