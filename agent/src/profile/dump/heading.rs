//! A goroutine's heading: its id, its state and its labels (`runtime/traceback.go`, `goroutineheader`).

use std::borrow::Cow;

use crate::profile::quoted::unquote;
use crate::profile::record::State;

/// How every heading starts.
const START: &[u8] = b"goroutine ";

/// What a heading says, its labels aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heading<'a> {
    /// What the goroutine was doing.
    pub(super) state: State<'a>,
    /// Whether there is something that no known version writes.
    pub(super) is_unknown: bool,
}

/// The goroutine's id, if a line is a heading: `goroutine 7 [select]:`, or with `gp=`, `m=` and `mp=`.
pub(super) fn id(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(START)?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = rest.split_at_checked(digits)?;
    let is_one = (rest.starts_with(b" [") || rest.starts_with(b" gp="))
        && line.trim_ascii_end().ends_with(b":");
    if !is_one {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a text may be the beginning of a heading that was cut.
pub(super) fn may_begin(line: &[u8]) -> bool {
    !line.is_empty() && (START.starts_with(line) || line.starts_with(START))
}

/// Reads a heading, and appends its labels.
pub(super) fn read<'a>(
    line: &'a str,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Option<Heading<'a>> {
    let (_, rest) = line.split_once('[')?;
    let mut is_unknown = false;
    let (inside, behind) = rest.split_once(']')?;
    // Go 1.26 writes labels within the brackets, Go 1.27 behind them. Both quote what could end them.
    let within = if inside.contains('{') { rest.split_once(" labels:{") } else { None };
    let (inside, listed) = match within {
        Some((inside, listed)) => (inside, Some(listed)),
        None => (inside, behind.strip_prefix(" {")),
    };
    if let Some(listed) = listed {
        is_unknown |= read_labels(listed, labels).is_none();
    }
    let mut parts = inside.split(',');
    let mut state = State {
        text: parts.next()?,
        minutes: None,
        leaked: false,
        proven: false,
        scan: false,
        durable: false,
        locked_to_thread: false,
        bubble: None,
    };
    while let Some((text, mark)) = last_mark(state.text) {
        match mark {
            "leaked" => state.leaked = true,
            "scan" => state.scan = true,
            // Go 1.24 has the second word for the same.
            "durable" | "synctest" => state.durable = true,
            _ => break,
        }
        state.text = text;
    }
    for part in parts.map(str::trim_start) {
        // Go 1.24 calls a bubble a group.
        let bubble =
            part.strip_prefix("synctest bubble ").or_else(|| part.strip_prefix("synctest group "));
        if part == "locked to thread" {
            state.locked_to_thread = true;
        } else if let Some(minutes) = part.strip_suffix(" minutes") {
            state.minutes = minutes.parse().ok();
            is_unknown |= state.minutes.is_none();
        } else if let Some(bubble) = bubble {
            state.bubble = bubble.parse().ok();
            is_unknown |= state.bubble.is_none();
        } else {
            is_unknown = true;
        }
    }
    Some(Heading { state, is_unknown })
}

/// `select (scan)` as `select` and `scan`.
fn last_mark(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.rsplit_once(" (")
}

/// `key: value, "key 2": "value 2"}`, from behind the opening brace. `None` where it is written otherwise;
/// the labels before that are kept.
fn read_labels<'a>(
    mut text: &'a str,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Option<()> {
    loop {
        let (key, behind) = word(text)?;
        let (value, behind) = word(behind.strip_prefix(": ")?)?;
        labels.push((key, value));
        if behind.starts_with('}') {
            return Some(());
        }
        text = behind.strip_prefix(", ")?;
    }
}

/// A string in quotes, or a bare word, which holds letters, digits, dots, slashes and underscores; and what
/// comes behind it.
fn word(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquote(quoted);
    }
    let end = text.find([':', ',', '}'])?;
    let (word, behind) = text.split_at_checked(end)?;
    Some((Cow::Borrowed(word), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: State<'_> = State {
        text: "",
        minutes: None,
        leaked: false,
        proven: false,
        scan: false,
        durable: false,
        locked_to_thread: false,
        bubble: None,
    };

    fn state(line: &str) -> State<'_> {
        let mut labels = Vec::new();
        let heading = read(line, &mut labels).expect("a heading");
        assert_eq!((heading.is_unknown, labels), (false, Vec::new()), "{line}");
        heading.state
    }

    #[test]
    fn the_state_is_read_without_its_marks() {
        let heading = "goroutine 7 gp=0x1 m=nil [chan receive (nil chan) (leaked) (scan), 3 minutes, locked to thread, synctest bubble 4]:";
        let wanted = State {
            text: "chan receive (nil chan)",
            minutes: Some(3),
            leaked: true,
            scan: true,
            locked_to_thread: true,
            bubble: Some(4),
            ..PLAIN
        };
        assert_eq!(state(heading), wanted);
        let wanted = State { text: "select", durable: true, bubble: Some(9), ..PLAIN };
        assert_eq!(state("goroutine 7 [select (durable), synctest bubble 9]:"), wanted);
        assert_eq!(state("goroutine 7 [select (synctest), synctest group 9]:"), wanted);
        let wanted = State { text: "select (no cases)", ..PLAIN };
        assert_eq!(state("goroutine 7 [select (no cases)]:"), wanted);
    }

    #[test]
    fn labels_are_read_in_both_forms() {
        for line in [
            r#"goroutine 1 [select, 2 minutes] {job: a/b, "k 2": "v ]}: \"x\""}:"#,
            r#"goroutine 1 [select, 2 minutes labels:{"job": "a/b", "k 2": "v ]}: \"x\""}]:"#,
        ] {
            let mut labels = Vec::new();
            let heading = read(line, &mut labels).expect("a heading");
            assert_eq!((heading.state.text, heading.state.minutes), ("select", Some(2)), "{line}");
            assert!(!heading.is_unknown);
            let wanted = [("job", "a/b"), ("k 2", "v ]}: \"x\"")];
            assert_eq!(labels, wanted.map(|(key, value)| (Cow::from(key), Cow::from(value))));
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for line in [
            "goroutine 1 [select, in a hurry]:",
            "goroutine 1 [select, many minutes]:",
            "goroutine 1 [select] {a: \"b}:",
            "goroutine 1 [select] {a}:",
        ] {
            let heading = read(line, &mut Vec::new()).expect("a heading");
            assert_eq!((heading.state.text, heading.is_unknown), ("select", true), "{line}");
        }
    }

    #[test]
    fn headings_are_told_from_other_lines() {
        assert_eq!(id(b"goroutine 17 [running]:"), Some(17));
        assert_eq!(id(b"goroutine 0 gp=0x1 m=0 mp=0x2 [idle]: "), Some(0));
        for other in [
            "goroutine profile: total 5",
            "goroutine 17 [running]",
            "goroutine 17 [runn",
            "goroutine x [running]:",
            "goroutine 17 is stuck:",
            "goroutine 99999999999999999999 [select]:",
            "goroutine ",
            "",
        ] {
            assert_eq!(id(other.as_bytes()), None, "{other}");
        }
    }
}
