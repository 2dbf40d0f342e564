//! Goroutine dumps: what pprof's debug=2, `runtime.Stack`, panics, fatal errors and SIGQUIT print
//! (`runtime/traceback.go`, Go 1.18 to 1.27), with any other text around it, in any log.

mod give;
mod heading;
mod line;
mod logged;
mod open;

use std::mem;

use memchr::memchr;

use self::give::Giver;
use self::logged::{Logged, Next};
use self::open::{Open, Step};
use super::log::{Piece, Prefix, piece};
use super::marks;
use super::record::{Fault, Reading, Take};

/// How much is taken in at once: what is worked on stays in the processor's cache.
const PIECE: usize = 64 << 10;
/// Bytes of a line, or of a line within a string, that are kept. Of what is longer the rest is left out.
const MAX_LINE: usize = 256 << 10;
/// Of a line that is longer, how much is kept to find a heading that is not yet whole.
const OVERLAP: usize = 4 << 10;
/// Where pprof cuts a dump (`runtime/pprof/pprof.go`, `writeGoroutineStacks`).
const GO_CUTS_AT: u64 = 64 << 20;

/// Reads a dump, in pieces of any size, and gives each goroutine as soon as it is whole.
///
/// What it keeps is bounded, whatever it reads: one goroutine (4 MiB of text, 4096 frames) and one line
/// (256 KiB). It never fails: what it cannot understand it leaves out and counts.
#[derive(Debug)]
pub struct Reader<'t, T> {
    giver: Giver<'t, T>,
    reading: Reading,
    /// The open goroutine's text, unless it is [`Logged::text`], and behind it what was not read yet.
    buffer: Vec<u8>,
    /// Where in the buffer the open goroutine's text is.
    begin: usize,
    kept: usize,
    /// What is to be read next in the buffer.
    next: usize,
    /// Lines that were begun.
    line: u64,
    is_open: bool,
    open: Open,
    log: Logged,
    skip: Skip,
}

/// What becomes of a line of which a part was read already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skip {
    /// There is none.
    #[default]
    No,
    /// The rest is left out.
    Rest,
    /// It is longer than is kept; a dump may still be in a string of it.
    Search,
}

