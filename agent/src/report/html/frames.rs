//! Functions, places and stacks as markup.

use maud::{Markup, html};

use super::text::Text;
use crate::model::{FrameId, StackId, StackTable, function};
use crate::report::format::{self, FrameText};

/// Frames of one stack that are listed.
const FRAMES: usize = 64;

/// Columns of a place where there is little room.
const NARROW: usize = 30;

/// A function and its place, each in full.
pub(super) fn line(stacks: &StackTable, frame: FrameId) -> Markup {
    let FrameText { function, place, inlined, .. } = format::frame(stacks, frame);
    html! {
        code.function { (Text(&function)) }
        @if inlined { span.muted { " inlined" } }
        @if !place.is_empty() { " " span.place { (Text(&place)) } }
    }
}

/// A function and its place, shortened; in full when one points at it.
pub(super) fn brief(stacks: &StackTable, frame: FrameId) -> Markup {
    let FrameText { function, place, .. } = format::frame(stacks, frame);
    html! {
        code.function title=(Text(&function)) { (Text(function::short(&function))) }
        @if !place.is_empty() {
            " " span.place title=(Text(&place)) { (Text(&format::fit_place(&place, NARROW))) }
        }
    }
}

/// A stack, innermost frame first.
pub(super) fn stack(stacks: &StackTable, stack: StackId) -> Markup {
    let frames = stacks.frames_of(stack);
    let hidden = frames.len().saturating_sub(FRAMES) as u64 + u64::from(stacks.elided(stack));
    html! {
        ol.stack {
            @for &frame in frames.iter().take(FRAMES) {
                li.runtime[format::frame(stacks, frame).runtime] { (line(stacks, frame)) }
            }
            @if hidden > 0 { li.muted { "… " (format::counted(hidden, "more frame", "more frames")) } }
        }
    }
}
