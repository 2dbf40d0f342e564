//! Colours by role, or none.

/// What a piece of text is, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A section's or the program's name.
    Title,
    /// A number that matters.
    Number,
    /// A wait class.
    Wait,
    /// The line to look at.
    Place,
    /// Something that grows, or a gap in what was seen.
    Warning,
    /// A finding that is proven or likely.
    Alarm,
    /// A finding that is only suspected.
    Doubt,
    /// Nothing was found, or something is well.
    Well,
    /// A sentence.
    Plain,
    /// What can be skipped in reading.
    Dim,
}

impl Role {
    const ALL: [Self; 10] = [
        Self::Title,
        Self::Number,
        Self::Wait,
        Self::Place,
        Self::Warning,
        Self::Alarm,
        Self::Doubt,
        Self::Well,
        Self::Plain,
        Self::Dim,
    ];

    /// The parameters of the escape sequence (SGR) that it is painted with; `None` for plain text.
    const fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Title => "1",
            Self::Number => "1;36",
            Self::Wait => "35",
            Self::Place => "1;33",
            Self::Warning => "31",
            Self::Alarm => "1;31",
            Self::Doubt => "33",
            Self::Well => "32",
            Self::Plain => return None,
            Self::Dim => "2",
        })
    }
}

/// A piece of text in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub role: Role,
    /// Its text, without escape sequences.
    pub text: String,
}

/// Whether to paint at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be written.
    pub colour: bool,
}

impl Style {
    /// The text in its role's colour.
    #[must_use]
    pub fn paint(self, role: Role, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let Some(code) = role.code() else { return text.to_owned() };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Painted text taken apart again: its lines, each in pieces of one role. The inverse of
/// [`Style::paint`], for a screen that has colours of its own.
#[must_use]
pub fn spans(painted: &str) -> Vec<Vec<Span>> {
    painted.lines().map(line_spans).collect()
}

fn line_spans(line: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut role = Role::Plain;
    for (index, piece) in line.split('\x1b').enumerate() {
        // All but the first begin with a sequence.
        let sequence = piece.strip_prefix('[').filter(|_| index > 0);
        let text = match sequence.and_then(|rest| rest.split_once('m')) {
            Some((code, text)) => {
                let painted = |role: &Role| role.code() == Some(code);
                role = Role::ALL.into_iter().find(painted).unwrap_or(Role::Plain);
                text
            }
            None => piece,
        };
        if !text.is_empty() {
            spans.push(Span { role, text: text.to_owned() });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_text_gives_back_its_roles() {
        let style = Style { colour: true };
        for role in Role::ALL {
            let painted =
                format!("a {} b\n{}", style.paint(role, "[1mtext"), style.paint(role, "c"));
            let span = |role, text: &str| Span { role, text: text.to_owned() };
            if role == Role::Plain {
                let lines = [[span(role, "a [1mtext b")], [span(role, "c")]];
                assert_eq!(spans(&painted), lines);
                continue;
            }
            let first =
                vec![span(Role::Plain, "a "), span(role, "[1mtext"), span(Role::Plain, " b")];
            assert_eq!(spans(&painted), [first, vec![span(role, "c")]], "{role:?}");
        }
    }
}
