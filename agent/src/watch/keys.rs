//! Keys into actions.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::action::Action;
use super::state::Tab;

/// Lines that PgUp and PgDn move.
const PAGE: isize = 10;

/// The keys and what they do, as the help shows them.
pub(super) const HELP: [(&str, &str); 14] = [
    ("1 to 6", "findings, groups, locks, lineage, memory, probes"),
    ("Tab ← →", "the next tab, the one before (also a click)"),
    ("↑ ↓  k j", "select a row, or scroll its details (also the wheel)"),
    ("PgUp PgDn", "ten lines at a time"),
    ("Home End", "first, last (also g, G)"),
    ("Enter", "open the selected row: cause, source, fix, stack"),
    ("Esc", "close the details; clear the filter"),
    ("s", "sort by the next order"),
    ("/", "filter by function, file, wait, class"),
    ("p", "pause: one sample stays (sampling goes on)"),
    ("n N", "the next target, the one before"),
    ("m", "leave the mouse to the terminal, to select text"),
    ("?", "this help; any key closes it"),
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
        KeyCode::Tab | KeyCode::Right => Action::NextTab,
        KeyCode::BackTab | KeyCode::Left => Action::PreviousTab,
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
        KeyCode::Char('n') => Action::NextTarget,
        KeyCode::Char('N') => Action::PreviousTarget,
        KeyCode::Char('m') => Action::Mouse,
        KeyCode::Char(digit @ '1'..='6') => Action::Tab(Tab::ALL[usize::from(digit as u8 - b'1')]),
        _ => Action::Nothing,
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
    fn digits_are_tabs() {
        let digit = |digit| action(KeyEvent::new(KeyCode::Char(digit), KeyModifiers::NONE), false);
        assert_eq!(digit('1'), Some(Action::Tab(Tab::Findings)));
        assert_eq!(digit('6'), Some(Action::Tab(Tab::Probes)));
        assert_eq!(digit('7'), Some(Action::Nothing));
    }

    #[test]
    fn ctrl_c_ends_even_while_typing() {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(key, true), Some(Action::Quit));
    }
}
