//! The lines around the one that matters.

use std::ops::RangeInclusive;

/// A longer line is generated or minified.
const MAX_LINE: usize = 400;

/// Lines `line - context` to `line + context`, from 1, with the number of the first: empty where
/// the text has no such line. Tabs and line ends are those of the text, without `\r`.
#[must_use]
pub fn snippet(text: &str, line: u32, context: u32) -> (u32, Vec<String>) {
    let wanted = around(line, context);
    let (first, last) = (*wanted.start() as usize, *wanted.end() as usize);
    let lines: Vec<String> = text.lines().take(last).skip(first - 1).map(cut).collect();
    let has_line = line > 0 && lines.len() > line as usize - first;
    (*wanted.start(), if has_line { lines } else { Vec::new() })
}

/// The lines around a line.
pub(super) fn around(line: u32, context: u32) -> RangeInclusive<u32> {
    line.saturating_sub(context).max(1)..=line.saturating_add(context).max(1)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_around_as_far_as_there_are_any() {
        let text = "one\r\n\ttwo\nthree\nfour\n";
        for (line, context, first, expected) in [
            (2, 1, 1, vec!["one", "\ttwo", "three"]),
            (1, 1, 1, vec!["one", "\ttwo"]),
            (4, 1, 3, vec!["three", "four"]),
            (3, 0, 3, vec!["three"]),
            (9, 1, 8, vec![]),
            (0, 3, 1, vec![]),
            (u32::MAX, u32::MAX, 1, vec![]),
        ] {
            let (from, lines) = snippet(text, line, context);
            assert_eq!((from, lines), (first, expected.iter().map(|&s| s.to_owned()).collect()));
        }
        assert_eq!(snippet("", 1, 3), (1, Vec::new()));
        let long = "é".repeat(1000);
        assert_eq!(snippet(&long, 1, 0).1[0].chars().count(), 401);
    }
}
