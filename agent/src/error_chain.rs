//! An error and the errors behind it.

use std::error::Error;
use std::iter;

/// An error, then what caused it, and so on to the first cause.
pub fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// The messages of a chain. A transparent wrapper repeats what it wraps: its message is there once.
#[must_use]
pub fn messages(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut messages: Vec<String> = chain(error).map(ToString::to_string).collect();
    messages.dedup();
    messages
}

/// The first cause, in its own words.
#[must_use]
pub fn first_cause(error: &(dyn Error + 'static)) -> String {
    messages(error).pop().unwrap_or_default()
}

/// Bytes of a message that are kept from its beginning, and from its end.
const MAX_HEAD: usize = 200;
const MAX_TAIL: usize = 400;

/// A chain in one line without control characters: the verifier's log ends with many NUL bytes, and of its
/// lines the last ones say why, so that of a long text the middle is left out.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    in_one_line(&messages(error).join(": "))
}

fn in_one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    if text.len() <= MAX_HEAD + MAX_TAIL {
        return text;
    }
    let head = text.floor_char_boundary(MAX_HEAD);
    let tail = text.ceil_char_boundary(text.len() - MAX_TAIL);
    format!("{} ... {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error(transparent)]
    struct Wrapper(#[from] Middle);

    #[derive(Debug, Error)]
    #[error("cannot read the file")]
    struct Middle(#[source] io::Error);

    #[test]
    fn a_transparent_wrapper_repeats_nothing() {
        let error = Wrapper(Middle(io::Error::other("the disk is gone")));
        assert_eq!(messages(&error), ["cannot read the file", "the disk is gone"]);
        assert_eq!(one_line(&error), "cannot read the file: the disk is gone");
        assert!(chain(&error).any(|error| error.is::<io::Error>()));
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_end() {
        assert_eq!(
            in_one_line("Verifier output: 0: R1=ctx()\n1: (95) exit\0\0\0"),
            "Verifier output: 0: R1=ctx() 1: (95) exit"
        );
        let log = format!("refused:\n{}R0 invalid mem access\0\0", "1: r0 = 1\n".repeat(1000));
        let line = in_one_line(&log);
        assert!(line.len() <= 605 && !line.contains(char::is_control), "{line}");
        assert!(line.starts_with("refused: 1: r0") && line.ends_with("R0 invalid mem access"));
    }
}
