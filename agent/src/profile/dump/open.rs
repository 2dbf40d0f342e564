//! The goroutine that is being read: which parts of its text are what.

use memchr::memchr;

use super::line::{self, Place};
use crate::profile::text::Span;

/// Frames that are kept of one stack; Go prints 100. What is more is counted as left out.
pub(super) const MAX_FRAMES: usize = 4096;
/// Bytes of text that are kept of one goroutine, its creation aside.
pub(super) const MAX_TEXT: usize = 4 << 20;
/// Lines in a row that do not belong to a goroutine before it is taken to have ended.
const MAX_OTHERS: u32 = 64;

/// One line of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Call { function: Span, file: Span, line: u32, inlined: bool },
    Address(u64),
    Elided(Option<u64>),
}

/// The `go` statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Creation {
    pub(super) function: Span,
    pub(super) file: Span,
    pub(super) line: u32,
    pub(super) parent: Option<u64>,
}

/// A line whose file and line number come on the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Call {
        function: Span,
        inlined: bool,
    },
    /// Of more frames than are kept.
    Uncounted,
    Creation {
        function: Span,
        parent: Option<u64>,
    },
    /// Something else: a function of C as its symbolizer calls it, or a line that does not belong here.
    Bare {
        text: Span,
        is_foreign: bool,
    },
    /// The same, of more text than is kept.
    Lost,
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It belongs to the goroutine, and its text must be kept.
    Kept,
    /// It belongs to the goroutine, and its text is not needed any more.
    Taken,
    /// It may belong to the goroutine, which the next line will tell; until then its text must be kept.
    Unsure,
    /// Nothing can follow: the goroutine ended before it.
    Ended,
}

/// What was read of a goroutine so far.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) goid: u64,
    pub(super) heading: Span,
    pub(super) frames: Vec<Frame>,
    pub(super) creation: Option<Creation>,
    /// Frames that were more than are kept.
    uncounted: u64,
    /// The goroutine that the one which created it was created in, and so on: only the first is kept.
    pub(super) ancestor: Option<u64>,
    /// Lines below the heading.
    pub(super) lines: u64,
    /// Those that do not belong to it.
    pub(super) others: u64,
    /// Calls without a file and line.
    pub(super) unplaced: u64,
    others_in_a_row: u32,
    pending: Option<Pending>,
    in_ancestor: bool,
    /// Whether its last line would be one that was cut, if the text ended behind it.
    ends_openly: bool,
}

impl Open {
    /// Begins a goroutine, whose heading is `len` bytes long.
    pub(super) fn begin(&mut self, goid: u64, len: usize) {
        self.frames.clear();
        let frames = std::mem::take(&mut self.frames);
        let heading = Span::new(0, len).unwrap_or_default();
        *self = Self { goid, heading, frames, ..Self::default() };
    }

    /// Whether it has nothing but a heading.
    pub(super) fn is_bare(&self) -> bool {
        self.frames.is_empty() && self.pending.is_none() && self.creation.is_none()
    }

    /// Takes a line of the goroutine's text: what stands from `at` to `end`.
    pub(super) fn line(&mut self, text: &[u8], at: usize, end: usize) -> Step {
        let Some(line) = text.get(at..end) else { return Step::Ended };
        if let Some(pending) = self.pending.take() {
            if let Some(place) = line::place(line)
                && self.put(pending, at, place)
            {
                self.others_in_a_row = 0;
                self.lines += 1;
                return if pending == Pending::Uncounted { Step::Taken } else { Step::Kept };
            }
            self.leave(pending, text);
        }
        let Some(first) = line.first() else { return Step::Ended };
        if self.others_in_a_row > MAX_OTHERS {
            return Step::Ended;
        }
        self.lines += 1;
        let step = match first {
            b'\t' if line == line::RUNNING_ELSEWHERE => Some(Step::Taken),
            b'c' => line.strip_prefix(b"created by ").map(|rest| self.creation(at, rest)),
            b'.' => line::elided(line).map(|count| self.push(Frame::Elided(count))),
            b'n' => line::foreign(line).map(|pc| self.push(Frame::Address(pc))),
            b'[' => line::origin(line).map(|goid| {
                self.ancestor.get_or_insert(goid);
                self.in_ancestor = true;
                Step::Taken
            }),
            _ => None,
        };
        step.unwrap_or_else(|| self.call(at, line))
    }

    /// Takes the last line of a text that ends without a line break, and says whether the text was cut in
    /// the midst of the goroutine. What cannot be a whole line is left out.
    pub(super) fn last_line(&mut self, text: &[u8], at: usize, end: usize) -> bool {
        let line = text.get(at..end).unwrap_or_default();
        let may_be_cut = match self.pending {
            Some(Pending::Call { .. } | Pending::Creation { .. } | Pending::Uncounted) => {
                line::place(line).is_none()
            }
            _ => line::may_begin(line),
        };
        if may_be_cut {
            self.pending = None;
            return true;
        }
        self.line(text, at, end);
        self.is_cut() || self.ends_openly
    }

