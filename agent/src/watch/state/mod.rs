//! What the live view shows: which target, which tab, which rows in which order, what is selected
//! and open. No terminal in here.

pub mod findings;
mod groups;
mod lineage;
pub mod locks;
mod order;
mod rows;
mod tab;
mod targets;

#[cfg(test)]
mod tests;

pub use order::Order;
pub use rows::Rows;
pub use tab::Tab;
pub use targets::{Target, Targets};

use std::borrow::Cow;

use super::action::Action;
use crate::model::{Assessment, FrameId, Update};
use crate::report::format;
use crate::report::phrases::Branch;

/// Lines of details that a notch of the wheel scrolls.
const NOTCH: isize = 3;

/// The state of the live view.
#[derive(Debug)]
pub struct State {
    /// The targets.
    pub targets: Targets,
    /// The tab that is shown.
    pub tab: Tab,
    /// The rows of that tab.
    pub rows: Rows,
    /// The groups of the tab of who created whom, which its rows are places in.
    pub tree: Vec<Branch>,
    /// By how many lines the details of the selected row are scrolled; `None` while they are closed.
    pub open: Option<usize>,
    /// By how many lines the tab without rows is scrolled.
    pub scroll: usize,
    /// The order of the findings.
    finding_order: Order,
    /// The order of the groups.
    group_order: Order,
    /// Only rows with this text are shown.
    pub filter: String,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// Whether the keys are shown.
    pub help: bool,
    /// Whether what is shown stands still.
    pub paused: bool,
    /// Whether the mouse is ours, rather than the terminal's.
    pub mouse: bool,
    /// Whether the view is to end.
    pub quit: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            targets: Targets::default(),
            tab: Tab::default(),
            rows: Rows::default(),
            tree: Vec::new(),
            open: None,
            scroll: 0,
            finding_order: Order::Worst,
            group_order: Order::Count,
            filter: String::new(),
            typing: false,
            help: false,
            paused: false,
            mouse: true,
            quit: false,
        }
    }
}

impl State {
    /// Takes in one more sample.
    pub fn event(&mut self, event: Update) {
        let selected = self.selected_key();
        self.targets.take(event, self.paused);
        self.arrange(selected.as_deref());
    }

    /// What is known of the current target; `None` before the first sample.
    #[must_use]
    pub fn assessment(&self) -> Option<&Assessment> {
        self.targets.assessment()
    }

    /// The order of the rows; `None` where they have but one.
    #[must_use]
    pub const fn order(&self) -> Option<Order> {
        match self.tab {
            Tab::Findings => Some(self.finding_order),
            Tab::Groups => Some(self.group_order),
            Tab::Locks | Tab::Lineage | Tab::Memory | Tab::Probes => None,
        }
    }

    /// How many rows the tab would have without a filter.
    #[must_use]
    pub fn unfiltered(&self) -> usize {
        let Some(assessment) = self.assessment() else { return 0 };
        match self.tab {
            Tab::Findings => findings::all(assessment).len(),
            Tab::Groups => assessment.groups.len(),
            Tab::Locks => locks::count(assessment),
            Tab::Lineage => self.tree.len(),
            Tab::Memory | Tab::Probes => 0,
        }
    }

    /// Does what was asked for.
    pub fn act(&mut self, action: Action) {
        if self.typing {
            return self.edit(action);
        }
        // Whatever is pressed closes the help, and does nothing else.
        if std::mem::take(&mut self.help) && action != Action::Quit {
            return;
        }
        match action {
            Action::Quit => self.quit = true,
            Action::Help => self.help = true,
            Action::Back => self.back(),
            Action::Move(by) => self.step(by),
            Action::Wheel(by) if self.is_scrolled() => self.step(by * NOTCH),
            Action::Wheel(by) => self.step(by),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Select(row) => self.select(row),
            Action::Enter => {
                self.open = match self.open {
                    None => self.rows.current().map(|_| 0),
                    Some(_) => None,
                };
            }
            Action::Sort => self.sort(),
            Action::Filter => {
                self.open = None;
                self.typing = !self.tab.is_page();
            }
            Action::Pause => self.pause(),
            Action::Tab(tab) => self.show(tab),
            Action::NextTab => self.show(self.tab.turn(1)),
            Action::PreviousTab => self.show(self.tab.turn(-1)),
            Action::NextTarget => self.turn_target(1),
            Action::PreviousTarget => self.turn_target(-1),
            Action::Mouse => self.mouse = !self.mouse,
            Action::Type(_) | Action::Erase | Action::Nothing => {}
        }
    }

