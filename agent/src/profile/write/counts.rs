//! Counts by stack, as `debug=1` gives them (`runtime/pprof/pprof.go`, `printCountProfile`; Go 1.21 to 1.27).

use std::fmt::Write as _;
use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::names;
use super::quote::quoted;
use super::table::{self, Row};
use super::tally::tally;
use crate::model::{FrameId, LabelsId, Observation, Resolved, StackId};

/// Writes how many goroutines stand at each stack with the same labels: most first. In place of addresses
/// stand numbers of the frames, so that two stacks are never taken for one; only what has no name has its
/// address.
///
/// # Errors
/// When `out` fails.
pub fn counts(observation: &Observation, out: &mut dyn Write) -> io::Result<()> {
    let counted = tally(observation, |_, goroutine| (goroutine.stack.id(), goroutine.labels));
    let total: u64 = counted.iter().map(|&(_, count)| count).sum();
    let mut numbers = Numbers { observation, numbers: FxHashMap::default() };
    let mut keyed: Vec<(u64, String, Option<StackId>)> = counted
        .into_iter()
        .map(|((stack, labels), count)| (count, numbers.key(stack, labels), stack))
        .collect();
    keyed.sort_by(|(a, a_key, _), (b, b_key, _)| b.cmp(a).then_with(|| a_key.cmp(b_key)));
    writeln!(out, "goroutine profile: total {total}")?;
    for (count, key, stack) in keyed {
        writeln!(out, "{count} {key}\n{}", numbers.stack(stack))?;
    }
    Ok(())
}

/// The numbers that stand for addresses, from 1 in the order in which frames are first named.
struct Numbers<'o> {
    observation: &'o Observation,
    numbers: FxHashMap<FrameId, usize>,
}

impl Numbers<'_> {
    fn frames(&self, stack: Option<StackId>) -> impl Iterator<Item = FrameId> {
        let stacks = &self.observation.stacks;
        stack.into_iter().flat_map(|stack| stacks.frames_of(stack)).copied()
    }

    fn address(&mut self, frame: FrameId) -> String {
        match self.observation.stacks.lookup(frame) {
            Err(pc) => format!("{pc:#x}"),
            Ok(_) => {
                let next = self.numbers.len() + 1;
                format!("{:#x}", self.numbers.entry(frame).or_insert(next))
            }
        }
    }

    /// `@ 0x1 0x2`, and the labels on a line of their own.
    fn key(&mut self, stack: Option<StackId>, labels: LabelsId) -> String {
        let mut key = String::from("@");
        let frames: Vec<FrameId> = self.frames(stack).collect();
        for frame in frames {
            key.push(' ');
            key.push_str(&self.address(frame));
        }
        let labels = self.observation.labels_of(labels);
        if !labels.is_empty() {
            let pair =
                |(key, value): &(String, String)| format!("{}:{}", quoted(key), quoted(value));
            let mut pairs: Vec<String> = labels.iter().map(pair).collect();
            pairs.sort();
            // Writing to a string cannot fail.
            let _ = write!(key, "\n# labels: {{{}}}", pairs.join(", "));
        }
        key
    }

    /// A line for each frame: without those of the runtime that come first, unless there are no others.
    fn stack(&mut self, stack: Option<StackId>) -> String {
        let frames: Vec<FrameId> = self.frames(stack).collect();
        let rows: Vec<(bool, Row)> =
            frames.into_iter().filter_map(|frame| self.row(frame)).collect();
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
        let Ok(Resolved { function, file, line, .. }) = self.observation.stacks.lookup(frame)
        else {
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
