//! Reads what `runtime.Stack` (and pprof's debug=2) prints of goroutines. Keeps everything; judges nothing.
//!
//! The format is `runtime/traceback.go`'s, Go 1.21 to 1.27.

use anyhow::{Context, Result, bail, ensure};

/// What a process said of all its goroutines at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// In the order of the text.
    pub goroutines: Vec<Goroutine>,
}

/// One goroutine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goroutine {
    /// Its id.
    pub goid: u64,
    /// Its state, without the marks `(scan)` and `(leaked)`.
    pub state: String,
    /// Whether the runtime's own leak detection marked it.
    pub leaked: bool,
    /// Whole minutes that it has waited, where the runtime says so.
    pub minutes: Option<u64>,
    /// Whether it is locked to its thread.
    pub locked: bool,
    /// The synctest bubble that it is in.
    pub bubble: Option<u64>,
    /// Its profiler labels, where the program prints them.
    pub labels: Vec<(String, String)>,
    /// Its stack, innermost first.
    pub stack: Vec<Entry>,
    /// The `go` statement that created it.
    pub created_by: Option<Creation>,
}

/// One line of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A Go function.
    Call(Call),
    /// A function that is not Go's.
    Foreign {
        /// Its program counter.
        pc: u64,
    },
    /// Frames that were left out; `None` where the text does not say how many.
    Elided(Option<u64>),
}

/// A Go function on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub function: String,
    /// Its arguments as printed, without the parentheses: `...` when it was inlined.
    pub args: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// How far in the function it is; `None` when it was inlined.
    pub offset: Option<u64>,
}

/// Where a goroutine was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The function.
    pub function: String,
    /// Its file.
    pub file: String,
    /// The line of the `go` statement.
    pub line: u32,
    /// The goroutine that it happened in.
    pub parent: Option<u64>,
}

impl Dump {
    /// Reads a whole dump.
    ///
    /// # Errors
    /// At the first line that the format does not have, with its number.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
        let mut goroutines: Vec<Goroutine> = Vec::new();
        while let Some((number, line)) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let place = || format!("line {number}: {line:?}");
            if line.starts_with("goroutine ") {
                goroutines.push(header(line).with_context(place)?);
                continue;
            }
            let goroutine = goroutines.last_mut().with_context(place)?;
            if let Some(entry) = without_location(line) {
                goroutine.stack.push(entry);
                continue;
            }
            let (_, below) = lines.next().with_context(place)?;
            let (file, line_number, offset) = location(below).with_context(place)?;
            if let Some(creation) = line.strip_prefix("created by ") {
                let (function, parent) = match creation.rsplit_once(" in goroutine ") {
                    Some((function, parent)) => {
                        (function, Some(parent.parse().with_context(place)?))
                    }
                    None => (creation, None),
                };
                goroutine.created_by = Some(Creation {
                    function: function.to_owned(),
                    file,
                    line: line_number,
                    parent,
                });
            } else {
                let (function, args) = call(line).with_context(place)?;
                goroutine.stack.push(Entry::Call(Call {
                    function,
                    args,
                    file,
                    line: line_number,
                    offset,
                }));
            }
        }
        Ok(Self { goroutines })
    }

    /// The goroutine with an id.
    #[must_use]
    pub fn goroutine(&self, goid: u64) -> Option<&Goroutine> {
        self.goroutines.iter().find(|goroutine| goroutine.goid == goid)
    }
}

impl Goroutine {
    /// Whether another dump shows it at the same place.
    #[must_use]
    pub fn stands_as(&self, later: &Self) -> bool {
        self.state == later.state
            && self.created_by == later.created_by
            && self.locked == later.locked
            && self.stack.len() == later.stack.len()
            && self.stack.iter().zip(&later.stack).all(|pair| match pair {
                // Arguments may be printed differently: what they lie in is dead and reused.
                (Entry::Call(before), Entry::Call(after)) => {
                    (&before.function, &before.file, before.line, before.offset)
                        == (&after.function, &after.file, after.line, after.offset)
                }
                (before, after) => before == after,
            })
    }

    /// The Go functions on its stack, innermost first.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.stack.iter().filter_map(|entry| match entry {
            Entry::Call(call) => Some(call),
            Entry::Foreign { .. } | Entry::Elided(_) => None,
        })
    }
}

