//! Frames and stacks; a frame without names has its address in their place.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::hex;
use crate::model::{FrameId, StackId, StackTable};

/// A frame where one line is meant: no word of inlining.
#[derive(Serialize)]
pub(super) struct FrameDoc<'a> {
    function: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl<'a> FrameDoc<'a> {
    pub(super) fn new(stacks: &'a StackTable, id: FrameId) -> Self {
        match stacks.lookup(id) {
            Ok(frame) => Self {
                function: Some(frame.function),
                file: Some(frame.file),
                line: Some(frame.line),
                address: None,
            },
            Err(pc) => Self { function: None, file: None, line: None, address: Some(hex(pc)) },
        }
    }
}

/// A stack, innermost frame first.
pub(super) struct StackDoc<'a>(pub(super) StackId, pub(super) &'a StackTable);

impl Serialize for StackDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let &Self(stack, stacks) = self;
        let ids = stacks.frames_of(stack);
        let mut frames = serializer.serialize_seq(Some(ids.len()))?;
        for &id in ids {
            frames.serialize_element(&StackFrameDoc {
                frame: FrameDoc::new(stacks, id),
                inlined: stacks.lookup(id).ok().map(|frame| frame.inlined),
            })?;
        }
        frames.end()
    }
}

#[derive(Serialize)]
struct StackFrameDoc<'a> {
    #[serde(flatten)]
    frame: FrameDoc<'a>,
    inlined: Option<bool>,
}
