//! What passed, failed and was skipped over all steps of a test run.

use std::fmt;

/// Counts over all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What passed: a test, or a gate such as clippy.
    pub passed: u64,
    /// What failed.
    pub failed: u64,
    /// What could not run.
    pub skipped: u64,
}

impl Tally {
    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Reads what `cargo test` prints, line by line.
///
/// A test that cannot run prints a line `SKIP reason` with `println!` and returns; cargo calls it
/// passed (and, under `--show-output`, shows the line), so each such line moves one from passed to
/// skipped.
#[derive(Debug, Default)]
pub struct Reader {
    tally: Tally,
    skip_lines: u64,
    /// A test program has begun and not yet said how it ended.
    open: bool,
}

impl Reader {
    /// Takes one line.
    pub fn line(&mut self, line: &str) {
        if is_start(line) {
            self.close();
            self.open = true;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.open = false;
            self.tally.add(Tally {
                passed: count(counts, "passed"),
                failed: count(counts, "failed"),
                skipped: count(counts, "ignored"),
            });
        } else if line.starts_with("SKIP ") {
            self.skip_lines += 1;
        }
    }

    /// The counts of the whole run, given whether cargo said that all went well. A program that
    /// ended without a result (it crashed, or did not even build) is one failure.
    pub fn finish(mut self, success: bool) -> Tally {
        self.close();
        let skips = self.skip_lines.min(self.tally.passed);
        self.tally.passed -= skips;
        self.tally.skipped += skips;
        if !success && self.tally.failed == 0 {
            self.tally.failed = 1;
        }
        self.tally
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.tally.failed += 1;
        }
    }
}

/// `running 3 tests`: the first line of a test program.
fn is_start(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("running ") else { return false };
    let number = rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"));
    number.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// The number before a word: 3 of `ok. 3 passed; 0 failed`.
fn count(counts: &str, word: &str) -> u64 {
    let parts = counts.split(['.', ';']).map(str::trim);
    let number = parts.filter_map(|part| part.strip_suffix(word)).next();
    number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, success: bool) -> Tally {
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        reader.finish(success)
    }

    const TWO: &str = "
running 3 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s
";

    #[test]
    fn results_of_all_programs_are_added() {
        assert_eq!(read(TWO, false), Tally { passed: 2, failed: 1, skipped: 1 });
        assert_eq!(read(TWO, false).to_string(), "2 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_program_that_crashes_is_a_failure_even_beside_others() {
        let crashed = format!("running 5 tests\ntest x ... ok\n{TWO}");
        assert_eq!(read(&crashed, false), Tally { passed: 2, failed: 2, skipped: 1 });
        assert_eq!(read("running 5 tests\ntest x ... ok\n", false).failed, 1);
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        assert_eq!(read("", false), Tally { passed: 0, failed: 1, skipped: 0 });
        assert_eq!(read("", true), Tally::default());
    }

    #[test]
    fn skip_lines_move_tests_from_passed_to_skipped() {
        let text = "running 2 tests\n---- a stdout ----\nSKIP no arm64 here\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(read(text, true), Tally { passed: 1, failed: 0, skipped: 1 });
    }
}
