//! Reads what a guest says on its console: `GUEST BEGIN`, `GUEST PASS name`, `GUEST FAIL name: reason`, `GUEST END code`.

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
    use super::{Line, parse};

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
