//! The lines below a heading, each by itself.

use memchr::memrchr;

/// What stands below a function's line: `\t/a b/c.go:12 +0x1f fp=0x1 sp=0x2 pc=0x3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where the file's name starts, and how long it is, in bytes; it may be empty.
    pub(super) file: (usize, usize),
    /// The line; 0 where there is none.
    pub(super) line: u32,
    /// Whether something follows: how far in the function it is, as behind all but inlined calls.
    pub(super) has_offset: bool,
    /// The program counter, where it alone follows: in what a symbolizer of C says.
    pub(super) pc: Option<u64>,
}

/// Reads a place. Copies of dumps may have lost the tab, or have spaces for it.
pub(super) fn place(line: &[u8]) -> Option<Place> {
    let start = match line {
        [b'\t', second, ..] if *second != b'\t' && *second != b' ' => 1,
        // What rsyslog writes for a tab.
        _ if line.starts_with(b"#011") => 4,
        _ => line.iter().position(|byte| *byte != b'\t' && *byte != b' ')?,
    };
    let text = line.get(start..)?;
    let Some(colon) = memrchr(b':', text) else {
        // Without a symbol there is no file either.
        let pc = hex(text.strip_prefix(b"pc=")?)?;
        return Some(Place { file: (start, 0), line: 0, has_offset: false, pc: Some(pc) });
    };
    let tail = text.get(colon + 1..)?;
    let digits = tail.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(tail.len());
    let (number, rest) = tail.split_at_checked(digits)?;
    let line = number_of(number)?;
    if colon == 0 || !(rest.is_empty() || rest.starts_with(b" ")) {
        return None;
    }
    let pc = rest.strip_prefix(b" pc=").and_then(hex);
    Some(Place {
        file: (start, colon),
        line,
        has_offset: rest.len() > " +0x".len() && pc.is_none(),
        pc,
    })
}

/// Where the name of a called function ends: `main.(*T[...]).Do(0x1, {0x2?, ...})`. Names hold
/// parentheses, arguments do not.
pub(super) fn call(line: &[u8]) -> Option<usize> {
    if line.last() != Some(&b')') {
        return None;
    }
    memrchr(b'(', line).filter(|open| *open > 0)
}

/// Whether a call's arguments are such as the runtime prints, and its name can be one: for a line that
/// nothing else proves to be a call.
pub(super) fn is_certain(line: &[u8], name: usize) -> bool {
    let Some((name, args)) = line.split_at_checked(name) else { return false };
    let args = args.get(1..args.len().saturating_sub(1)).unwrap_or_default();
    name.contains(&b'.')
        && !name.contains(&b' ')
        && args.iter().all(|byte| byte.is_ascii_hexdigit() || b"x, {}?._".contains(byte))
}

/// What stands below the heading of a goroutine whose stack the runtime could not read.
pub(super) const RUNNING_ELSEWHERE: &[u8] =
    b"\tgoroutine running on other thread; stack unavailable";

/// Whether a line can stand directly below a heading, and nothing else can be meant.
pub(super) fn is_first(line: &[u8]) -> bool {
    line == RUNNING_ELSEWHERE
        || line.starts_with(b"created by ")
        || foreign(line).is_some()
        || call(line).is_some_and(|name| is_certain(line, name))
}

/// Whether a line without an end may be the beginning of one that belongs to a stack.
pub(super) fn may_begin(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b'(').next().unwrap_or_default();
    let starts: [&[u8]; 3] = [b"created by ", b"...", b"non-Go function at pc="];
    starts.iter().any(|start| start.starts_with(line) || line.starts_with(start))
        || !name.trim_ascii_end().contains(&b' ')
}

/// The function and the goroutine of `created by F in goroutine 7`, from behind its first two words: how
/// long the function's name is, and the goroutine (Go 1.21+).
pub(super) fn creation(rest: &[u8]) -> (usize, Option<u64>) {
    const IN: &[u8] = b" in goroutine ";
    let rest = rest.trim_ascii_end();
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = &rest[..rest.len() - digits];
    match before.strip_suffix(IN) {
        Some(name) => (name.len(), decimal(&rest[before.len()..])),
        None => (rest.len(), None),
    }
}

