//! What Go's own test of its leak detection expects: read from `runtime/goroutineleakprofile_test.go` (Go 1.26, 1.27).
//!
//! Each program stands there as `makeTest("Name", leak, ...)` or `makeFlakyTest("Name", leak, ...)`, a leak being a
//! regular expression of a goroutine's outermost function and its wait reason. A flaky one may not come about in every
//! run; and only for the others the test sets `GOMAXPROCS=1`.

use anyhow::{Context, Result, ensure};
use regex::Regex;

/// What is expected of one program.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The program's name.
    pub name: String,
    /// Whether its leaks may not come about.
    pub flaky: bool,
    /// Its leaks. None: nothing leaks.
    pub leaks: Vec<Regex>,
}

/// Reads the test's source.
///
/// # Errors
/// When it expects nothing, or something that cannot be read.
pub fn read(source: &str) -> Result<Vec<Expected>> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code = source.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (call, flaky) in [("makeTest(\"", false), ("makeFlakyTest(\"", true)] {
        for (at, _) in code.match_indices(call) {
            let rest = &code[at + call.len()..];
            let (name, rest) = rest.split_once('"').context("a name without an end")?;
            let leaks = leaks(rest).with_context(|| format!("the leaks of {name}"))?;
            found.push(Expected { name: name.to_owned(), flaky, leaks });
        }
    }
    ensure!(!found.is_empty(), "Go's test of its leak detection expects nothing: has it changed?");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The quoted arguments up to the end of the call.
fn leaks(mut rest: &str) -> Result<Vec<Regex>> {
    let mut leaks = Vec::new();
    loop {
        let at = rest.find(['`', ')']).context("a call without an end")?;
        if rest[at..].starts_with(')') {
            return Ok(leaks);
        }
        let (leak, behind) = rest[at + 1..].split_once('`').context("a quote without an end")?;
        leaks.push(Regex::new(leak).with_context(|| format!("{leak} is no expression"))?);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn programs_and_their_leaks_are_read_and_remarks_are_not() {
        let source = "\tmakeTest := func(name string) {}\n\tmakeTest(\"Twin\",\n\t\t// why\n\
            \t\t`Twin\\.func1\\(.* \\[chan send\\]`,\n\t\t`Twin\\(.* \\[sync\\.(RW)?Mutex\\.Lock\\]`,\n\t),\n\
            \tmakeTest(\"None\"),\n\t// makeTest(\"Gone\", `Gone`),\n\tmakeFlakyTest(\"Moody\",\n\t\t`Moody`),\n";
        let read = read(source).unwrap();
        let names: Vec<_> = read.iter().map(|it| (&*it.name, it.flaky, it.leaks.len())).collect();
        assert_eq!(names, [("Moody", true, 1), ("None", false, 0), ("Twin", false, 2)]);
        assert!(read[2].leaks[1].is_match("Twin(0x1, ...) [sync.RWMutex.Lock]"));
        assert!(!read[2].leaks[1].is_match("Twin(...) [sync.RWMutex.RLock]"));
    }

    #[test]
    fn a_source_that_expects_nothing_is_refused() {
        assert!(read("package runtime_test\n").is_err());
        assert!(read("makeTest(\"Open\", `never ends").is_err());
    }
}