/// `goroutine 7 gp=0x1 m=nil [chan receive (scan), 3 minutes, locked to thread] {job: "a b"}:`
fn header(line: &str) -> Result<Goroutine> {
    let rest = line.strip_prefix("goroutine ").and_then(|rest| rest.strip_suffix(':'));
    let (before, rest) = rest.and_then(|rest| rest.split_once('[')).context("no state")?;
    // Go 1.26 has the labels inside of the brackets.
    let inner = rest.strip_suffix(']').and_then(|rest| rest.split_once(" labels:"));
    let (inside, behind) = inner.or_else(|| rest.split_once(']')).context("no end of the state")?;
    let goid = before.split(' ').next().unwrap_or(before).parse().context("no id")?;
    let mut parts = inside.split(", ");
    let mut state = parts.next().unwrap_or_default();
    let mut leaked = false;
    loop {
        if let Some(bare) = state.strip_suffix(" (scan)") {
            state = bare;
        } else if let Some(bare) = state.strip_suffix(" (leaked)") {
            (state, leaked) = (bare, true);
        } else {
            break;
        }
    }
    let (mut minutes, mut locked, mut bubble) = (None, false, None);
    for part in parts {
        if let Some(count) = part.strip_suffix(" minutes") {
            minutes = Some(count.parse().context("minutes that are no number")?);
        } else if let Some(id) = part.strip_prefix("synctest bubble ") {
            bubble = Some(id.parse().context("a bubble that is no number")?);
        } else if part == "locked to thread" {
            locked = true;
        } else {
            bail!("unknown mark {part:?}");
        }
    }
    let labels = labels(behind.trim())?;
    let state = state.to_owned();
    let stack = Vec::new();
    Ok(Goroutine { goid, state, leaked, minutes, locked, bubble, labels, stack, created_by: None })
}

/// The lines of a stack that have no file below them.
fn without_location(line: &str) -> Option<Entry> {
    if let Some(pc) = line.strip_prefix("non-Go function at pc=") {
        return Some(Entry::Foreign { pc: hex(pc)? });
    }
    let elided = line.strip_prefix("...")?.strip_suffix(" frames elided...")?;
    match elided {
        "additional" => Some(Entry::Elided(None)),
        count => Some(Entry::Elided(Some(count.parse().ok()?))),
    }
}

/// `main.(*T[...]).Do(0x1, {0x2?, ...})`: arguments never hold a parenthesis, names do.
fn call(line: &str) -> Result<(String, String)> {
    let open = line.strip_suffix(')').context("no call")?;
    let (function, args) = open.rsplit_once('(').context("no arguments")?;
    ensure!(!function.is_empty(), "no function");
    Ok((function.to_owned(), args.to_owned()))
}

