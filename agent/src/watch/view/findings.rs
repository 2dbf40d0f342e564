//! The findings, and what a verdict rests on: without findings, what is waited for.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::list::{self, Column, RowsArea};
use super::paint::Paint;
use super::{curve, place};
use crate::model::{Assessment, Finding, Verdict};
use crate::report::style::Role;
use crate::report::terminal::parts;
use crate::report::{format, phrases};
use crate::watch::state::{State, findings};

/// Columns of the curve of a finding's count.
const TREND: usize = 10;

/// Lines below the findings from which on what they rest on is shown.
const ROOM_FOR_BASIS: u16 = 4;

/// Draws the tab.
pub(super) fn draw(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    let all = findings::all(assessment);
    if all.is_empty() {
        frame.render_widget(Paragraph::new(nothing(assessment, area.width, paint)), area);
        return RowsArea::default();
    }
    let wanted = u16::try_from(state.rows.shown.len()).unwrap_or(u16::MAX).saturating_add(1);
    let below = area.height.saturating_sub(wanted);
    let below = if below >= ROOM_FOR_BASIS { below } else { 0 };
    let [rows, basis] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(below)]).areas(area);
    if let Some(judgement) = &assessment.judgement {
        let mut lines = vec![Line::default()];
        let width = basis.width.into();
        lines.extend(paint.lines(parts::rise(assessment, judgement, width)));
        lines.extend(paint.lines(parts::basis(assessment, judgement, width)));
        lines.extend(paint.lines(parts::not_analysed(assessment, judgement, width)));
        frame.render_widget(Paragraph::new(lines), basis);
    }
    list(state, assessment, frame, rows, paint)
}

/// Draws the findings alone.
pub(super) fn list(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    let all = findings::all(assessment);
    // As wide as the widest that there is: so it does not jump, and the line has the rest.
    let widest = |title: &str, of: &dyn Fn(&Finding) -> usize| {
        let widest = all.iter().map(of).chain([format::width(title)]).max();
        widest.and_then(|width| u16::try_from(width).ok()).unwrap_or(0)
    };
    let class = widest("CLASS", &|finding| format::width(finding.class.name()));
    let count = widest("COUNT", &|finding| format::width(&phrases::amount_in_brief(finding)));
    let growing =
        widest("GROWTH", &|finding| phrases::rate(finding).map_or(0, |rate| format::width(&rate)));
    let columns = [
        Column::new("VERDICT", 7, 0),
        Column::new("CLASS", class, 40),
        Column::new("COUNT", count, 0),
        Column::new("GROWTH", growing, 56),
        Column::new("OLDEST", 8, 100),
        Column::new("TREND", TREND as u16, 72),
    ];
    list::draw(frame, area, &state.rows, &columns, "AT", |index, room| {
        all.get(index).map(|finding| row(finding, assessment, room, paint))
    })
}

fn row<'a>(
    finding: &'a Finding,
    assessment: &'a Assessment,
    room: usize,
    paint: Paint,
) -> Vec<Span<'a>> {
    let group = finding.group_in(&assessment.groups);
    let verdict = match finding.verdict {
        Verdict::Proven | Verdict::Likely => Role::Alarm,
        Verdict::Suspect => Role::Doubt,
    };
    let grows = finding.growth.is_some_and(|growth| format::is_growth(growth.per_second));
    let at = phrases::lead(finding, group);
    vec![
        paint.span(verdict, finding.verdict.name().to_uppercase()),
        paint.span(Role::Wait, finding.class.name()),
        paint.span(Role::Number, phrases::amount_in_brief(finding)),
        paint.span(
            if grows { Role::Warning } else { Role::Plain },
            phrases::rate(finding).unwrap_or_default(),
        ),
        paint.span(Role::Plain, phrases::oldest(finding, group).unwrap_or_default()),
        paint.span(Role::Number, curve::text(&finding.history, TREND)),
        Span::from(match at {
            Some(frame) => place(assessment, frame, room),
            None if finding.goroutines().is_some() => String::new(),
            None => format::cut(&format::clean(&phrases::about(finding)), room),
        }),
    ]
}

/// Never an all-clear: for how long the process was watched, what that is too little for, and where
/// all goroutines went.
fn nothing(assessment: &Assessment, width: u16, paint: Paint) -> Vec<Line<'static>> {
    let width = width.into();
    let Some(judgement) = &assessment.judgement else { return Vec::new() };
    let result = phrases::result(assessment, judgement);
    let scope = format!("scope: {}", phrases::scope(assessment));
    let parts = [
        parts::sentence(Role::Title, &format!("so far: {result}"), width),
        parts::not_analysed(assessment, judgement, width),
        parts::rise(assessment, judgement, width),
        parts::basis(assessment, judgement, width),
        parts::memory(assessment, width),
        parts::resources(assessment, width),
        parts::sentence(Role::Dim, &scope, width),
    ];
    let mut lines = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        lines.push(Line::default());
        lines.extend(paint.lines(part));
    }
    lines
}
