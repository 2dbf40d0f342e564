//! Keys into actions.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::state::Action;

/// Lines that PgUp and PgDn move.
const PAGE: isize = 10;

/// The keys and what they do, as the help shows them.
pub(super) const HELP: [(&str, &str); 10] = [
    ("↑ ↓  k j", "select a group, or scroll its stack"),
    ("PgUp PgDn", "ten lines at a time"),
    ("Home End", "first, last (also g, G)"),
    ("Enter", "show or hide the stack and the creation site"),
    ("s", "sort by count, growth, oldest wait"),
    ("/", "filter by function, file, wait; Esc clears"),
    ("p", "pause the view (observation goes on)"),
    ("Tab", "next target"),
    ("?", "this help"),
    ("q  Ctrl-C", "end, and print the report"),
];

/// What a key means; in a filter that is being typed, letters mean themselves.
pub(super) fn action(key: KeyEvent, typing: bool) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd') => Some(Action::Quit),
            KeyCode::Char('u') => Some(Action::Back),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Esc => Action::Back,
        KeyCode::Enter => Action::Enter,
        KeyCode::Up => Action::Move(-1),
        KeyCode::Down => Action::Move(1),
        KeyCode::PageUp => Action::Move(-PAGE),
        KeyCode::PageDown => Action::Move(PAGE),
        KeyCode::Home => Action::First,
        KeyCode::End => Action::Last,
        KeyCode::Backspace => Action::Erase,
        KeyCode::Char(letter) if typing => Action::Type(letter),
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char('k') => Action::Move(-1),
        KeyCode::Char('j') => Action::Move(1),
        KeyCode::Char('g') => Action::First,
        KeyCode::Char('G') => Action::Last,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('p' | ' ') => Action::Pause,
        KeyCode::Char('?' | 'h') => Action::Help,
        KeyCode::Tab => Action::NextTarget,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_commands_unless_a_filter_is_typed() {
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(q, false), Some(Action::Quit));
        assert_eq!(action(q, true), Some(Action::Type('q')));
    }

    #[test]
    fn ctrl_c_ends_even_while_typing() {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(key, true), Some(Action::Quit));
    }
}