/// `\t/a path/file.go:12 +0x1f fp=0x1 sp=0x2 pc=0x3`
fn location(line: &str) -> Result<(String, u32, Option<u64>)> {
    let place = line.strip_prefix('\t').context("no file below the function")?;
    let place = place.split_once(" fp=0x").map_or(place, |(place, _)| place);
    let (place, offset) = match place.rsplit_once(" +") {
        Some((before, offset)) if hex(offset).is_some() => (before, hex(offset)),
        _ => (place, None),
    };
    let (file, line) = place.rsplit_once(':').context("no line number")?;
    Ok((file.to_owned(), line.parse().context("a line that is no number")?, offset))
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// `{endpoint: /a, "k 2": "v \"x\""}`, or nothing.
fn labels(text: &str) -> Result<Vec<(String, String)>> {
    let mut labels = Vec::new();
    if text.is_empty() {
        return Ok(labels);
    }
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let mut rest = inside.context("no labels behind the state")?;
    while !rest.is_empty() {
        let (key, behind) = word(rest, ": ")?;
        let behind = behind.strip_prefix(": ").context("a label without a value")?;
        let (value, behind) = word(behind, ", ")?;
        labels.push((key, value));
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    Ok(labels)
}

/// A bare word up to `end`, or a quoted one; and what comes behind it.
fn word<'a>(text: &'a str, end: &str) -> Result<(String, &'a str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let len = text.find(end).unwrap_or(text.len());
        return Ok((text[..len].to_owned(), &text[len..]));
    };
    let mut out = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return Ok((out, &quoted[index + 1..])),
            '\\' => {
                let (_, escape) = chars.next().context("an escape of nothing")?;
                let digits = match escape {
                    'n' => {
                        out.push('\n');
                        continue;
                    }
                    'r' => {
                        out.push('\r');
                        continue;
                    }
                    't' => {
                        out.push('\t');
                        continue;
                    }
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    other => {
                        out.push(other);
                        continue;
                    }
                };
                let number: String = chars.by_ref().take(digits).map(|(_, digit)| digit).collect();
                let number = u32::from_str_radix(&number, 16).context("an escape in no number")?;
                out.push(char::from_u32(number).context("an escape of no character")?);
            }
            char => out.push(char),
        }
    }
    bail!("no closing quote")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(text: &str) -> Goroutine {
        let mut dump = Dump::parse(text).unwrap();
        assert_eq!(dump.goroutines.len(), 1);
        dump.goroutines.remove(0)
    }

    #[test]
    fn reads_calls_creation_and_parent() {
        let text = "goroutine 7 [chan receive]:\n\
            main.inner(...)\n\t/src/a.go:12\n\
            main.(*T).Method(0xc000012345?, {0x1, 0x2})\n\t/src/b c.go:7 +0x1f\n\
            created by main.start in goroutine 1\n\t/src/a.go:3 +0x25\n";
        let goroutine = one(text);
        assert_eq!((goroutine.goid, goroutine.state.as_str()), (7, "chan receive"));
        let calls: Vec<&Call> = goroutine.calls().collect();
        assert_eq!(
            calls,
            [
                &Call {
                    function: "main.inner".into(),
                    args: "...".into(),
                    file: "/src/a.go".into(),
                    line: 12,
                    offset: None
                },
                &Call {
                    function: "main.(*T).Method".into(),
                    args: "0xc000012345?, {0x1, 0x2}".into(),
                    file: "/src/b c.go".into(),
                    line: 7,
                    offset: Some(0x1f)
                },
            ]
        );
        let created = goroutine.created_by.unwrap();
        assert_eq!(
            (created.function.as_str(), created.file.as_str(), created.line, created.parent),
            ("main.start", "/src/a.go", 3, Some(1))
        );
    }

    #[test]
    fn cuts_arguments_from_awkward_names() {
        for (line, function, args) in [
            ("main.F[...](0x1)", "main.F[...]", "0x1"),
            ("main.(*L[...]).wait(0x0, {0x0?, 0x0})", "main.(*L[...]).wait", "0x0, {0x0?, 0x0}"),
            ("a.b/c%2ev2.Wait.func1.2()", "a.b/c%2ev2.Wait.func1.2", ""),
            ("panic({0x4b9dc0?, 0x4e24f8?})", "panic", "{0x4b9dc0?, 0x4e24f8?}"),
            ("main.worker.byValue-fm()", "main.worker.byValue-fm", ""),
        ] {
            assert_eq!(call(line).unwrap(), (function.to_owned(), args.to_owned()), "{line}");
        }
    }

    #[test]
    fn reads_every_mark_of_the_header() {
        let goroutine = one(
            "goroutine 12 gp=0xc0001 m=3 mp=0xc0002 [select (no cases) (leaked) (scan), 14 minutes, locked to thread, synctest bubble 9] {job: nightly, \"k 2\": \"a \\\"b\\\", c\\u00fc\"}:\n",
        );
        assert_eq!(goroutine.state, "select (no cases)");
        assert!(goroutine.leaked && goroutine.locked);
        assert_eq!((goroutine.minutes, goroutine.bubble), (Some(14), Some(9)));
        let labels = [("job".into(), "nightly".into()), ("k 2".into(), "a \"b\", cü".into())];
        assert_eq!(goroutine.labels, labels);
    }

    #[test]
    fn reads_elided_and_foreign_frames() {
        let goroutine = one("goroutine 2 [syscall]:\nnon-Go function at pc=0x7f00\n\
            main.f(0x1)\n\t/a.go:1 +0x1 fp=0x10 sp=0x8 pc=0x4\n...200 frames elided...\nmain.g()\n\t/a.go:2 +0x1\n\
            ...additional frames elided...\ncreated by main.main\n\t/a.go:3 +0x2\n");
        assert_eq!(goroutine.stack[0], Entry::Foreign { pc: 0x7f00 });
        assert_eq!(goroutine.stack[2], Entry::Elided(Some(200)));
        assert_eq!(goroutine.stack[4], Entry::Elided(None));
        assert_eq!(goroutine.calls().map(|call| call.line).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(goroutine.created_by.unwrap().parent, None);
    }

    #[test]
    fn says_where_a_text_is_no_dump() {
        for text in [
            "main.f()\n\t/a.go:1\n",
            "goroutine x [running]:\n",
            "goroutine 1 [running, sleepy]:\n",
            "goroutine 1 [running]:\nmain.f()\n",
            "goroutine 1 [running]:\nmain.f()\n\t/a.go\n",
            "goroutine 1 [running] {a: \"b}:\n",
        ] {
            let error = format!("{:#}", Dump::parse(text).unwrap_err());
            assert!(error.starts_with("line "), "{text:?}: {error}");
        }
    }
}
