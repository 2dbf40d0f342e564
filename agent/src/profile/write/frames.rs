//! Stacks in the text forms: the numbers that stand for addresses, and a line for each frame
//! (`runtime/pprof/pprof.go`, `printStackRecord`; Go 1.21 to 1.27).

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::names;
use super::table::{self, Row};
use crate::model::{FrameId, Resolved, StackTable};

/// The numbers that stand for addresses, from 1 in the order in which frames are first named.
pub(super) struct Numbers<'s> {
    stacks: &'s StackTable,
    numbers: FxHashMap<FrameId, usize>,
}

impl<'s> Numbers<'s> {
    pub(super) fn of(stacks: &'s StackTable) -> Self {
        Self { stacks, numbers: FxHashMap::default() }
    }

    fn address(&mut self, frame: FrameId) -> String {
        match self.stacks.lookup(frame) {
            Err(pc) => format!("{pc:#x}"),
            Ok(_) => {
                let next = self.numbers.len() + 1;
                format!("{:#x}", self.numbers.entry(frame).or_insert(next))
            }
        }
    }

    /// `@ 0x1 0x2`.
    pub(super) fn addresses(&mut self, frames: &[FrameId]) -> String {
        let mut text = String::from("@");
        for frame in frames {
            // Writing to a string cannot fail.
            let _ = write!(text, " {}", self.address(*frame));
        }
        text
    }

    /// A line for each frame: without those of the runtime that come first, unless there are no others.
    pub(super) fn lines(&mut self, frames: &[FrameId]) -> String {
        let rows: Vec<(bool, Row)> = frames.iter().filter_map(|frame| self.row(*frame)).collect();
        let first = rows.iter().position(|(is_of_runtime, _)| !is_of_runtime).unwrap_or(0);
        let mut rows: Vec<Row> = rows.into_iter().skip(first).map(|(_, row)| row).collect();
        if rows.is_empty() {
            rows.push(Row { address: "0x0".to_owned(), named: None });
        }
        let mut text = String::new();
        table::lines(&rows, &mut text);
        text
    }

    /// The line of a frame, and whether it is one of the runtime; `None` for what begins every stack.
    fn row(&mut self, frame: FrameId) -> Option<(bool, Row)> {
        let address = self.address(frame);
        let Ok(Resolved { function, file, line, .. }) = self.stacks.lookup(frame) else {
            return Some((false, Row { address, named: None }));
        };
        if function == "runtime.goexit" {
            return None;
        }
        let is_of_runtime =
            ["runtime.", "internal/runtime/"].iter().any(|it| function.starts_with(it));
        let function = format!("{}+0x0", names::function(function));
        let place = format!("{}:{line}", names::line(file));
        Some((is_of_runtime, Row { address, named: Some((function, place)) }))
    }
}
