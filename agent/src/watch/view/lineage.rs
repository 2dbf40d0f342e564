//! Who created whom: each group below the group that created it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::list::{self, Column, RowsArea};
use super::paint::Paint;
use super::place;
use crate::model::Assessment;
use crate::report::format;
use crate::report::style::Role;
use crate::watch::state::State;

const COLUMNS: [Column; 4] = [
    Column::new("COUNT", 10, 0),
    Column::new("GROWTH", 10, 60),
    Column::new("CREATED", 10, 90),
    Column::new("WAIT", 12, 50),
];

/// Groups deeper than this are not indented further.
const DEEPEST: usize = 12;

/// Draws the rows.
pub(super) fn list(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    if state.tree.is_empty() {
        let text = "of no goroutine in this sample is it known who created it";
        return list::nothing(frame, area, paint, Role::Dim, text);
    }
    list::draw(frame, area, &state.rows, &COLUMNS, "GROUP", |index, room| {
        let branch = state.tree.get(index)?;
        let group = assessment.groups.get(branch.group)?;
        let indent = match branch.depth.min(DEEPEST) {
            0 => String::new(),
            depth => format!("{:width$}└ ", "", width = 2 * (depth - 1)),
        };
        let room = room.saturating_sub(format::width(&indent));
        let at = group.blocked_at.or(group.created_by);
        let at = at.map_or_else(|| "the runtime".to_owned(), |at| place(assessment, at, room));
        let births = assessment.births(group).map_or_else(String::new, format::rate);
        Some(vec![
            paint.span(Role::Number, format::count(group.count)),
            list::growth(group, paint),
            Span::from(births),
            paint.span(Role::Wait, group.wait.name()),
            Span::from(format!("{indent}{at}")),
        ])
    })
}
