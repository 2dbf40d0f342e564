//! What collectors of logs put around each line of a dump: time stamps, names of hosts and containers, JSON.
//!
//! Nothing is known of any collector's format but what all have in common: where the first goroutine's
//! heading stands in its line tells what stands before it, and lines that the same stands before, with other
//! digits, belong to the same text. Where the heading stands in a string, the string has the text.

mod shape;
mod string;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use shape::Shape;
pub(super) use string::{Piece, decode, piece};

/// Searches for what a heading begins with: made once, as it takes longer than most searches.
static FIRST_WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"goroutine "));

/// What precedes a dump's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    shape: Shape,
    /// How often the text is quoted: 0 where it just follows, 1 in a string, 2 in a string within one.
    depth: u32,
    /// Whether a string ends with the line break that its line ended with, as Docker writes it: one that
    /// does not is a piece of a line.
    has_line_break: bool,
}

/// Where a line's text starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    /// How many bytes precede it.
    pub(super) at: usize,
    /// Whether the rest of the line comes with the next one.
    pub(super) is_partial: bool,
}

impl Prefix {
    /// Looks for a goroutine's heading that does not begin its line. Gives where it begins.
    pub(super) fn find(line: &[u8]) -> Option<(Self, usize)> {
        let mut starts = FIRST_WORD.find_iter(line);
        starts.find_map(|at| {
            let behind = end_of_heading(line.get(at..)?)?;
            let (depth, has_line_break) = ending(behind)?;
            let shape = Shape::of(line.get(..at)?);
            Some((Self { shape, depth, has_line_break }, at))
        })
    }

    /// Where the text of another line starts, if the same precedes it.
    pub(super) fn strip(&self, line: &[u8]) -> Option<Stripped> {
        self.shape.strip(line).map(|(at, is_partial)| Stripped { at, is_partial })
    }

    /// How often the text is quoted.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether a string that has this many line breaks in it holds but a piece of a line.
    pub(super) fn is_piece(&self, line_breaks: u64) -> bool {
        self.has_line_break && line_breaks == 0
    }
}

/// What follows the colon that ends a heading.
fn end_of_heading(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"goroutine ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..)?;
    if digits == 0 || !(rest.starts_with(b" [") || rest.starts_with(b" gp=")) {
        return None;
    }
    memchr::memchr_iter(b':', rest).find_map(|colon| {
        let is_end = colon > 0 && matches!(rest.get(colon - 1), Some(b']' | b'}'));
        let behind = rest.get(colon + 1..)?;
        (is_end && ending(behind).is_some()).then_some(behind)
    })
}

/// How often a heading is quoted that this follows, and whether its line's break is quoted too. `None`
/// where no heading ends so.
fn ending(behind: &[u8]) -> Option<(u32, bool)> {
    let slashes = behind.iter().take_while(|byte| **byte == b'\\').count();
    match (slashes, behind.get(slashes)) {
        (0, Some(b'"')) => Some((1, false)),
        (1, Some(b'"')) => Some((2, false)),
        (1, Some(b'n')) => Some((1, is_last(behind, 1))),
        (2, Some(b'n')) => Some((2, is_last(behind, 2))),
        (0, _) if behind.trim_ascii().is_empty() => Some((0, false)),
        // A carriage return before the line break.
        (1, Some(b'r')) => Some((1, behind.starts_with(b"\\r\\n\""))),
        _ => None,
    }
}

/// Whether nothing follows a quoted line break in its string.
fn is_last(behind: &[u8], slashes: usize) -> bool {
    let rest = behind.get(slashes + 1..).unwrap_or_default();
    if slashes == 1 { rest.starts_with(b"\"") } else { rest.starts_with(b"\\\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(&str, u32, bool)> {
        let (prefix, at) = Prefix::find(line.as_bytes())?;
        Some((&line[..at], prefix.depth, prefix.has_line_break))
    }

    #[test]
    fn a_heading_is_found_behind_anything() {
        for (line, wanted) in [
            ("2026/01/02 15:04:05 goroutine 1 [running]:", ("2026/01/02 15:04:05 ", 0, false)),
            ("a goroutine b goroutine 7 [select]:\r", ("a goroutine b ", 0, false)),
            (r#"{"log":"goroutine 1 [running]:\n","t":1}"#, (r#"{"log":""#, 1, true)),
            (r#"{"m":"goroutine 1 [running]:","t":1}"#, (r#"{"m":""#, 1, false)),
            (r#"{"s":"goroutine 1 [running]:\nmain.f()\n"}"#, (r#"{"s":""#, 1, false)),
            (r#"{"l":"{\"s\":\"goroutine 1 [running]:\\nmain"#, (r#"{"l":"{\"s\":\""#, 2, false)),
            (r#"m="goroutine 1 [a] {\"k\": \"v\"}:\nx"#, (r#"m=""#, 1, false)),
        ] {
            assert_eq!(found(line), Some(wanted), "{line}");
        }
        for line in [
            "goroutine profile: total 7",
            "a goroutine 7 [select] is stuck",
            "goroutine 7 [select]: stuck",
            "a goroutine x [select]:",
            "",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }
}
