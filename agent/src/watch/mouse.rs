//! The mouse into actions.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::action::Action;
use super::view::Hits;

/// What a click or a turn of the wheel means, by where things were drawn.
pub(super) fn action(mouse: MouseEvent, hits: &Hits) -> Option<Action> {
    match mouse.kind {
        MouseEventKind::ScrollUp => Some(Action::Wheel(-1)),
        MouseEventKind::ScrollDown => Some(Action::Wheel(1)),
        MouseEventKind::Down(MouseButton::Left) => {
            let at = Position::new(mouse.column, mouse.row);
            if let Some(hit) = hits.tabs.iter().find(|hit| hit.area.contains(at)) {
                return Some(Action::Tab(hit.tab));
            }
            let rows = hits.rows;
            let below = usize::from(mouse.row.saturating_sub(rows.area.y));
            let is_hit = rows.area.contains(at) && below < rows.count;
            is_hit.then_some(Action::Select(rows.first + below))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;
    use ratatui::layout::Rect;

    use super::*;
    use crate::watch::state::Tab;
    use crate::watch::view::{RowsArea, TabArea};

    fn at(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
        MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
    }

    #[test]
    fn clicks_hit_what_was_drawn_there() {
        let hits = Hits {
            tabs: vec![TabArea { area: Rect::new(10, 6, 8, 1), tab: Tab::Groups }],
            rows: RowsArea { area: Rect::new(0, 8, 80, 3), first: 5, count: 3 },
        };
        let click =
            |column, row| action(at(MouseEventKind::Down(MouseButton::Left), column, row), &hits);
        assert_eq!(click(10, 6), Some(Action::Tab(Tab::Groups)));
        assert_eq!(click(18, 6), None);
        assert_eq!(click(3, 8), Some(Action::Select(5)));
        assert_eq!(click(79, 10), Some(Action::Select(7)));
        assert_eq!(click(3, 11), None);
        assert_eq!(action(at(MouseEventKind::Moved, 10, 6), &hits), None);
        assert_eq!(action(at(MouseEventKind::ScrollUp, 0, 0), &hits), Some(Action::Wheel(-1)));
    }
}
