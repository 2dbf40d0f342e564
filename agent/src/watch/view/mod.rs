//! The live view's picture of its state: a header, a bar of tabs, the tab that is shown, a line of
//! keys. Sentences, numbers and names are the report's.

mod curve;
mod details;
mod findings;
mod footer;
mod groups;
mod header;
mod help;
mod lineage;
mod list;
mod locks;
mod memory;
mod paint;
mod probes;
mod tabs;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::state::{State, Tab};
use crate::model::{Assessment, FrameId};
use crate::report::format;
use crate::report::style::Role;
pub(super) use list::RowsArea;
use paint::Paint;
pub(super) use tabs::TabArea;

/// The height from which on the curve has two lines.
const ROOM_FOR_CURVE: u16 = 20;

/// The height of a tab from which on its rows stay in sight above the details of one.
const ROOM_FOR_BOTH: u16 = 28;

/// Where what can be clicked was drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// The tabs.
    pub(super) tabs: Vec<TabArea>,
    /// The rows.
    pub(super) rows: RowsArea,
}

/// Draws the state. What is scrolled beyond its last line is scrolled back.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, colour: bool) -> Hits {
    let paint = Paint { colour };
    let area = frame.area();
    let is_forced =
        state.assessment().is_some_and(|assessment| assessment.coverage.forced.is_some());
    let head = match area.height {
        ROOM_FOR_CURVE.. => 4 + u16::from(is_forced),
        12.. => 3,
        8.. => 2,
        _ => 1,
    };
    let curve = if area.height >= ROOM_FOR_CURVE { 2 } else { 0 };
    let [head, curve, bar, body, foot] = Layout::vertical([
        Constraint::Length(head),
        Constraint::Length(curve),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    match state.assessment() {
        Some(assessment) => {
            let lines = header::lines(state, assessment, paint).into_iter();
            let lines: Vec<_> = lines.map(|line| fit(line, head.width.into())).collect();
            frame.render_widget(Paragraph::new(lines), head);
            curve::draw(frame, curve, assessment, paint);
        }
        None => frame.render_widget(Paragraph::new("waiting for the first sample…"), head),
    }
    let tabs = tabs::draw(state, frame, bar);
    let rows = draw_body(state, frame, body, paint);
    frame.render_widget(fit(footer::line(state, paint), foot.width.into()), foot);
    if state.help {
        help::draw(frame, area, paint);
    }
    Hits { tabs, rows }
}

fn draw_body(state: &mut State, frame: &mut Frame<'_>, area: Rect, paint: Paint) -> RowsArea {
    let Some(assessment) = state.assessment() else { return RowsArea::default() };
    let page = match state.tab {
        Tab::Memory => Some(memory::lines(assessment, area.width.into(), paint)),
        Tab::Probes => Some(probes::lines(assessment, area.width.into(), paint)),
        Tab::Findings | Tab::Groups | Tab::Locks | Tab::Lineage => None,
    };
    if let Some(lines) = page {
        state.scroll = details::draw(frame, area, String::new(), lines, state.scroll);
        return RowsArea::default();
    }
    let opened = state.open.and_then(|scroll| {
        let (title, lines) = details::of_selected(state, assessment, area.width.into(), paint)?;
        Some((scroll, title, lines))
    });
    let Some((scroll, title, lines)) = opened else {
        return draw_rows(state, assessment, frame, area, paint);
    };
    let above = if area.height >= ROOM_FOR_BOTH { area.height / 3 } else { 0 };
    let [above, below] =
        Layout::vertical([Constraint::Length(above), Constraint::Min(1)]).areas(area);
    let rows = match state.tab {
        _ if above.height == 0 => RowsArea::default(),
        Tab::Findings => findings::list(state, assessment, frame, above, paint),
        _ => draw_rows(state, assessment, frame, above, paint),
    };
    state.open = Some(details::draw(frame, below, title, lines, scroll));
    rows
}

fn draw_rows(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    if state.rows.shown.is_empty() && !state.filter.is_empty() && state.unfiltered() > 0 {
        let text = format!("nothing here has \"{}\" in it; Esc clears the filter", state.filter);
        return list::nothing(frame, area, paint, Role::Doubt, text);
    }
    if !assessment.subjects().goroutines && state.tab != Tab::Findings {
        let text = "goroutines are not looked at (--memory-only)".to_owned();
        return list::nothing(frame, area, paint, Role::Dim, text);
    }
    match state.tab {
        Tab::Findings => findings::draw(state, assessment, frame, area, paint),
        Tab::Groups => groups::list(state, assessment, frame, area, paint),
        Tab::Locks => locks::list(state, assessment, frame, area, paint),
        Tab::Lineage => lineage::list(state, assessment, frame, area, paint),
        Tab::Memory | Tab::Probes => RowsArea::default(),
    }
}

/// Columns from which on directories are shown beside a function.
const ROOM_FOR_FOLDERS: usize = 48;

/// A function and its place in this much room: the function gives way before file and line do.
fn place(assessment: &Assessment, frame: FrameId, room: usize) -> String {
    let text = format::frame(&assessment.stacks, frame);
    let place = match room {
        ROOM_FOR_FOLDERS.. => format::fit_place(&text.place, room / 2),
        _ => text.line().into(),
    };
    let left = room.saturating_sub(format::width(&place) + 2);
    format!("{}  {place}", format::fit_function(text.short(), left))
}

/// A line in this much room, with an ellipsis if it is cut.
fn fit(line: Line<'static>, room: usize) -> Line<'static> {
    if line.width() <= room {
        return line;
    }
    let mut left = room;
    let mut fitted = Vec::new();
    for mut span in line.spans {
        let width = span.width();
        // Room for the ellipsis, should more follow.
        if width >= left {
            span.content = format::cut(&format!("{}…", span.content), left).into();
            fitted.push(span);
            break;
        }
        left -= width;
        fitted.push(span);
    }
    fitted.into()
}
