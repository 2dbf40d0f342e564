//! A text's lines, out of pieces of any size.

use memchr::memchr;

/// Bytes of a line that are kept; the rest of a longer one is left out.
const MAX_LINE: usize = 256 << 10;

/// Splits what it is fed into lines, and keeps the one that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// Lines that were given.
    count: u64,
}

impl Lines {
    /// Gives each line that is whole, without its end, and its number, from 1.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut line: impl FnMut(u64, &[u8])) {
        while let Some(len) = memchr(b'\n', bytes) {
            let (whole, rest) = bytes.split_at(len);
            bytes = rest.get(1..).unwrap_or_default();
            self.count += 1;
            if self.held.is_empty() {
                line(self.count, without_return(whole));
            } else {
                self.hold(whole);
                line(self.count, without_return(&self.held));
                self.held.clear();
            }
        }
        self.hold(bytes);
    }

    /// Gives the last line, if it has no end.
    pub(super) fn finish(self, mut line: impl FnMut(u64, &[u8])) {
        if !self.held.is_empty() {
            line(self.count + 1, without_return(&self.held));
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let text = b"one\r\n\nthree\n  four";
        for piece in 1..=text.len() {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for bytes in text.chunks(piece) {
                lines.feed(bytes, |number, line| seen.push((number, line.to_vec())));
            }
            lines.finish(|number, line| seen.push((number, line.to_vec())));
            let wanted: [(u64, &[u8]); 4] = [(1, b"one"), (2, b""), (3, b"three"), (4, b"  four")];
            assert_eq!(seen, wanted.map(|(number, line)| (number, line.to_vec())));
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.feed(&[b'x'; 64 << 10], |_, _| panic!("there is no line yet"));
        }
        let mut len = 0;
        lines.feed(b"\n", |_, line| len = line.len());
        assert_eq!(len, MAX_LINE);
    }
}