    fn edit(&mut self, action: Action) {
        let mut filter = self.filter.clone();
        match action {
            Action::Type(letter) => filter.push(letter),
            Action::Erase => {
                filter.pop();
            }
            Action::Back => {
                self.typing = false;
                filter.clear();
            }
            Action::Enter => self.typing = false,
            Action::Nothing => {}
            other => {
                self.typing = false;
                return self.act(other);
            }
        }
        self.set_filter(filter);
    }

    fn back(&mut self) {
        if self.open.take().is_none() {
            self.set_filter(String::new());
        }
    }

    /// Whether lines move, and no selection.
    const fn is_scrolled(&self) -> bool {
        self.open.is_some() || self.tab.is_page()
    }

    /// The view bounds what is scrolled, by how many lines there are.
    fn step(&mut self, by: isize) {
        match (&mut self.open, self.tab) {
            (Some(scroll), _) => *scroll = scroll.saturating_add_signed(by),
            (None, tab) if tab.is_page() => self.scroll = self.scroll.saturating_add_signed(by),
            (None, _) => self.rows.step(by),
        }
    }

    fn select(&mut self, row: usize) {
        if row >= self.rows.shown.len() {
            return;
        }
        if self.rows.selected == row {
            self.act(Action::Enter);
        } else {
            self.rows.selected = row;
            self.open = self.open.map(|_| 0);
        }
    }

    fn sort(&mut self) {
        let selected = self.selected_key();
        match self.tab {
            Tab::Findings => self.finding_order = self.finding_order.next(&findings::ORDERS),
            Tab::Groups => self.group_order = self.group_order.next(&groups::ORDERS),
            Tab::Locks | Tab::Lineage | Tab::Memory | Tab::Probes => {}
        }
        self.arrange(selected.as_deref());
    }

    fn pause(&mut self) {
        self.paused = !self.paused;
        if !self.paused {
            let selected = self.selected_key();
            self.targets.show_newest();
            self.arrange(selected.as_deref());
        }
    }

    fn show(&mut self, tab: Tab) {
        if self.tab != tab {
            self.tab = tab;
            self.start_over();
        }
    }

    fn turn_target(&mut self, by: isize) {
        if self.targets.turn(by) {
            self.start_over();
        }
    }

    /// Of other rows than before, the first is selected, and none is open.
    fn start_over(&mut self) {
        (self.open, self.scroll, self.rows) = (None, 0, Rows::default());
        self.arrange(None);
    }

    fn set_filter(&mut self, filter: String) {
        let selected = self.selected_key();
        self.filter = filter;
        self.arrange(selected.as_deref());
    }

    /// What tells the selected row from others, in every sample.
    fn selected_key(&self) -> Option<String> {
        let key = key(self.assessment()?, self.tab, &self.tree, self.rows.current()?);
        key.map(Cow::into_owned)
    }

    /// Makes the rows anew. The selection stays on its row; where that is no more, its details are
    /// closed rather than replaced by another's.
    fn arrange(&mut self, selected: Option<&str>) {
        let Some(assessment) = self.targets.assessment() else { return };
        let filter = self.filter.to_lowercase();
        self.tree = match self.tab {
            Tab::Lineage => lineage::tree(assessment),
            _ => Vec::new(),
        };
        let shown = match self.tab {
            Tab::Findings => findings::rows(assessment, self.finding_order, &filter),
            Tab::Groups => groups::rows(assessment, self.group_order, &filter),
            Tab::Locks => locks::rows(assessment, &filter),
            Tab::Lineage => lineage::rows(assessment, &self.tree, &filter),
            Tab::Memory | Tab::Probes => Vec::new(),
        };
        let (tab, tree) = (self.tab, &self.tree);
        let is_there = self.rows.arrange(shown, |row| {
            selected.is_some() && key(assessment, tab, tree, row).as_deref() == selected
        });
        if !is_there {
            self.open = None;
        }
    }
}

fn key<'a>(
    assessment: &'a Assessment,
    tab: Tab,
    tree: &[Branch],
    row: usize,
) -> Option<Cow<'a, str>> {
    match tab {
        Tab::Findings => findings::key(assessment, row).map(Cow::Borrowed),
        Tab::Groups => groups::key(assessment, row).map(Cow::Borrowed),
        Tab::Locks => locks::key(assessment, row).map(Cow::Owned),
        Tab::Lineage => groups::key(assessment, tree.get(row)?.group).map(Cow::Borrowed),
        Tab::Memory | Tab::Probes => None,
    }
}

/// Whether a text has the filter, which is in small letters, in it.
fn has(text: &str, filter: &str) -> bool {
    filter.is_empty() || text.to_lowercase().contains(filter)
}

fn place_has(assessment: &Assessment, frame: FrameId, filter: &str) -> bool {
    let text = format::frame(&assessment.stacks, frame);
    has(&text.function, filter) || has(&text.place, filter)
}
