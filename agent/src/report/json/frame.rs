//! Frames and stacks.

use super::hex;
use crate::model::{FrameId, StackId, StackTable};
use crate::report::schema::{FrameDoc, StackFrameDoc};

/// A frame where one line is meant.
pub(super) fn frame(stacks: &StackTable, id: FrameId) -> FrameDoc<'_> {
    match stacks.lookup(id) {
        Ok(frame) => FrameDoc {
            function: Some(frame.function.into()),
            file: Some(frame.file.into()),
            line: Some(frame.line),
            address: None,
        },
        Err(pc) => FrameDoc { function: None, file: None, line: None, address: Some(hex(pc)) },
    }
}

/// A stack, innermost frame first.
pub(super) fn stack(stacks: &StackTable, id: StackId) -> Vec<StackFrameDoc<'_>> {
    let frames = stacks.frames_of(id).iter().map(|&id| StackFrameDoc {
        frame: frame(stacks, id),
        inlined: stacks.lookup(id).ok().map(|frame| frame.inlined),
    });
    frames.collect()
}
