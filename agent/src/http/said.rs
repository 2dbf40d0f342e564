//! What a server says when it gives no profile, in a line.

/// Bytes of it that are looked at.
pub(super) const LOOKED_AT: usize = 4096;

/// Characters that are shown.
const MAX_SHOWN: usize = 160;

/// What a text says: the title of an HTML page, or else its first line. `None` where it says nothing.
pub(super) fn line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&text[..text.len().min(LOOKED_AT)]);
    if !is_html(&text) {
        return text
            .lines()
            .map(shown)
            .find(|line| !line.is_empty())
            .map(|line| format!("{line:?}"));
    }
    // Lower case has the same length for ASCII alone, which is all that is looked for.
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(shown(&text[start..end])).filter(|title| !title.is_empty())
    });
    Some(
        title.map_or_else(|| "an HTML page".to_owned(), |title| format!("an HTML page, {title:?}")),
    )
}

/// Whether a text begins as an HTML page does.
fn is_html(text: &str) -> bool {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).as_bytes();
    let begins = |with: &str| {
        start.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body")
}

/// One line, without what could change a terminal.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let words: String = text.chars().map(plain).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}...", &words[..at]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_or_the_title_is_told() {
        let said = |text: &str| line(text.as_bytes());
        assert_eq!(said(" \n\t404 page not found\nmore"), Some("\"404 page not found\"".into()));
        assert_eq!(said(" \n "), None);
        let page = "<!DOCTYPE html>\n<html><head><TITLE>\nSign\tin </title></head>";
        assert_eq!(said(page), Some("an HTML page, \"Sign in\"".into()));
        assert_eq!(said("<html><body>x"), Some("an HTML page".into()));
        assert_eq!(said("<html><title>x"), Some("an HTML page".into()));
        let long = said(&"x".repeat(9000)).expect("something");
        assert!(long.len() < 200 && long.ends_with("...\""), "{long}");
        let hostile = line(b"\x1b[2J\xff go away").expect("something");
        assert!(!hostile.contains('\x1b') && hostile.contains("go away"), "{hostile}");
    }
}