/// `...51 frames elided...` (Go 1.21+), or `...additional frames elided...`.
pub(super) fn elided(line: &[u8]) -> Option<Option<u64>> {
    let count = line.strip_prefix(b"...")?.strip_suffix(b" frames elided...")?;
    match count {
        b"additional" => Some(None),
        count => decimal(count).map(Some),
    }
}

/// `[originating from goroutine 7]:`
pub(super) fn origin(line: &[u8]) -> Option<u64> {
    decimal(line.strip_prefix(b"[originating from goroutine ")?.strip_suffix(b"]:")?)
}

/// `non-Go function at pc=0x1`
pub(super) fn foreign(line: &[u8]) -> Option<u64> {
    hex(line.strip_prefix(b"non-Go function at pc=")?)
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A line's number, in few steps: there is one for every frame.
fn number_of(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

fn hex(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text.strip_prefix(b"0x")?).ok()?;
    u64::from_str_radix(digits.trim_ascii_end(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(&str, u32, bool, Option<u64>)> {
        let Place { file: (start, len), line: number, has_offset, pc } = place(line.as_bytes())?;
        Some((&line[start..start + len], number, has_offset, pc))
    }

    #[test]
    fn places_are_read_whatever_the_file_is_called() {
        for (line, wanted) in [
            ("\t/a/b.go:12 +0x1f", ("/a/b.go", 12, true, None)),
            ("\t/a/b.go:12", ("/a/b.go", 12, false, None)),
            ("\tC:/a b/c:d.go:7 +0x1", ("C:/a b/c:d.go", 7, true, None)),
            ("\tsync/mutex.go:7 +0x1 fp=0x1 sp=0x2 pc=0x3", ("sync/mutex.go", 7, true, None)),
            ("\t/a/b.c:12 pc=0x3", ("/a/b.c", 12, false, Some(3))),
            ("\tpc=0x10", ("", 0, false, Some(16))),
            ("    /a/b.go:12 +0x1f", ("/a/b.go", 12, true, None)),
            ("/a/b.go:12 +0x1f", ("/a/b.go", 12, true, None)),
            ("#011/a/b.go:12 +0x1f", ("/a/b.go", 12, true, None)),
        ] {
            assert_eq!(read(line), Some(wanted), "{line}");
        }
        for line in ["", "\t", "\t/a/b.go", "\t/a/b.go:", "\t:12", "\t/a.go:12x", "main.f(0x1)"] {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(read("\t/a/b.go:4294967296"), None);
    }

    #[test]
    fn a_call_s_name_ends_where_its_arguments_begin() {
        let name = |line: &'static str| call(line.as_bytes()).map(|end| &line[..end]);
        assert_eq!(name("main.(*T[...]).Do(0x1, {0x2?, ...})"), Some("main.(*T[...]).Do"));
        assert_eq!(name("panic({0x1, 0x2})"), Some("panic"));
        assert_eq!(name("main.f.func1()"), Some("main.f.func1"));
        assert_eq!([name("main.f"), name("()"), name(")"), name("")], [None; 4]);
    }

    #[test]
    fn what_the_runtime_prints_is_told_from_prose() {
        let certain =
            |line: &str| call(line.as_bytes()).is_some_and(|at| is_certain(line.as_bytes(), at));
        assert!(certain("main.f(0x1?, {0xab, _, ...})"));
        assert!(certain("main.f(...)"));
        assert!(!certain("see main.go (line 3)"));
        assert!(!certain("server.Listen(address)"));
        assert!(!certain("panic(0x1)"));
    }

    #[test]
    fn creations_have_a_function_and_maybe_a_goroutine() {
        assert_eq!(creation(b"main.f in goroutine 12"), (6, Some(12)));
        assert_eq!(creation(b"main.f"), (6, None));
        assert_eq!(creation(b"main.f12"), (8, None));
        assert_eq!(creation(b""), (0, None));
    }

    #[test]
    fn elided_frames_and_ancestors_are_read() {
        assert_eq!(elided(b"...51 frames elided..."), Some(Some(51)));
        assert_eq!(elided(b"...additional frames elided..."), Some(None));
        assert_eq!(elided(b"...some frames elided..."), None);
        assert_eq!(origin(b"[originating from goroutine 7]:"), Some(7));
        assert_eq!(origin(b"[originating from goroutine x]:"), None);
        assert_eq!(foreign(b"non-Go function at pc=0x1f"), Some(31));
    }
}
