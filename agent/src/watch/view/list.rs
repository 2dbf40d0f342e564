//! Rows in columns, of which only those in sight are made: there may be 100,000.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use super::paint::Paint;
use crate::model::Group;
use crate::report::format;
use crate::report::style::Role;
use crate::watch::state::Rows;

/// A column before the last, which takes the rest of the width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: u16,
    /// The width of the screen from which on it is shown.
    pub(super) from: u16,
}

impl Column {
    pub(super) const fn new(title: &'static str, width: u16, from: u16) -> Self {
        Self { title, width, from }
    }
}

/// Where rows were drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::watch) struct RowsArea {
    /// Their part of the screen, without the titles.
    pub(in crate::watch) area: Rect,
    /// The first of them, by its place in the list.
    pub(in crate::watch) first: usize,
    /// How many.
    pub(in crate::watch) count: usize,
}

/// Draws a sentence in place of rows.
pub(super) fn nothing(
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
    role: Role,
    text: impl Into<String>,
) -> RowsArea {
    frame.render_widget(Paragraph::new(Line::from(paint.span(role, text))), area);
    RowsArea::default()
}

/// A group's growth.
pub(super) fn growth(group: &Group, paint: Paint) -> Span<'static> {
    let grows = group.growth_per_second.is_some_and(format::is_growth);
    let text = group.growth_per_second.map_or_else(String::new, format::growth);
    paint.span(if grows { Role::Alarm } else { Role::Plain }, text)
}

/// Draws rows. `make` gives a row's cells, all columns' and the last, which has this much room.
pub(super) fn draw<'a>(
    frame: &mut Frame<'_>,
    area: Rect,
    rows: &Rows,
    columns: &[Column],
    last: &'static str,
    make: impl Fn(usize, usize) -> Option<Vec<Span<'a>>>,
) -> RowsArea {
    let visible = usize::from(area.height).saturating_sub(1);
    let first = rows.selected.saturating_sub(visible.saturating_sub(1));
    let is_shown = |column: &Column| area.width >= column.from;
    let shown = || columns.iter().filter(|column| is_shown(column));
    let fixed: u16 = shown().map(|column| column.width + 1).sum();
    let room = usize::from(area.width.saturating_sub(fixed));
    let indices = rows.shown.iter().skip(first).take(visible);
    let made: Vec<Row<'_>> = indices
        .filter_map(|&index| make(index, room))
        .map(|cells| {
            let is_cell_shown = |at: usize| columns.get(at).is_none_or(is_shown);
            let cells = cells.into_iter().enumerate().filter(|&(at, _)| is_cell_shown(at));
            Row::new(cells.map(|(_, cell)| Cell::new(cell)))
        })
        .collect();
    let count = made.len();
    let widths = shown().map(|column| Constraint::Length(column.width));
    let titles = shown().map(|column| column.title).chain([last]);
    let table = Table::new(made, widths.chain([Constraint::Min(1)]))
        .header(Row::new(titles).style(Style::new().add_modifier(Modifier::BOLD)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(Some(rows.selected - first));
    frame.render_stateful_widget(table, area, &mut at);
    let below = Rect { y: area.y.saturating_add(1), height: count as u16, ..area };
    RowsArea { area: below.intersection(area), first, count }
}
