//! The signature of a group: what makes goroutines of different moments, processes and builds the
//! same.

use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::function::{self, Origin};
use crate::model::{FrameId, StackTable, StackView, WaitClass};

/// A signature longer than this is cut and ends in a hash of the whole.
const LONGEST: usize = 4096;

/// Signatures kept from one observation to the next; beyond it they are made anew.
const KEPT: usize = 1 << 18;

/// Makes signatures, each once: the ids in a source's stack table stay the same.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    frames: FxHashMap<FrameId, String>,
    known: FxHashMap<(StackView, WaitClass, Option<FrameId>), Arc<str>>,
}

impl Signatures {
    /// Forgets everything once it has grown past what is worth keeping.
    pub(super) fn trim(&mut self) {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        // Of frames only new signatures are made.
        if self.frames.len() > KEPT {
            self.frames = FxHashMap::default();
        }
    }

    /// `WAIT: INNERMOST:LINE < CALLER:LINE; created by SITE:LINE`, of normalised names.
    pub(super) fn of(
        &mut self,
        stacks: &StackTable,
        stack: StackView,
        wait: WaitClass,
        created_by: Option<FrameId>,
    ) -> Arc<str> {
        if let Some(known) = self.known.get(&(stack, wait, created_by)) {
            return Arc::clone(known);
        }
        let mut text = String::from(wait.name());
        text.push(':');
        let start = text.len();
        match stack.id() {
            None => text.push_str(" (no stack)"),
            Some(id) => {
                for &frame in stacks.frames_of(id) {
                    if let Some(name) = self.frame(stacks, frame) {
                        text.push_str(if text.len() == start { " " } else { " < " });
                        text.push_str(name);
                    }
                }
            }
        }
        if text.len() == start {
            text.push_str(" (runtime)");
        }
        if let Some(site) = created_by {
            text.push_str("; created by ");
            text.push_str(&place(stacks, site));
        }
        let signature: Arc<str> = shortened(text).into();
        self.known.insert((stack, wait, created_by), Arc::clone(&signature));
        signature
    }

    /// A stack frame's part of the signature, if it has one.
    fn frame(&mut self, stacks: &StackTable, frame: FrameId) -> Option<&str> {
        if stacks.origin(frame) == Some(Origin::Runtime) || stacks.is_wrapper(frame) {
            return None;
        }
        Some(self.frames.entry(frame).or_insert_with(|| place(stacks, frame)))
    }
}

/// The part of a signature that is of the stack alone.
pub(super) fn stack(signature: &str) -> &str {
    let behind = signature.split_once(':').map_or(signature, |(_, behind)| behind);
    behind.split_once("; created by ").map_or(behind, |(stack, _)| stack).trim_start()
}

/// A frame without what differs between builds: the path of its file, its address.
fn place(stacks: &StackTable, frame: FrameId) -> String {
    stacks.lookup(frame).map_or_else(
        |_| "?".to_owned(),
        |f| format!("{}:{}", function::normalise(f.function), f.line),
    )
}

/// Bounds the length: function names come from the target.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let hash = hash(&text);
        text.truncate(text.floor_char_boundary(LONGEST));
        // Writing to a string cannot fail.
        let _ = write!(text, "… #{hash:016x}");
    }
    text
}

/// FNV-1a, 64 bits: the same on every machine and in every release of the agent.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn signature(sample: &Sample, stack: StackView, created_by: Option<FrameId>) -> String {
        Signatures::default().of(&sample.stacks, stack, WaitClass::ChanSend, created_by).to_string()
    }

    #[test]
    fn runtime_frames_wrappers_and_paths_are_left_out() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[
            ("main.send[go.shape.int]", "/home/me/app/a.go", 7),
            ("main.(*T).run", "/home/me/app/a.go", 9),
            ("main.start.gowrap1", "/home/me/app/a.go", 12),
        ]);
        let site = sample.frame("main.start", "/home/me/app/a.go", 12);
        let whole = signature(&sample, StackView::Read(stack), Some(site));
        assert_eq!(whole, "chan send: main.send:7 < main.(*T).run:9; created by main.start:12");
        assert_eq!(super::stack(&whole), "main.send:7 < main.(*T).run:9");
    }

    #[test]
    fn another_build_has_the_same_signature() {
        let mut here = Sample::new();
        let a = here.stack(&[("main.send[go.shape.int]", "/home/me/app/a.go", 7)]);
        let mut there = Sample::new();
        let b = there.stack(&[("main.send[...]", "example.com/app@v1.0.0/a.go", 7)]);
        assert_eq!(
            signature(&here, StackView::Read(a), None),
            signature(&there, StackView::Read(b), None)
        );
    }

    #[test]
    fn what_could_not_be_read_has_a_signature_too() {
        let mut sample = Sample::new();
        let unnamed = sample.unresolved_stack(0x40_1000);
        assert_eq!(signature(&sample, StackView::Read(unnamed), None), "chan send: ?");
        assert_eq!(signature(&sample, StackView::Torn, None), "chan send: (no stack)");
        let runtime = sample.stack(&[]);
        assert_eq!(signature(&sample, StackView::Read(runtime), None), "chan send: (runtime)");
    }

    #[test]
    fn a_hostile_length_is_cut_and_still_told_apart() {
        let mut sample = Sample::new();
        let long = "main.é".repeat(2000);
        let a = sample.stack(&[(&long, "a.go", 1)]);
        let b = sample.stack(&[(&long, "a.go", 2)]);
        let (a, b) = (
            signature(&sample, StackView::Read(a), None),
            signature(&sample, StackView::Read(b), None),
        );
        assert!(a.len() < LONGEST + 32, "{}", a.len());
        assert_ne!(a, b);
    }
}