    /// Whether a text that ends behind a whole line was cut in the midst of the goroutine.
    pub(super) fn is_cut(&self) -> bool {
        matches!(
            self.pending,
            Some(Pending::Call { .. } | Pending::Creation { .. } | Pending::Uncounted)
        )
    }

    /// Ends it: what is still pending is no frame. Of a text that was cut, something is missing.
    pub(super) fn end(&mut self, text: &[u8], is_cut: bool) {
        match self.pending.take() {
            Some(_) if is_cut => {}
            Some(pending) => self.leave(pending, text),
            None => {}
        }
        if self.uncounted > 0 {
            self.frames.push(Frame::Elided(Some(self.uncounted)));
        }
        if is_cut && self.creation.is_none() {
            self.frames.push(Frame::Elided(None));
        }
    }

    /// Takes the line that was unsure out again: it begins something else.
    pub(super) fn retract(&mut self) {
        self.pending = None;
        self.lines -= 1;
    }

    fn push(&mut self, frame: Frame) -> Step {
        if self.in_ancestor {
        } else if self.frames.len() < MAX_FRAMES {
            self.frames.push(frame);
        } else {
            self.uncounted += 1;
        }
        Step::Taken
    }

    fn creation(&mut self, at: usize, rest: &[u8]) -> Step {
        let (len, parent) = line::creation(rest);
        let function = Span::new(at + "created by ".len(), len).unwrap_or_default();
        self.pending = Some(Pending::Creation { function, parent });
        Step::Kept
    }

    fn call(&mut self, at: usize, line: &[u8]) -> Step {
        let has_room = self.frames.len() < MAX_FRAMES && at + line.len() < MAX_TEXT;
        let name = line::call(line);
        let span = Span::new(at, name.unwrap_or(line.len())).filter(|_| has_room);
        self.pending = Some(match (name, span) {
            (Some(name), Some(function)) => {
                Pending::Call { function, inlined: line.get(name..) == Some(b"(...)") }
            }
            (Some(_), None) => Pending::Uncounted,
            (None, Some(text)) => Pending::Bare { text, is_foreign: line == b"non-Go function" },
            (None, None) => Pending::Lost,
        });
        match self.pending {
            Some(Pending::Call { .. }) => Step::Kept,
            Some(Pending::Bare { .. }) => Step::Unsure,
            _ => Step::Taken,
        }
    }

    /// Gives a pending line its place; `false` where that is none for it.
    fn put(&mut self, pending: Pending, at: usize, place: Place) -> bool {
        let (start, len) = place.file;
        let file = Span::new(at + start, len).unwrap_or_default();
        self.ends_openly = false;
        match pending {
            Pending::Call { function, inlined } => {
                self.ends_openly = !inlined && !place.has_offset;
                // Arguments that are not printed make no inlined call, where an offset is.
                let inlined = inlined && !place.has_offset;
                self.push(Frame::Call { function, file, line: place.line, inlined });
            }
            Pending::Uncounted if self.in_ancestor => {}
            Pending::Uncounted => self.uncounted += 1,
            Pending::Creation { function, parent } => {
                self.ends_openly = !place.has_offset;
                if !self.in_ancestor && self.creation.is_none() {
                    self.creation = Some(Creation { function, file, line: place.line, parent });
                }
            }
            Pending::Lost => return false,
            Pending::Bare { text, is_foreign } => {
                let Some(pc) = place.pc else { return false };
                self.push(if is_foreign {
                    Frame::Address(pc)
                } else {
                    Frame::Call { function: text, file, line: place.line, inlined: false }
                });
            }
        }
        true
    }

    /// Decides what a pending line was that has no place.
    fn leave(&mut self, pending: Pending, text: &[u8]) {
        match pending {
            Pending::Call { function, inlined } if is_certain_call(function, text) => {
                self.unplaced += 1;
                self.push(Frame::Call { function, file: Span::default(), line: 0, inlined });
            }
            Pending::Creation { function, parent } => {
                self.unplaced += 1;
                let creation = Creation { function, file: Span::default(), line: 0, parent };
                if !self.in_ancestor {
                    self.creation.get_or_insert(creation);
                }
            }
            _ => {
                self.others += 1;
                self.others_in_a_row += 1;
            }
        }
    }
}

/// Whether a function's name stands in a line that is a call without doubt.
fn is_certain_call(function: Span, text: &[u8]) -> bool {
    let line = text.get(function.start()..).unwrap_or_default();
    let line = line.get(..memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
    line::is_certain(line.trim_ascii_end(), function.len())
}
