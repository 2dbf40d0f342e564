//! The bar of tabs.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::model::{Assessment, ProbeState};
use crate::report::format;
use crate::watch::state::{State, Tab, findings, locks};

/// Where a tab can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::watch) struct TabArea {
    /// Its part of the screen.
    pub(in crate::watch) area: Rect,
    /// Which.
    pub(in crate::watch) tab: Tab,
}

/// Draws the bar, in the longest form that fits.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) -> Vec<TabArea> {
    let counts = Tab::ALL.map(|tab| state.assessment().and_then(|seen| count(seen, tab)));
    let with_counts = forms(|at, tab| match &counts[at] {
        Some(count) => format!(" {} {} {count} ", at + 1, tab.name()),
        None => format!(" {} {} ", at + 1, tab.name()),
    });
    let with_names = forms(|at, tab| format!(" {} {} ", at + 1, tab.name()));
    let numbers = forms(|at, tab| match tab == state.tab {
        true => format!(" {} {} ", at + 1, tab.name()),
        false => format!(" {} ", at + 1),
    });
    let fits = |form: &Labels| {
        form.iter().map(|text| format::width(text)).sum::<usize>() <= area.width.into()
    };
    let form = [with_counts, with_names].into_iter().find(fits).unwrap_or(numbers);
    let mut left = area.x;
    let mut drawn = Vec::new();
    for (tab, text) in Tab::ALL.into_iter().zip(form) {
        let width = u16::try_from(format::width(&text)).unwrap_or(u16::MAX);
        let at = Rect { x: left, y: area.y, width, height: 1 }.intersection(area);
        left = left.saturating_add(width);
        let style = match tab == state.tab {
            true => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
            false => Style::new(),
        };
        frame.render_widget(Span::styled(text, style), at);
        drawn.push(TabArea { area: at, tab });
    }
    drawn
}

/// What a tab is called, one by one.
type Labels = [String; Tab::ALL.len()];

fn forms(form: impl Fn(usize, Tab) -> String) -> Labels {
    let mut at = 0;
    Tab::ALL.map(|tab| {
        at += 1;
        form(at - 1, tab)
    })
}

/// What a tab has: rows, or probes that are attached.
fn count(assessment: &Assessment, tab: Tab) -> Option<String> {
    if !assessment.subjects().goroutines && tab != Tab::Findings {
        return None;
    }
    let count = match tab {
        Tab::Findings => findings::all(assessment).len(),
        Tab::Groups => assessment.groups.len(),
        Tab::Locks => locks::count(assessment),
        Tab::Lineage | Tab::Memory => return None,
        Tab::Probes => {
            let probes = &assessment.coverage.probes;
            let attached = |state| matches!(state, ProbeState::Attached | ProbeState::Burst);
            let there = probes.iter().filter(|probe| attached(probe.state)).count();
            return Some(format!("{there}/{}", probes.len()));
        }
    };
    Some(format::count(count as u64))
}
