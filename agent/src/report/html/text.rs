//! Text from the target, made fit for a page.

use std::fmt::Write as _;

use maud::{Escaper, Render};

use crate::report::format;

/// Characters of one text that are kept: no real name or line of source is longer.
const LONGEST: usize = 2_000;

/// A text from the target: escaped, without what a page must not hold or what would reorder the
/// text around it, and of bounded length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Render for Text<'_> {
    fn render_to(&self, buffer: &mut String) {
        let mut escaper = Escaper::new(buffer);
        // Writing into a string cannot fail.
        let _ = escaper.write_str(&plain(self.0));
    }
}

/// What [`Text`] shows, before it is escaped.
fn plain(text: &str) -> String {
    format::clean(&format::cut(text, LONGEST)).into_owned()
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    #[test]
    fn markup_quotes_and_control_characters_of_the_target_do_nothing() {
        let hostile = "</script><script>alert(1)</script>\" onload='x' \u{1b}[2J\0\u{202e}&";
        let shown = html! { p title=(Text(hostile)) { (Text(hostile)) } }.into_string();
        let safe = "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload='x' \
                    \u{fffd}[2J\u{fffd}\u{fffd}&amp;";
        assert_eq!(shown, format!("<p title=\"{safe}\">{safe}</p>"));
    }

    #[test]
    fn an_endless_name_ends() {
        let shown = Text(&"é".repeat(1_000_000)).render().into_string();
        assert_eq!(shown.chars().count(), LONGEST);
        assert!(shown.ends_with('…'));
    }
}
