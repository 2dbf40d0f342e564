//! All goroutines, by group.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::list::{self, Column, RowsArea};
use super::paint::Paint;
use super::place;
use crate::model::{Assessment, Finding, Group};
use crate::report::format;
use crate::report::phrases::{self, Line as FindingLine};
use crate::report::style::Role;
use crate::watch::state::{State, findings};

const COLUMNS: [Column; 5] = [
    Column::new("COUNT", 10, 0),
    Column::new("CHANGE", 8, 90),
    Column::new("GROWTH", 10, 50),
    Column::new("OLDEST", 8, 70),
    Column::new("WAIT", 12, 40),
];

/// Draws the rows.
pub(super) fn list(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    list::draw(frame, area, &state.rows, &COLUMNS, "AT", |index, room| {
        let group = assessment.groups.get(index)?;
        Some(row(group, finding(assessment, index), assessment, room, paint))
    })
}

/// The finding that a group is part of.
fn finding(assessment: &Assessment, group: usize) -> Option<&Finding> {
    findings::all(assessment).iter().find(|finding| finding.groups().contains(&group))
}

fn row<'a>(
    group: &'a Group,
    finding: Option<&Finding>,
    assessment: &Assessment,
    room: usize,
    paint: Paint,
) -> Vec<Span<'a>> {
    let change =
        group.previous.map_or_else(String::new, |previous| match group.count.abs_diff(previous) {
            0 => String::new(),
            by if group.count > previous => format!("+{}", format::count(by)),
            by => format!("-{}", format::count(by)),
        });
    let lines = phrases::lines(finding, Some(group), &assessment.stacks);
    let at = lines.first().map_or_else(
        || group.no_stack.map_or("in the runtime", phrases::no_stack).to_owned(),
        |&(line, frame)| {
            let lead = if line == FindingLine::Created { "by " } else { "" };
            let room = room.saturating_sub(format::width(lead));
            format!("{lead}{}", place(assessment, frame, room))
        },
    );
    vec![
        paint.span(Role::Number, format::count(group.count)),
        Span::from(change),
        list::growth(group, paint),
        Span::from(group.oldest.map_or_else(|| "-".to_owned(), format::duration)),
        paint.span(Role::Wait, group.wait.name()),
        Span::from(at),
    ]
}
