//! Quoted strings, as Go (`strconv.Quote`, the runtime's `printquoted`) and JSON write them.

use std::borrow::Cow;

use memchr::memchr2;

/// Reads a string from behind its opening quote. Gives its text, and what comes behind its closing quote;
/// `None` where it is never closed. What is no UTF-8 once its escapes are read is replaced.
pub(super) fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = text.as_bytes();
    let plain = memchr2(b'"', b'\\', bytes)?;
    if bytes.get(plain) == Some(&b'"') {
        return Some((Cow::Borrowed(text.get(..plain)?), text.get(plain + 1..)?));
    }
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        let at = memchr2(b'"', b'\\', rest)?;
        let (plain, special) = rest.split_at_checked(at)?;
        out.extend_from_slice(plain);
        let (&first, behind) = special.split_first()?;
        if first == b'"' {
            let value = String::from_utf8(out)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            return Some((Cow::Owned(value), text.get(text.len() - behind.len()..)?));
        }
        rest = escape(behind, &mut out);
    }
}

/// Appends what an escape means, from behind its backslash, and gives what comes behind it. What is no
/// escape stays as it stands.
pub(super) fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((&letter, behind)) = rest.split_first() else {
        out.push(b'\\');
        return rest;
    };
    let simple = match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'"' | b'\\' | b'/' | b'\'' => letter,
        b'x' => {
            if let Some((value, behind)) = hex(behind, 2) {
                out.push(value.to_le_bytes()[0]);
                return behind;
            }
            out.extend_from_slice(b"\\x");
            return behind;
        }
        b'u' | b'U' => {
            let digits = if letter == b'u' { 4 } else { 8 };
            if let Some((value, behind)) = hex(behind, digits) {
                let (value, behind) = pair(value, behind).unwrap_or((value, behind));
                let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return behind;
            }
            out.extend_from_slice(&[b'\\', letter]);
            return behind;
        }
        _ => {
            out.push(b'\\');
            return rest;
        }
    };
    out.push(simple);
    behind
}

/// The character that two halves make, the second in an escape of its own, as JSON writes what lies
/// beyond 16 bits.
fn pair(first: u32, behind: &[u8]) -> Option<(u32, &[u8])> {
    if !(0xd800..0xdc00).contains(&first) {
        return None;
    }
    let (second, behind) = hex(behind.strip_prefix(b"\\u")?, 4)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((0x10000 + ((first - 0xd800) << 10) + low, behind))
}

fn hex(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (digits, behind) = text.split_at_checked(digits)?;
    let mut value = 0;
    for &digit in digits {
        value = value << 4 | char::from(digit).to_digit(16)?;
    }
    Some((value, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_with_every_escape() {
        for (quoted, text, behind) in [
            (r#"plain" rest"#, "plain", " rest"),
            (r#"""#, "", ""),
            (r#"a \"b\" \\ \n\t\r": x"#, "a \"b\" \\ \n\t\r", ": x"),
            (r#"\u00e9\U0001f600\x41""#, "é😀A", ""),
            (r#"\ud83d\ude00 \ud83d""#, "😀 \u{fffd}", ""),
            (r#"\xff""#, "\u{fffd}", ""),
            (r#"\q \u12 \x""#, "\\q \\u12 \\x", ""),
        ] {
            assert_eq!(unquote(quoted), Some((Cow::from(text), behind)), "{quoted}");
        }
        assert_eq!(unquote("never closed"), None);
        assert_eq!(unquote(r"ends in an escape \"), None);
        assert_eq!(unquote(r#"ends in a quote \""#), None);
    }
}
