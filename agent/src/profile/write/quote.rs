//! Strings in quotes, in the two ways that Go has.

use std::fmt::Write as _;

/// As `%q` writes them (`strconv.Quote`), in counts.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if is_printed(c) => push_printed(&mut quoted, c),
            _ => escape(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

/// As the runtime writes the labels of a dump: in quotes only where it has to (`runtime/print.go`,
/// `printquoted`; Go 1.26).
pub(super) fn if_needed(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_')) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            ' '..='~' => push_printed(&mut quoted, c),
            // The runtime takes this one for one of 16 bits.
            '\u{7f}' => quoted.push_str("\\u007f"),
            _ => escape(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

fn push_printed(to: &mut String, c: char) {
    if matches!(c, '"' | '\\') {
        to.push('\\');
    }
    to.push(c);
}

fn escape(to: &mut String, c: char) {
    match c {
        '\n' => to.push_str("\\n"),
        '\r' => to.push_str("\\r"),
        '\t' => to.push_str("\\t"),
        c => {
            let number = u32::from(c);
            // Writing to a string cannot fail.
            let _ = match number {
                0..=0x7f => write!(to, "\\x{number:02x}"),
                0x80..=0xffff => write!(to, "\\u{number:04x}"),
                _ => write!(to, "\\U{number:08x}"),
            };
        }
    }
}

/// Whether Go takes a character for one that is seen (`unicode.IsPrint`): of blanks only the space, and
/// nothing that is invisible.
fn is_printed(c: char) -> bool {
    let is_hidden = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..
    );
    c == ' ' || !(c.is_control() || c.is_whitespace() || is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_has_two_ways() {
        for (text, counts, dump) in [
            ("job", r#""job""#, "job"),
            ("a b", r#""a b""#, r#""a b""#),
            ("a/b.c_9", r#""a/b.c_9""#, "a/b.c_9"),
            ("say \"x\\y\"", r#""say \"x\\y\"""#, r#""say \"x\\y\"""#),
            ("cü", "\"cü\"", r#""c\u00fc""#),
            ("\u{1f600}", "\"\u{1f600}\"", r#""\U0001f600""#),
            ("a\n\t\u{1}\u{7}\u{7f}", r#""a\n\t\x01\a\x7f""#, r#""a\n\t\x01\x07\u007f""#),
            ("\u{a0}", r#""\u00a0""#, r#""\u00a0""#),
            ("", r#""""#, ""),
        ] {
            assert_eq!((quoted(text).as_str(), if_needed(text).as_str()), (counts, dump));
        }
    }
}
