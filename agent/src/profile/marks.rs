//! Lines that leak-agent writes before a text of its own, where Go's have none: that it wrote it, and whose verdict
//! `(leaked)` is. What it proved is never taken for the runtime's own when the text is read again.
//!
//! ```text
//! # leak-agent 0.1.0: 2 goroutines proven to leak; 40 of 42 blocked goroutines can still be reached
//! # leak-agent: (leaked) by its own proof, 43 goroutines
//! # leak-agent: (leaked) by the runtime: 7 9-12
//! ```
//!
//! The second line holds for as many goroutines as it says: what stands behind them in a file is another's. The ids
//! in the third are those that the runtime had marked, proven here or not. In counts the first line is the second of
//! the text, so that the text still begins as Go's does.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use memchr::memmem;

/// How each of the lines begins.
const START: &[u8] = b"# leak-agent";

/// What stands behind that where whose the marks are is told.
const BY_ITSELF: &[u8] = b": (leaked) by its own proof, ";
const BY_RUNTIME: &[u8] = b": (leaked) by the runtime: ";

/// Ids in one line.
const IN_A_LINE: usize = 100;

/// Runs of ids that are kept: as many as there may be goroutines that are kept one by one.
const MAX_RUNS: usize = 1 << 20;

/// Whose the marks of the goroutines are that come next.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// For how many goroutines leak-agent has told it.
    left: u64,
    /// The ids that the runtime had marked, by their starts.
    runtime: Vec<RangeInclusive<u64>>,
}

impl Marks {
    /// Takes in what lines of leak-agent's say in a text; whether there are any. In a log, or the string of one,
    /// they stand behind other text.
    pub(super) fn search(&mut self, text: &[u8]) -> bool {
        let mut is_own = false;
        for at in memmem::find_iter(text, START) {
            is_own = true;
            let rest = text.get(at + START.len()..).unwrap_or_default();
            if let Some(count) = rest.strip_prefix(BY_ITSELF) {
                let (count, _) = number(count);
                *self = Self { left: count.unwrap_or(0), runtime: Vec::new() };
            } else if let Some(ids) = rest.strip_prefix(BY_RUNTIME) {
                self.ids(ids);
            }
        }
        is_own
    }

    fn ids(&mut self, mut text: &[u8]) {
        while let (Some(first), rest) = number(text) {
            let (last, rest) = match rest.strip_prefix(b"-").map(number) {
                Some((Some(last), rest)) => (last, rest),
                _ => (first, rest),
            };
            if self.runtime.len() < MAX_RUNS {
                self.runtime.push(first..=last);
            }
            let Some(next) = rest.strip_prefix(b" ") else { break };
            text = next;
        }
        self.runtime.sort_unstable_by_key(|run| *run.start());
    }

    /// Whether the mark of the goroutine that comes next would be leak-agent's.
    pub(super) fn are_own(&mut self, goid: u64) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let behind = self.runtime.partition_point(|run| *run.start() <= goid);
        let run = behind.checked_sub(1).and_then(|at| self.runtime.get(at));
        run.is_none_or(|run| !run.contains(&goid))
    }
}

/// The number that a text begins with, and the rest.
fn number(text: &[u8]) -> (Option<u64>, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits).unwrap_or_default();
    (std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()), rest)
}

/// Whether a line says that leak-agent wrote the text that it stands in.
pub(super) fn is_own(line: &[u8]) -> bool {
    line.starts_with(START)
}

/// Writes who wrote the text, and what it has to say of it.
pub(super) fn write_said(said: &str, out: &mut dyn Write) -> io::Result<()> {
    let said = said.replace(char::is_control, " ");
    writeln!(out, "# leak-agent {}: {said}", env!("CARGO_PKG_VERSION"))
}

/// Writes whose the marks are of so many goroutines, of which the runtime had marked these.
pub(super) fn write_whose(
    goroutines: u64,
    mut runtime: Vec<u64>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let start = text(START);
    writeln!(out, "{start}{}{goroutines} goroutines", text(BY_ITSELF))?;
    runtime.sort_unstable();
    let runs: Vec<String> = runtime
        .chunk_by(|one, next| one + 1 == *next)
        .map(|run| match run {
            [one] => one.to_string(),
            _ => format!("{}-{}", run[0], run[run.len() - 1]),
        })
        .collect();
    for line in runs.chunks(IN_A_LINE) {
        writeln!(out, "{start}{}{}", text(BY_RUNTIME), line.join(" "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(goroutines: u64, runtime: &[u64]) -> Vec<u8> {
        let mut text = Vec::new();
        write_whose(goroutines, runtime.to_vec(), &mut text).expect("a vector takes everything");
        text
    }

    #[test]
    fn whose_the_marks_are_is_read_as_it_was_written() {
        let many: Vec<u64> = (1..=250).map(|at| at * 2).collect();
        for runtime in [&[][..], &[7], &[9, 7, 8, 30], &many[..]] {
            let text = written(600, runtime);
            // As it stands, and as a log or the string of one has it.
            let logged = text.split(|&byte| byte == b'\n').collect::<Vec<_>>().join(&b"\\n"[..]);
            for text in [text.clone(), logged] {
                let mut marks = Marks::default();
                assert!(marks.search(&text));
                for goid in 1..=600 {
                    assert_eq!(marks.are_own(goid), !runtime.contains(&goid), "{goid}");
                }
                assert!(!marks.are_own(601), "what follows is another's");
            }
        }
        let lines = written(600, &many);
        assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 1 + 3);
        assert_eq!(
            String::from_utf8(written(43, &[12, 7, 9, 10, 11])).expect("UTF-8"),
            "# leak-agent: (leaked) by its own proof, 43 goroutines\n\
             # leak-agent: (leaked) by the runtime: 7 9-12\n"
        );
    }

    #[test]
    fn what_is_broken_says_nothing_and_a_later_line_counts() {
        let mut marks = Marks::default();
        for text in ["# leak-agent: (leaked) by its own proof, many", "# leak-agent 1: potato"] {
            assert!(marks.search(text.as_bytes()));
            assert!(!marks.are_own(1), "{text}");
        }
        assert!(!marks.search(b"goroutine 7 [select (leaked)]:"));
        marks.search(&written(9, &[1]));
        marks.search(&written(1, &[]));
        assert!(marks.are_own(1) && !marks.are_own(2));
    }

    #[test]
    fn what_is_said_stays_in_its_line() {
        let mut text = Vec::new();
        write_said("two\nlines", &mut text).expect("a vector takes everything");
        assert!(is_own(&text) && text.ends_with(b": two lines\n"));
    }
}
