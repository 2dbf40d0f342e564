//! Roles as the screen's styles, with colours or what can be said without.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::report::style::{self, Role};

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    pub(super) fn style(self, role: Role) -> Style {
        let (colour, modifier) = match role {
            Role::Title => (None, Modifier::BOLD),
            Role::Number => (Some(Color::Cyan), Modifier::BOLD),
            Role::Wait => (Some(Color::Magenta), Modifier::empty()),
            Role::Place => (Some(Color::Yellow), Modifier::BOLD),
            Role::Warning => (Some(Color::Red), Modifier::empty()),
            Role::Alarm => (Some(Color::Red), Modifier::BOLD),
            Role::Doubt => (Some(Color::Yellow), Modifier::empty()),
            Role::Well => (Some(Color::Green), Modifier::empty()),
            Role::Plain => (None, Modifier::empty()),
            Role::Dim => (None, Modifier::DIM),
        };
        let style = Style::new().add_modifier(modifier);
        match colour.filter(|_| self.colour) {
            Some(colour) => style.fg(colour),
            None => style,
        }
    }

    pub(super) fn span(self, role: Role, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(role))
    }

    /// Lines of a part of the report.
    pub(super) fn lines(self, part: Vec<Vec<style::Span>>) -> Vec<Line<'static>> {
        let line = |spans: Vec<style::Span>| {
            Line::from_iter(spans.into_iter().map(|span| self.span(span.role, span.text)))
        };
        part.into_iter().map(line).collect()
    }
}
