//! What the rules that read Go code found, and what to change, in plain sentences with names and lines.

mod channel;
mod end;
mod lock;
#[cfg(test)]
mod tests;

use crate::model::source_rule::{BufferSize, CodeFunction};
use crate::model::{Mistake, SourceNote};

/// What a rule states of a blocked line.
#[must_use]
pub fn note(note: &SourceNote) -> String {
    match note {
        SourceNote::Mistake(mistake) => shows(mistake),
        SourceNote::ChannelMade { channel, made } => {
            let buffer = match made.buffer {
                BufferSize::Unbuffered => "without a buffer".to_owned(),
                BufferSize::Constant(size) => format!("with a buffer of {size}"),
                BufferSize::Computed => "with a buffer whose size is not a constant".to_owned(),
            };
            format!("Line {} makes {channel} {buffer}.", made.line)
        }
        SourceNote::NothingWaits { line } => format!(
            "Line {line} has nothing that could wait in this way: the file may be of another version."
        ),
        SourceNote::HolderWaits { lock, function, line } => {
            format!("Line {line} may wait while {} holds {lock}.", name(function))
        }
        SourceNote::WaitsBeforeDone { line, done } => {
            format!("Line {line} may wait, and the Done of line {done} comes after it.")
        }
        SourceNote::RowsNotClosed { rows, made } => format!(
            "The rows of line {made} are never closed: they keep their connection. Defer {rows}.Close() after the error check."
        ),
    }
}

/// What the code shows.
fn shows(mistake: &Mistake) -> String {
    match mistake {
        Mistake::Channel(mistake) => channel::shows(mistake),
        Mistake::Send(mistake) => channel::shows_send(mistake),
        Mistake::Receive(mistake) => channel::shows_receive(mistake),
        Mistake::Lock(mistake) => lock::shows(mistake),
        Mistake::Wait(mistake) => lock::shows_wait(mistake),
        Mistake::End(mistake) => end::shows(mistake),
    }
}

/// What to change.
#[must_use]
pub fn fix(mistake: &Mistake) -> String {
    match mistake {
        Mistake::Channel(mistake) => channel::fix(mistake),
        Mistake::Send(mistake) => channel::fix_send(mistake),
        Mistake::Receive(mistake) => channel::fix_receive(mistake),
        Mistake::Lock(mistake) => lock::fix(mistake),
        Mistake::Wait(mistake) => lock::fix_wait(mistake),
        Mistake::End(mistake) => end::fix(mistake),
    }
}

fn name(function: &CodeFunction) -> String {
    match function {
        CodeFunction::Named(name) => name.clone(),
        CodeFunction::LiteralIn(outer) => format!("a function literal in {outer}"),
        CodeFunction::Literal => "a function literal".to_owned(),
    }
}