impl<'t, T: Take> Reader<'t, T> {
    /// A reader that gives what it reads to `take`.
    pub fn new(take: &'t mut T) -> Self {
        Self {
            giver: Giver::new(take),
            reading: Reading::default(),
            buffer: Vec::new(),
            begin: 0,
            kept: 0,
            next: 0,
            line: 1,
            is_open: false,
            open: Open::default(),
            log: Logged::default(),
            skip: Skip::No,
        }
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.reading.bytes += bytes.len() as u64;
        for bytes in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(bytes);
            let mut buffer = mem::take(&mut self.buffer);
            self.scan(&buffer);
            self.compact(&mut buffer);
            self.buffer = buffer;
        }
    }

    /// Ends, and says what was read.
    pub fn finish(mut self) -> Reading {
        let buffer = mem::take(&mut self.buffer);
        let rest = buffer.get(self.next..).unwrap_or_default();
        let mut is_cut = false;
        if !rest.is_empty() && self.log.is_in_string() {
            is_cut = true;
        } else if !rest.is_empty() && self.skip == Skip::No {
            is_cut = self.last_line(&buffer);
        }
        if self.is_open {
            is_cut |= self.open.is_cut() || self.reading.bytes == GO_CUTS_AT;
            self.close(&buffer, is_cut);
        }
        self.reading.cut_short = is_cut;
        self.reading
    }

    /// Reads all lines that are whole.
    fn scan(&mut self, buffer: &[u8]) {
        loop {
            let rest = buffer.get(self.next..).unwrap_or_default();
            if self.log.is_in_string() {
                match piece(rest, self.log.depth()) {
                    Piece::Line { len, next } => {
                        self.next += next;
                        self.string_line(rest.get(..len).unwrap_or_default());
                    }
                    Piece::End { len, next } => {
                        self.next += next;
                        self.string_end(rest, len);
                        self.skip = Skip::Rest;
                    }
                    Piece::Part if rest.len() > MAX_LINE => {
                        self.fault("a line that is too long");
                        self.next = buffer.len();
                        return;
                    }
                    Piece::Part => return,
                }
                continue;
            }
            let Some(len) = memchr(b'\n', rest) else {
                if rest.len() > MAX_LINE || self.skip != Skip::No {
                    self.part(buffer, rest);
                }
                if self.log.is_in_string() {
                    continue;
                }
                return;
            };
            let at = self.next;
            self.next += len + 1;
            let skip = mem::take(&mut self.skip);
            let line = rest.get(..len).map(without_return).unwrap_or_default();
            match skip {
                Skip::No => self.whole_line(buffer, at, line),
                Skip::Rest => {}
                Skip::Search => {
                    if let Some((prefix, start)) = Prefix::find(line).filter(in_string) {
                        self.enter(buffer, prefix, at + start, &[]);
                    }
                }
            }
            if !self.log.is_in_string() {
                self.line += 1;
            }
        }
    }

    /// A line, without its end.
    fn whole_line(&mut self, buffer: &[u8], at: usize, line: &[u8]) {
        if !self.log.is_on() {
            return self.plain(buffer, at, line);
        }
        if heading::id(line).is_some() {
            self.close(buffer, false);
            self.log.leave();
            return self.plain(buffer, at, line);
        }
        match self.log.next(line) {
            Next::Line(text) => self.logged(text),
            Next::Part(text) => self.log.append(text),
            Next::String(start) => {
                self.log.enter_string();
                self.next = at + start;
            }
            Next::Other => {
                // It may be that the heading alone was written with a prefix, together with what follows.
                if self.is_open && self.open.is_bare() && line::is_first(line) {
                    self.log.only_heading();
                    self.logged(line);
                } else {
                    self.other(buffer, at, line);
                }
            }
        }
    }

    /// A line of a text without prefixes.
    fn plain(&mut self, buffer: &[u8], at: usize, line: &[u8]) {
        let end = at + line.len();
        if line.first() == Some(&b'g')
            && let Some(goid) = heading::id(line)
        {
            self.close(buffer, false);
            self.open.begin(goid, line.len());
            (self.is_open, self.begin, self.kept) = (true, at, self.next);
            return;
        }
        let begins_another = line.first() == Some(&b'#') && marks::is_own(line);
        if begins_another {
            self.close(buffer, false);
        }
        if !self.is_open {
            return self.other(buffer, at, line);
        }
        let text = buffer.get(self.begin..end).unwrap_or_default();
        match self.open.line(text, at - self.begin, text.len()) {
            Step::Kept => self.kept = self.next,
            Step::Taken => {}
            Step::Unsure => match Prefix::find(line) {
                None => self.kept = self.next,
                Some(_) => {
                    self.open.retract();
                    self.other(buffer, at, line);
                }
            },
            Step::Ended => {
                self.close(buffer, false);
                self.other(buffer, at, line);
            }
        }
    }

    /// A line that belongs to no goroutine, unless one is in it.
    fn other(&mut self, buffer: &[u8], at: usize, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        let found = Prefix::find(line);
        // In a string of a log they stand before the first goroutine.
        let before = found.as_ref().and_then(|(_, start)| line.get(..*start)).unwrap_or(line);
        if self.is_own(before) && found.is_none() {
            return;
        }
        if let Some((prefix, start)) = found {
            self.enter(buffer, prefix, at + start, line.get(start..).unwrap_or_default());
        } else {
            self.reading.other_lines += 1;
            if self.is_open && self.log.has_too_many_others() {
                self.close(buffer, false);
            }
        }
    }

    /// Takes in what leak-agent says of a dump that it wrote; whether it says something.
    fn is_own(&mut self, text: &[u8]) -> bool {
        let is_own = self.giver.marks.search(text);
        self.reading.of_agent |= is_own;
        is_own
    }

    /// A line without an end, of which a part was left out or must be.
    fn part(&mut self, buffer: &[u8], rest: &[u8]) {
        if self.skip != Skip::Rest {
            let again = self.log.next(rest);
            if let Next::String(start) = again
                && self.skip == Skip::No
                && self.log.enter_string()
            {
                self.next += start;
                return;
            }
            if let Some((prefix, start)) = Prefix::find(rest).filter(in_string) {
                let at = self.next + start;
                return self.enter(buffer, prefix, at, &[]);
            }
            if self.skip == Skip::No {
                self.skip = Skip::Search;
                if self.is_open {
                    self.fault("a line that is too long");
                } else {
                    self.reading.other_lines += 1;
                }
            }
        }
        let overlap = if self.skip == Skip::Search { OVERLAP } else { 0 };
        self.next += rest.len().saturating_sub(overlap);
    }

    /// A log begins, with a heading that stands at `at` of the buffer.
    fn enter(&mut self, buffer: &[u8], prefix: Prefix, at: usize, heading: &[u8]) {
        self.close(buffer, false);
        self.log.enter(prefix);
        if self.log.enter_string() {
            self.next = at;
        } else {
            self.logged(heading);
        }
    }

    /// A line of a string.
    fn string_line(&mut self, quoted: &[u8]) {
        self.log.append_quoted(quoted);
        self.logged(&[]);
    }

    /// The rest of a string, which is `len` bytes long.
    fn string_end(&mut self, rest: &[u8], len: usize) {
        self.log.append_quoted(rest.get(..len).unwrap_or_default());
        if self.log.ends_a_line(len) {
            self.logged(&[]);
        }
        if self.log.leave_string() {
            self.close(&[], false);
        }
    }

    /// A line of a log: what was appended of it already, and its rest.
    fn logged(&mut self, rest: &[u8]) {
        self.log.append(rest);
        let (at, end) = self.log.line();
        let text = self.log.text.get(at..end).unwrap_or_default();
        if let Some(goid) = heading::id(text) {
            self.close(&[], false);
            self.log.drop_before(at);
            self.open.begin(goid, end - at);
            self.is_open = true;
            self.log.owns_open = true;
            self.log.keep_line();
            return;
        }
        if !self.is_open {
            let is_own = self.giver.marks.search(text);
            self.reading.of_agent |= is_own;
            self.reading.other_lines += u64::from(!text.is_empty() && !is_own);
            return self.log.drop_line();
        }
        match self.open.line(&self.log.text, at, end) {
            Step::Kept | Step::Unsure => self.log.keep_line(),
            Step::Taken => self.log.drop_line(),
            Step::Ended => {
                self.reading.other_lines += u64::from(!text.is_empty());
                self.close(&[], false);
                self.log.drop_line();
            }
        }
    }

    /// The last line, which has no end. Says whether the text was cut there.
    fn last_line(&mut self, buffer: &[u8]) -> bool {
        let (at, end) = (self.next, buffer.len());
        self.next = end;
        let line = buffer.get(at..end).map(without_return).unwrap_or_default();
        if !self.log.is_on() && self.is_open && heading::id(line).is_none() {
            let text = buffer.get(self.begin..at + line.len()).unwrap_or_default();
            let is_cut = self.open.last_line(text, at - self.begin, text.len());
            self.kept = end;
            return is_cut || heading::may_begin(line);
        }
        self.whole_line(buffer, at, line);
        // Whether a heading's goroutine has more lines nobody knows.
        heading::may_begin(line)
    }

    /// Gives the open goroutine, if there is one.
    fn close(&mut self, buffer: &[u8], is_cut: bool) {
        if !mem::take(&mut self.is_open) {
            return;
        }
        let text = if mem::take(&mut self.log.owns_open) {
            &self.log.text
        } else {
            buffer.get(self.begin..self.kept).unwrap_or_default()
        };
        self.open.end(text, is_cut);
        let given = self.giver.give(&self.open, text);
        if given.is_one {
            self.reading.records += 1;
            self.reading.goroutines += 1;
            self.reading.other_lines += self.open.others;
        } else {
            // The stack of a thread, under a goroutine's heading.
            self.reading.other_lines += self.open.lines + 1;
        }
        self.log.close();
        if let Some(what) = given.fault {
            self.fault(what);
        }
        for _ in 0..self.open.unplaced {
            self.fault("a function without its file and line");
        }
    }

    fn fault(&mut self, what: &'static str) {
        self.reading.faults += 1;
        self.reading.first_fault.get_or_insert(Fault { at: self.line, what });
    }

    /// Keeps what is needed: the open goroutine's text, and what was not read yet.
    fn compact(&mut self, buffer: &mut Vec<u8>) {
        let kept = if self.is_open && !self.log.owns_open { self.begin..self.kept } else { 0..0 };
        let unread = self.next..buffer.len();
        let (kept_len, unread_len) = (kept.len(), unread.len());
        buffer.copy_within(kept, 0);
        buffer.copy_within(unread, kept_len);
        buffer.truncate(kept_len + unread_len);
        (self.begin, self.kept, self.next) = (0, kept_len, kept_len);
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn in_string(found: &(Prefix, usize)) -> bool {
    found.0.depth() > 0
}

#[cfg(test)]
mod tests;
