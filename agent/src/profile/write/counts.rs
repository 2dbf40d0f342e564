//! Counts by stack, as `debug=1` gives them (`runtime/pprof/pprof.go`, `printCountProfile`; Go 1.21 to 1.27).

use std::fmt::Write as _;
use std::io::{self, Write};

use super::frames::Numbers;
use super::quote::quoted;
use super::tally::{Of, tally};
use crate::model::{FrameId, LabelsId, Observation, StackId};
use crate::profile::marks;

/// Writes how many goroutines stand at each stack with the same labels: most first. In place of addresses
/// stand numbers of the frames, so that two stacks are never taken for one; only what has no name has its
/// address.
///
/// # Errors
/// When `out` fails.
pub fn counts(observation: &Observation, out: &mut dyn Write) -> io::Result<()> {
    write(observation, Of::All, None, out)
}

/// Writes those of a profile; what leak-agent has to say of it stands behind the first line, by which readers know
/// such a text.
pub(super) fn write(
    observation: &Observation,
    of: Of,
    said: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let counted = tally(observation, of, |_, goroutine| (goroutine.stack.id(), goroutine.labels));
    let total: u64 = counted.iter().map(|&(_, count)| count).sum();
    let mut numbers = Numbers::of(&observation.stacks);
    let frames_of = |stack: Option<StackId>| -> &[FrameId] {
        stack.map_or(&[], |stack| observation.stacks.frames_of(stack))
    };
    let mut keyed: Vec<(u64, String, Option<StackId>)> = counted
        .into_iter()
        .map(|((stack, labels), count)| {
            let mut key = numbers.addresses(frames_of(stack));
            push_labels(observation, labels, &mut key);
            (count, key, stack)
        })
        .collect();
    keyed.sort_by(|(a, a_key, _), (b, b_key, _)| b.cmp(a).then_with(|| a_key.cmp(b_key)));
    writeln!(out, "{} profile: total {total}", of.name())?;
    if let Some(said) = said {
        marks::write_said(said, out)?;
    }
    for (count, key, stack) in keyed {
        writeln!(out, "{count} {key}\n{}", numbers.lines(frames_of(stack)))?;
    }
    Ok(())
}

/// Labels on a line of their own.
fn push_labels(observation: &Observation, labels: LabelsId, key: &mut String) {
    let labels = observation.labels_of(labels);
    if !labels.is_empty() {
        let pair = |(key, value): &(String, String)| format!("{}:{}", quoted(key), quoted(value));
        let mut pairs: Vec<String> = labels.iter().map(pair).collect();
        pairs.sort();
        // Writing to a string cannot fail.
        let _ = write!(key, "\n# labels: {{{}}}", pairs.join(", "));
    }
}
