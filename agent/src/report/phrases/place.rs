//! Lines of code, as sentences name them.

use crate::model::{FrameId, StackTable, function};

/// `main.(*T).run (/src/app/main.go:41)`; `None` for a frame without a name.
#[must_use]
pub fn place(stacks: &StackTable, frame: FrameId) -> Option<String> {
    let frame = stacks.lookup(frame).ok()?;
    Some(format!("{} ({}:{})", frame.function, frame.file, frame.line))
}

/// The same without directories: `main.(*T).run (main.go:41)`.
#[must_use]
pub fn brief_place(stacks: &StackTable, frame: FrameId) -> Option<String> {
    let frame = stacks.lookup(frame).ok()?;
    let file = frame.file.rsplit('/').next().unwrap_or(frame.file);
    Some(format!("{} ({file}:{})", function::short(frame.function), frame.line))
}
