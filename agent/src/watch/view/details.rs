//! Everything known of the selected row, and tabs that are lines: both scroll.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::paint::Paint;
use super::{curve, locks};
use crate::model::{Assessment, Finding};
use crate::report::format;
use crate::report::style::Role;
use crate::report::terminal::parts;
use crate::watch::state::{State, Tab, findings};

/// Columns of the curve of a finding's count.
const TREND: usize = 40;

/// The lines of the selected row and their title; `None` where nothing is selected.
pub(super) fn of_selected(
    state: &State,
    assessment: &Assessment,
    width: usize,
    paint: Paint,
) -> Option<(String, Vec<Line<'static>>)> {
    let row = state.rows.current()?;
    let place = format!("{} of {}", state.rows.selected + 1, state.rows.shown.len());
    let (what, lines) = match state.tab {
        Tab::Findings => {
            let mut lines = paint.lines(parts::finding(assessment, row, width));
            if let Some(finding) = findings::all(assessment).get(row) {
                let below_headline = lines.len().min(1);
                lines.splice(below_headline..below_headline, trend(finding, paint));
            }
            ("finding", lines)
        }
        Tab::Groups => ("group", paint.lines(parts::group(assessment, row, width))),
        Tab::Locks => ("lock", paint.lines(locks::details(assessment, row, width))),
        Tab::Lineage => {
            let group = state.tree.get(row)?.group;
            ("group", paint.lines(parts::group(assessment, group, width)))
        }
        Tab::Memory | Tab::Probes => return None,
    };
    Some((format!(" {what} {place} "), lines))
}

/// How a finding's count went, drawn; `None` where nobody kept it.
fn trend(finding: &Finding, paint: Paint) -> Option<Line<'static>> {
    let (_, from) = *finding.history.first()?;
    let (_, to) = *finding.history.last()?;
    Some(Line::from(vec![
        paint.span(Role::Dim, "    trend      "),
        paint.span(Role::Number, curve::text(&finding.history, TREND)),
        paint.span(Role::Dim, format!("  {} to {}", format::count(from), format::count(to))),
    ]))
}

/// Draws lines under a title and gives back by how many they are scrolled, now bounded.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    title: String,
    lines: Vec<Line<'static>>,
    scroll: usize,
) -> usize {
    let above = u16::from(!title.is_empty());
    let room = usize::from(area.height.saturating_sub(above));
    let scroll = scroll.min(lines.len().saturating_sub(room));
    let more = lines.len().saturating_sub(scroll + room);
    let shown: Vec<_> = lines.into_iter().skip(scroll).take(room).collect();
    let mut block = Block::new();
    if above > 0 {
        block = block.borders(Borders::TOP).title(title);
        if more > 0 {
            let more = format!(" {} below ", format::counted(more as u64, "line", "lines"));
            block = block.title(Line::from(more).right_aligned());
        }
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(shown).block(block), area);
    scroll
}
