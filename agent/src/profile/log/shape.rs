//! What is the same before each line of a log: all but digits, and how many spaces there are.

/// Prefixes that are longer are not compared: no other line has such a one.
const MAX_LEN: usize = 1024;

/// What stands before a line's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    parts: Option<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// These bytes.
    Same(Vec<u8>),
    /// Digits of any number.
    Digits,
    /// Spaces of any number.
    Spaces,
    /// So many spaces, or none at the line's end: what follows is text, which may begin with more.
    Last(usize),
    /// A fraction of a second, whose last zeros are not written.
    Fraction,
    /// Kubernetes' mark of a whole line, or of a piece of one (`F` and `P`).
    Whole,
}

impl Shape {
    /// The shape of a prefix.
    pub(super) fn of(prefix: &[u8]) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = 0;
        while let Some(&byte) = prefix.get(at).filter(|_| prefix.len() <= MAX_LEN) {
            let rest = prefix.get(at..).unwrap_or_default();
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (part, len) = if digits > 0 && !is_name(prefix, at, digits) {
                (Part::Digits, digits)
            } else if byte == b' ' {
                let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
                let is_last = spaces == rest.len();
                (if is_last { Part::Last(spaces) } else { Part::Spaces }, spaces)
            } else if byte == b'.' && parts.last() == Some(&Part::Digits) && fraction(rest) > 1 {
                (Part::Fraction, fraction(rest))
            } else if rest == b"F " && prefix.ends_with(b" F ") {
                (Part::Whole, 1)
            } else {
                let len = digits.max(1);
                let same = rest.get(..len).unwrap_or_default();
                at += len;
                match parts.last_mut() {
                    Some(Part::Same(bytes)) => bytes.extend_from_slice(same),
                    _ => parts.push(Part::Same(same.to_vec())),
                }
                continue;
            };
            parts.push(part);
            at += len;
        }
        Self { parts: (prefix.len() <= MAX_LEN).then_some(parts) }
    }

    /// How much of a line this precedes, and whether it says that the line is a piece.
    pub(super) fn strip(&self, line: &[u8]) -> Option<(usize, bool)> {
        let mut rest = line;
        let mut is_partial = false;
        for part in self.parts.as_ref()? {
            let len = match part {
                Part::Same(bytes) => rest.starts_with(bytes).then_some(bytes.len())?,
                Part::Digits => {
                    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    (digits > 0).then_some(digits)?
                }
                Part::Spaces => {
                    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
                    (spaces > 0).then_some(spaces)?
                }
                Part::Last(wanted) => {
                    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
                    (spaces >= *wanted || spaces == rest.len()).then_some(spaces.min(*wanted))?
                }
                Part::Fraction => fraction(rest),
                Part::Whole => {
                    is_partial = rest.starts_with(b"P");
                    (is_partial || rest.starts_with(b"F")).then_some(1)?
                }
            };
            rest = rest.get(len..)?;
        }
        Some((line.len() - rest.len(), is_partial))
    }
}

/// How long the fraction is that a text begins with, its dot included; 0 where there is none.
fn fraction(text: &[u8]) -> usize {
    match text.split_first() {
        Some((b'.', behind)) => {
            match behind.iter().take_while(|byte| byte.is_ascii_digit()).count() {
                0 => 0,
                digits => digits + 1,
            }
        }
        _ => 0,
    }
}

/// Whether digits belong to who writes, and not to when: a process's id in brackets, a container's number
/// before a bar, a part of a host's name.
fn is_name(prefix: &[u8], at: usize, digits: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| prefix.get(at)).copied();
    let is_letter = |back| before(back).is_some_and(|byte| byte.is_ascii_alphabetic());
    let behind = prefix.get(at + digits..).unwrap_or_default();
    matches!((before(1), behind.first()), (Some(b'['), Some(b']')) | (Some(b'('), Some(b')')))
        || behind.contains(&b'|')
        || is_letter(1) && is_letter(2)
        || matches!(before(1), Some(b'-' | b'_')) && is_letter(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(first: &str, line: &'a str) -> Option<(&'a str, bool)> {
        let (at, is_partial) = Shape::of(first.as_bytes()).strip(line.as_bytes())?;
        Some((&line[at..], is_partial))
    }

    #[test]
    fn the_time_may_be_another() {
        for (first, line) in [
            ("2026/01/02 15:04:05 ", "2026/01/02 15:04:06 \ttext"),
            ("2026-01-02T15:04:05.123Z ", "2026-01-02T15:04:06Z \ttext"),
            ("2026-01-02T15:04:05.123+01:00 ", "2026-01-02T15:04:06.5+01:00 \ttext"),
            ("Nov 29 10:00:00 host-1 svc[123]: ", "Nov  9 10:00:01 host-1 svc[123]: \ttext"),
            ("E1129 10:00:00.000123   12 a.go:55] ", "E1129 10:00:00.000124   12 a.go:56] \ttext"),
            ("web-1  | ", "web-1  | \ttext"),
            (r#"{"time":"2026-01-02","log":""#, "{\"time\":\"2026-01-03\",\"log\":\"\ttext"),
        ] {
            assert_eq!(text(first, line), Some(("\ttext", false)), "{line}");
        }
        // What the text begins with is its own.
        assert_eq!(text("web-1  | ", "web-1  |   text"), Some(("  text", false)));
        // Where a line has no text, spaces at its end may be lost.
        assert_eq!(text("web-1  | ", "web-1  |"), Some(("", false)));
    }

    #[test]
    fn whoever_else_writes_is_another() {
        for (first, line) in [
            ("Nov 29 10:00:00 host-1 svc[123]: ", "Nov 29 10:00:00 host-1 svc[124]: text"),
            ("Nov 29 10:00:00 host-1 svc[123]: ", "Nov 29 10:00:00 host-2 svc[123]: text"),
            ("web-1  | ", "web-2  | text"),
            ("2026/01/02 15:04:05 ", "text"),
        ] {
            assert_eq!(text(first, line), None, "{line}");
        }
    }

    #[test]
    fn kubernetes_marks_pieces() {
        let first = "2026-01-02T15:04:05.123Z stderr F ";
        assert_eq!(text(first, "2026-01-02T15:04:05.124Z stderr P te"), Some(("te", true)));
        assert_eq!(text(first, "2026-01-02T15:04:05.124Z stderr F xt"), Some(("xt", false)));
        assert_eq!(text(first, "2026-01-02T15:04:05.124Z stdout F xt"), None);
    }

    #[test]
    fn a_very_long_one_is_never_found_again() {
        let long = "x".repeat(MAX_LEN + 1);
        assert_eq!(text(&long, &long), None);
    }
}
