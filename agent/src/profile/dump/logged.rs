//! A dump in a log: the text of its goroutine, with what precedes the lines taken off.

use crate::profile::log::{Prefix, decode};

/// Lines in a row without the prefix before the goroutine is taken to have ended.
const MAX_OTHERS: u32 = 64;

/// What is known of the log that is read.
#[derive(Debug, Default)]
pub(super) struct Logged {
    /// The open goroutine's text, and a line that was begun.
    pub(super) text: Vec<u8>,
    /// Whether the open goroutine's text is here.
    pub(super) owns_open: bool,
    /// Where in the text the line begins that is being read.
    line: usize,
    state: State,
    others_in_a_row: u32,
}

#[derive(Debug, Default)]
enum State {
    /// There is none.
    #[default]
    Off,
    /// Each line has a prefix.
    Prefixed(Prefix),
    /// The same, and the text of a string is being read, of which so many lines were.
    InString(Prefix, u64),
    /// Only the goroutine's heading had a prefix.
    Bare,
}

/// What a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A line, or the rest of one.
    Line(&'a [u8]),
    /// A part of a line.
    Part(&'a [u8]),
    /// A string with lines, which starts here.
    String(usize),
    /// Not what the log is of.
    Other,
}

impl Logged {
    /// Whether a log is read.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// Whether the text of a string is read.
    pub(super) fn is_in_string(&self) -> bool {
        matches!(self.state, State::InString(..))
    }

    /// How often the text is quoted.
    pub(super) fn depth(&self) -> u32 {
        match &self.state {
            State::Prefixed(prefix) | State::InString(prefix, _) => prefix.depth(),
            State::Off | State::Bare => 0,
        }
    }

    /// A log with this prefix begins.
    pub(super) fn enter(&mut self, prefix: Prefix) {
        self.state = State::Prefixed(prefix);
        self.text.clear();
        (self.line, self.others_in_a_row) = (0, 0);
    }

    /// The log has ended.
    pub(super) fn leave(&mut self) {
        *self = Self { text: std::mem::take(&mut self.text), ..Self::default() };
        self.text.clear();
    }

    /// Only the heading had the prefix.
    pub(super) fn only_heading(&mut self) {
        self.state = State::Bare;
    }

    /// Begins with the text of a string, if it is one that the log has its text in.
    pub(super) fn enter_string(&mut self) -> bool {
        self.state = match std::mem::take(&mut self.state) {
            State::Prefixed(prefix) if prefix.depth() > 0 => State::InString(prefix, 0),
            other => other,
        };
        self.is_in_string()
    }

    /// Ends with the text of a string, and says whether its goroutine ends too: it does where a string held
    /// several lines.
    pub(super) fn leave_string(&mut self) -> bool {
        let (state, lines) = match std::mem::take(&mut self.state) {
            State::InString(prefix, lines) => (State::Prefixed(prefix), lines),
            other => (other, 0),
        };
        self.state = state;
        lines > 1
    }

    /// What a line is.
    pub(super) fn next<'a>(&mut self, line: &'a [u8]) -> Next<'a> {
        let prefix = match &self.state {
            State::Prefixed(prefix) | State::InString(prefix, _) => prefix,
            State::Bare => return Next::Line(line),
            State::Off => return Next::Other,
        };
        let Some(stripped) = prefix.strip(line) else { return Next::Other };
        if prefix.depth() > 0 {
            return Next::String(stripped.at);
        }
        let text = line.get(stripped.at..).unwrap_or_default();
        if stripped.is_partial { Next::Part(text) } else { Next::Line(text) }
    }

    /// Takes a line that is not the log's; whether there were too many of them.
    pub(super) fn has_too_many_others(&mut self) -> bool {
        self.others_in_a_row += 1;
        self.others_in_a_row > MAX_OTHERS
    }

    /// Appends to the line that is being read.
    pub(super) fn append(&mut self, text: &[u8]) {
        let room = super::MAX_LINE.saturating_sub(self.text.len() - self.line);
        self.text.extend_from_slice(text.get(..room).unwrap_or(text));
        self.others_in_a_row = 0;
    }

    /// Appends to it what is quoted, and counts its line.
    pub(super) fn append_quoted(&mut self, quoted: &[u8]) {
        let depth = self.depth();
        decode(quoted, depth, &mut self.text);
        self.others_in_a_row = 0;
        if let State::InString(_, lines) = &mut self.state {
            *lines += u64::from(!quoted.is_empty());
        }
    }

    /// Whether the line that is being read is whole where its string ends, with `len` bytes of it.
    pub(super) fn ends_a_line(&self, len: usize) -> bool {
        match &self.state {
            State::InString(prefix, lines) if len > 0 => !prefix.is_piece(lines.saturating_sub(1)),
            State::InString(_, lines) => *lines == 0,
            _ => true,
        }
    }

    /// Where in the text the line is that was read.
    pub(super) fn line(&self) -> (usize, usize) {
        let text = self.text.get(self.line..).unwrap_or_default();
        (self.line, self.line + super::without_return(text).len())
    }

    /// Keeps the line that was read.
    pub(super) fn keep_line(&mut self) {
        // Lines of a text are apart.
        self.text.push(b'\n');
        self.line = self.text.len();
    }

    /// Drops the line that was read.
    pub(super) fn drop_line(&mut self) {
        self.text.truncate(self.line);
    }

    /// Drops what stands before a line.
    pub(super) fn drop_before(&mut self, line: usize) {
        self.text.drain(..line.min(self.text.len()));
        self.line = 0;
    }

    /// The open goroutine was given.
    pub(super) fn close(&mut self) {
        if matches!(self.state, State::Bare) {
            self.state = State::Off;
        }
    }
}
