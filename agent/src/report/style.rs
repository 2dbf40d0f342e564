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
        let code = match role {
            Role::Title => "1",
            Role::Number => "1;36",
            Role::Wait => "35",
            Role::Place => "1;33",
            Role::Warning => "31",
            Role::Alarm => "1;31",
            Role::Doubt => "33",
            Role::Well => "32",
            Role::Plain => return text.to_owned(),
            Role::Dim => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
