//! The last line: a filter being typed, or what is shown and the keys.

use ratatui::style::{Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};

use super::paint::Paint;
use crate::report::format;
use crate::report::style::Role;
use crate::watch::state::{State, Tab, Target};

pub(super) fn line(state: &State, paint: Paint) -> Line<'static> {
    if state.typing {
        return Line::from(format!("/{}█  Enter keeps, Esc clears", state.filter));
    }
    let mut parts = Vec::new();
    if state.paused {
        let style = paint.style(Role::Alarm).patch(Style::new().add_modifier(Modifier::REVERSED));
        parts.push(Span::styled(paused(state), style));
        parts.push("  ".into());
    }
    if !state.filter.is_empty() && !state.tab.is_page() {
        let (shown, of) = (state.rows.shown.len() as u64, state.unfiltered() as u64);
        let [shown, of] = [shown, of].map(format::count);
        parts.push(paint.span(Role::Doubt, format!("/{}: {shown} of {of}  ", state.filter)));
    }
    if let Some(order) = state.order() {
        parts.push(format!("{}  ", order.name()).into());
    }
    if state.paused {
        parts.push("p resumes  ? help  q quit".dim());
        return parts.into();
    }
    let keys = match (state.open, state.tab) {
        (Some(_), _) => "Esc closes  ↑↓ scroll",
        (None, Tab::Findings | Tab::Groups) => "Enter opens  s sort  / filter",
        (None, Tab::Locks | Tab::Lineage) => "Enter opens  / filter",
        (None, Tab::Memory | Tab::Probes) => "↑↓ scroll",
    };
    parts.push(format!("{keys}  p pause  ? help  q quit").dim());
    parts.into()
}

/// Which sample is shown, and how many are newer.
fn paused(state: &State) -> String {
    let Some(target) = state.targets.current() else { return " PAUSED ".to_owned() };
    let sample = format::count(target.shown.assessment.window.observations);
    match Target::behind(target) {
        Some(0) => format!(" PAUSED at sample {sample} "),
        Some(newer) => format!(" PAUSED at sample {sample}, {} newer ", format::count(newer)),
        None => format!(" PAUSED at sample {sample} of the program before "),
    }
}
