//! Reads what a guest says on its console: `GUEST BEGIN`, `GUEST PASS name`, `GUEST FAIL name: reason`, `GUEST END code`.

use anyhow::{Result, bail};

use crate::test::tally::Tally;

/// What a guest has said so far.
#[derive(Debug, Default)]
pub struct Record {
    tally: Tally,
    up: bool,
    ended: Option<String>,
}

impl Record {
    /// Notes a line.
    pub fn note(&mut self, line: &Line<'_>) {
        match line {
            Line::Begin => self.up = true,
            Line::Pass(_) => self.tally.passed += 1,
            Line::Fail(..) => self.tally.failed += 1,
            Line::End(code) => self.ended = Some((*code).to_owned()),
            Line::Other(_) => {}
        }
    }

    /// What it comes to, once the guest is off.
    ///
    /// # Errors
    /// When the guest did not come up, died before its tests were through, or ran none: then the
    /// counts are worth nothing.
    pub fn verdict(self) -> Result<Tally> {
        if !self.up {
            bail!("the guest did not come up: its console is above");
        }
        let Some(code) = self.ended else {
            bail!("the guest died before its tests were through: its console is above");
        };
        if self.tally == Tally::default() {
            bail!("the guest ran no test (its driver ended with {code})");
        }
        // The driver ends with 1 when a test failed; anything else means that it broke.
        let expected = if self.tally.failed == 0 { "0" } else { "1" };
        if code != expected {
            bail!("the guest's driver broke after {}: it ended with {code}", self.tally);
        }
        Ok(self.tally)
    }
}

/// One line of a console, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Process 1 runs.
    Begin,
    /// A test passed.
    Pass(&'a str),
    /// A test failed, and why.
    Fail(&'a str, &'a str),
    /// All is done; the tests' exit code.
    End(&'a str),
    /// Anything else.
    Other(&'a str),
}

/// Understands a line. Firmware may have left control characters in front, the terminal driver
/// leaves a carriage return behind.
pub fn parse(line: &str) -> Line<'_> {
    let line = line.trim_end();
    let Some(at) = line.find("GUEST ") else {
        return Line::Other(line);
    };
    let said = &line[at + "GUEST ".len()..];
    match said.split_once(' ').unwrap_or((said, "")) {
        ("BEGIN", "") => Line::Begin,
        ("PASS", name) if !name.is_empty() => Line::Pass(name),
        ("FAIL", rest) if !rest.is_empty() => {
            let (name, reason) = rest.split_once(": ").unwrap_or((rest, "no reason given"));
            Line::Fail(name, reason)
        }
        ("END", code) if !code.is_empty() => Line::End(code),
        _ => Line::Other(line),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Line, Record, parse};
    use crate::test::tally::Tally;

    fn verdict(lines: &[&str]) -> anyhow::Result<Tally> {
        let mut record = Record::default();
        for line in lines {
            record.note(&parse(line));
        }
        record.verdict()
    }

    #[test]
    fn tests_are_counted() {
        let good = verdict(&["GUEST BEGIN", "GUEST PASS a", "GUEST PASS b", "GUEST END 0"]);
        assert_eq!(good.unwrap(), Tally { passed: 2, failed: 0, skipped: 0 });
        let bad = verdict(&["GUEST BEGIN", "GUEST PASS a", "GUEST FAIL b: c", "GUEST END 1"]);
        assert_eq!(bad.unwrap(), Tally { passed: 1, failed: 1, skipped: 0 });
    }

    #[test]
    fn a_guest_that_did_not_finish_has_passed_nothing() {
        let says = |lines: &[&str]| verdict(lines).unwrap_err().to_string();
        assert!(says(&[]).contains("did not come up"));
        assert!(says(&["[ 0.1] Kernel panic"]).contains("did not come up"));
        assert!(says(&["GUEST BEGIN", "GUEST PASS a"]).contains("died"));
        assert!(says(&["GUEST BEGIN", "GUEST END 0"]).contains("no test"));
        assert!(says(&["GUEST BEGIN", "GUEST PASS a", "GUEST END 139"]).contains("139"));
        assert!(says(&["GUEST BEGIN", "GUEST FAIL a: b", "GUEST END 0"]).contains("broke"));
    }

    #[test]
    fn the_four_words_are_understood() {
        assert_eq!(parse("GUEST BEGIN\r"), Line::Begin);
        assert_eq!(parse("GUEST PASS states of go1.21.13"), Line::Pass("states of go1.21.13"));
        assert_eq!(parse("GUEST FAIL a: b: c"), Line::Fail("a", "b: c"));
        assert_eq!(parse("GUEST END 0\r\n"), Line::End("0"));
    }

    #[test]
    fn control_characters_in_front_do_not_matter() {
        assert_eq!(parse("\u{1b}[2J\u{1b}cGUEST PASS x"), Line::Pass("x"));
    }

    #[test]
    fn anything_else_is_passed_on() {
        assert_eq!(parse("[    0.5] Kernel panic"), Line::Other("[    0.5] Kernel panic"));
        assert_eq!(parse("GUEST PASS"), Line::Other("GUEST PASS"));
        assert_eq!(parse("GUEST HOUSE"), Line::Other("GUEST HOUSE"));
    }
}
