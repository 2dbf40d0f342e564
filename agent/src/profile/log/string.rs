//! Text in a string, of JSON or of Go: its lines are told by escapes.

use memchr::memchr3;

use crate::profile::quoted::escape;

/// What a text within a string begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::profile) enum Piece {
    /// A line of `len` bytes, still with its escapes, and its escaped break; `next` is where the next starts.
    Line { len: usize, next: usize },
    /// The rest of the string, which ends with it.
    End { len: usize, next: usize },
    /// A part of a line: the rest was not read yet.
    Part,
}

/// Finds the end of the first line of a text that is quoted `depth` times. A string ends with its line, at
/// the latest.
pub(in crate::profile) fn piece(text: &[u8], depth: u32) -> Piece {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = memchr3(b'\\', b'"', b'\n', rest) else { return Piece::Part };
        let here = at + found;
        let slashes = text.iter().skip(here).take_while(|byte| **byte == b'\\').count();
        let behind = here + slashes;
        let Some(&byte) = text.get(behind) else { return Piece::Part };
        if byte == b'\n' {
            return Piece::End { len: behind, next: behind };
        }
        match meaning(slashes, byte, depth) {
            Meaning::Break { escapes } => {
                return Piece::Line { len: behind - escapes, next: behind + 1 };
            }
            Meaning::End { escapes } => {
                return Piece::End { len: behind - escapes, next: behind + 1 };
            }
            Meaning::Text => at = behind + 1,
        }
    }
}

enum Meaning {
    Break { escapes: usize },
    End { escapes: usize },
    Text,
}

/// What a byte means behind so many backslashes: each level of quotes takes half of them away, and one that
/// is left escapes it.
fn meaning(mut slashes: usize, byte: u8, depth: u32) -> Meaning {
    let mut escapes = 0;
    for level in 0..depth {
        let is_escaped = slashes % 2 == 1;
        slashes /= 2;
        if is_escaped {
            escapes += 1 << level;
        }
        match (byte, is_escaped) {
            (b'"', false) => return Meaning::End { escapes },
            (b'n', true) => {
                // Backslashes that are left escape it once more.
                let is_break = slashes == 0 || level + 1 == depth;
                return if is_break { Meaning::Break { escapes } } else { Meaning::Text };
            }
            (_, true) if byte != b'"' => return Meaning::Text,
            _ => {}
        }
    }
    Meaning::Text
}

/// Appends a piece of a text that is quoted `depth` times, as it was before.
pub(in crate::profile) fn decode(piece: &[u8], depth: u32, out: &mut Vec<u8>) {
    let mut quoted = piece.to_vec();
    for level in 0..depth {
        let mut plain = Vec::with_capacity(quoted.len());
        let mut rest = &*quoted;
        while let Some(at) = memchr::memchr(b'\\', rest) {
            plain.extend_from_slice(rest.get(..at).unwrap_or_default());
            rest = escape(rest.get(at + 1..).unwrap_or_default(), &mut plain);
        }
        plain.extend_from_slice(rest);
        if level + 1 == depth {
            out.append(&mut plain);
            return;
        }
        quoted = plain;
    }
    out.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a string, and what follows it.
    fn lines(text: &str, depth: u32) -> (Vec<String>, &str) {
        let (mut lines, mut rest) = (Vec::new(), text);
        loop {
            let (len, next, is_end) = match piece(rest.as_bytes(), depth) {
                Piece::Line { len, next } => (len, next, false),
                Piece::End { len, next } => (len, next, true),
                Piece::Part => return (lines, rest),
            };
            let mut line = Vec::new();
            decode(&rest.as_bytes()[..len], depth, &mut line);
            lines.push(String::from_utf8(line).expect("text"));
            rest = &rest[next..];
            if is_end {
                return (lines, rest);
            }
        }
    }

    #[test]
    fn a_string_has_lines_and_an_end() {
        let (read, rest) = lines(r#"a\n\tb\n\nC:\\new \"x\"\u003c\\","t":1}"#, 1);
        assert_eq!(read, ["a", "\tb", "", "C:\\new \"x\"<\\"]);
        assert_eq!(rest, r#","t":1}"#);
        assert_eq!(lines("a\\nb\nc", 1), (vec!["a".into(), "b".into()], "\nc"));
        assert_eq!(lines(r"a\nb\", 1), (vec!["a".into()], r"b\"));
    }

    #[test]
    fn a_string_within_a_string_is_read_too() {
        let (read, rest) = lines(r#"a\\n\\tb \\\"x\\\" C:\\\\new\"}\n","t":1}"#, 2);
        assert_eq!(read, ["a", "\tb \"x\" C:\\new"]);
        assert_eq!(rest, r#"}\n","t":1}"#);
    }
}
