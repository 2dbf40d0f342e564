//! What the live view shows: which target, which groups in which order, what is selected. No
//! terminal in here.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use super::Event;
use crate::model::{Assessment, Group};
use crate::report::words;

/// Goroutine counts kept for the curve.
const HISTORY: usize = 600;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The largest group.
    #[default]
    Count,
    /// The one that grows fastest.
    Growth,
    /// The one whose oldest member has been blocked longest.
    Oldest,
}

impl Sort {
    /// What is sorted by, as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Growth => "growth",
            Self::Oldest => "oldest",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Count => Self::Growth,
            Self::Growth => Self::Oldest,
            Self::Oldest => Self::Count,
        }
    }

    fn compare(self, a: &Group, b: &Group) -> Ordering {
        let growth = |group: &Group| group.growth_per_second.unwrap_or(f64::NEG_INFINITY);
        match self {
            Self::Count => b.count.cmp(&a.count),
            Self::Growth => growth(b).total_cmp(&growth(a)).then(b.count.cmp(&a.count)),
            Self::Oldest => b.oldest.cmp(&a.oldest).then(b.count.cmp(&a.count)),
        }
    }
}

/// What somebody at the keyboard wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Leave the filter, the stack or the help.
    Back,
    /// Move the selection, or the stack, by so many lines.
    Move(isize),
    /// To the first line.
    First,
    /// To the last.
    Last,
    /// Show the selected group's stack, or hide it; or keep the filter that was typed.
    Enter,
    /// Sort by the next order.
    Sort,
    /// Type a filter.
    Filter,
    /// A letter of the filter.
    Type(char),
    /// Take back the last letter.
    Erase,
    /// Hold what is shown, or go on.
    Pause,
    /// Show the keys, or hide them.
    Help,
    /// The next target.
    NextTarget,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The groups.
    #[default]
    Groups,
    /// The groups, and the selected one's stack scrolled by so many lines.
    Stack(usize),
    /// The keys.
    Help,
}

/// A target in the view.
#[derive(Debug)]
pub struct Target {
    /// What is shown.
    pub shown: Event,
    /// What came since the view was paused.
    held: Option<Event>,
    /// Its goroutines, look by look.
    pub history: VecDeque<u64>,
}

/// The state of the live view.
#[derive(Debug, Default)]
pub struct State {
    /// The targets seen so far, in the order they came.
    pub targets: Vec<Target>,
    /// The one that is shown.
    pub current: usize,
    /// The order of the groups.
    pub sort: Sort,
    /// Only groups with this text are shown.
    pub filter: String,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// What fills the screen.
    pub screen: Screen,
    /// Whether what is shown stands still.
    pub paused: bool,
    /// Whether the view is to end.
    pub quit: bool,
    /// Indices of the groups that are shown, in order.
    pub rows: Vec<usize>,
    /// The selected row.
    pub selected: usize,
}

impl State {
    /// Takes in one more look.
    pub fn event(&mut self, event: Event) {
        let count = event.assessment.totals.goroutines;
        let is_anew = event.replaced.is_some();
        let known = self.targets.iter().position(|target| target.shown.pid == event.pid);
        let at = if let Some(at) = known {
            let target = &mut self.targets[at];
            if self.paused {
                target.held = Some(event);
            } else {
                let selected = (at == self.current).then(|| self.selected_signature()).flatten();
                self.targets[at].shown = event;
                if at == self.current {
                    self.arrange(selected.as_deref());
                }
            }
            at
        } else {
            self.targets.push(Target { shown: event, held: None, history: VecDeque::new() });
            if self.targets.len() == 1 {
                self.arrange(None);
            }
            self.targets.len() - 1
        };
        let history = &mut self.targets[at].history;
        if is_anew {
            history.clear();
        }
        history.push_back(count);
        if history.len() > HISTORY {
            history.pop_front();
        }
    }

    /// What is known of the current target; `None` before the first look.
    #[must_use]
    pub fn assessment(&self) -> Option<&Assessment> {
        self.targets.get(self.current).map(|target| &*target.shown.assessment)
    }

    /// The selected group.
    #[must_use]
    pub fn selection(&self) -> Option<&Group> {
        self.assessment()?.groups.get(*self.rows.get(self.selected)?)
    }

    /// Does what was asked for.
    pub fn act(&mut self, action: Action) {
        if self.typing {
            return self.edit(action);
        }
        match action {
            Action::Quit => self.quit = true,
            Action::Back => match self.screen {
                Screen::Groups => self.set_filter(String::new()),
                Screen::Stack(_) | Screen::Help => self.screen = Screen::Groups,
            },
            Action::Move(by) => self.step(by),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Enter => {
                self.screen = match self.screen {
                    Screen::Groups if self.selection().is_some() => Screen::Stack(0),
                    _ => Screen::Groups,
                };
            }
            Action::Sort => {
                self.sort = self.sort.next();
                let selected = self.selected_signature();
                self.arrange(selected.as_deref());
            }
            Action::Filter => self.typing = true,
            Action::Pause => self.pause(),
            Action::Help => {
                self.screen =
                    if self.screen == Screen::Help { Screen::Groups } else { Screen::Help };
            }
            Action::NextTarget if !self.targets.is_empty() => {
                self.current = (self.current + 1) % self.targets.len();
                self.screen = Screen::Groups;
                self.arrange(None);
            }
            Action::NextTarget | Action::Type(_) | Action::Erase => {}
        }
    }

    fn edit(&mut self, action: Action) {
        match action {
            Action::Quit => self.quit = true,
            Action::Enter => self.typing = false,
            Action::Back => {
                self.typing = false;
                self.set_filter(String::new());
            }
            Action::Type(letter) => {
                let mut filter = self.filter.clone();
                filter.push(letter);
                self.set_filter(filter);
            }
            Action::Erase => {
                let mut filter = self.filter.clone();
                filter.pop();
                self.set_filter(filter);
            }
            Action::Move(_) | Action::First | Action::Last => {
                self.typing = false;
                self.act(action);
            }
            Action::Sort | Action::Filter | Action::Pause | Action::Help | Action::NextTarget => {}
        }
    }

    fn step(&mut self, by: isize) {
        match &mut self.screen {
            // The view bounds it by the height of the stack.
            Screen::Stack(scroll) => *scroll = scroll.saturating_add_signed(by),
            Screen::Groups => {
                let last = self.rows.len().saturating_sub(1);
                self.selected = self.selected.saturating_add_signed(by).min(last);
            }
            Screen::Help => {}
        }
    }

    fn pause(&mut self) {
        self.paused = !self.paused;
        if !self.paused {
            let selected = self.selected_signature();
            for target in &mut self.targets {
                if let Some(event) = target.held.take() {
                    target.shown = event;
                }
            }
            self.arrange(selected.as_deref());
        }
    }

    fn set_filter(&mut self, filter: String) {
        let selected = self.selected_signature();
        self.filter = filter;
        self.arrange(selected.as_deref());
    }

    fn selected_signature(&self) -> Option<String> {
        self.selection().map(|group| group.signature.clone())
    }

    /// Puts the rows in order. The selection stays on its group, or else on its row.
    fn arrange(&mut self, selected: Option<&str>) {
        let Some(target) = self.targets.get(self.current) else { return };
        let assessment = &target.shown.assessment;
        let groups = &assessment.groups;
        let filter = self.filter.to_lowercase();
        self.rows.clear();
        self.rows.extend((0..groups.len()).filter(|&at| matches(assessment, &groups[at], &filter)));
        // Stable: groups come by count, then signature.
        self.rows.sort_by(|&a, &b| self.sort.compare(&groups[a], &groups[b]));
        let same = selected.and_then(|selected| {
            self.rows.iter().position(|&row| groups[row].signature == selected)
        });
        self.selected = same.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
    }
}

/// Whether a group has the text in its signature, wait reason or line.
fn matches(assessment: &Assessment, group: &Group, filter: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(filter);
    filter.is_empty()
        || has(&group.signature)
        || group.reason.as_deref().is_some_and(has)
        || group.blocked_at.is_some_and(|at| has(&words::frame(&assessment.stacks, at).place))
}

/// The longest time blocked in a group, as the view shows it.
#[must_use]
pub fn oldest(oldest: Option<Duration>) -> String {
    oldest.map_or_else(|| "-".to_owned(), words::duration)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analyze::{Window, assess};
    use crate::model::WaitClass;
    use crate::sample::leaking;

    fn event(pid: u32, leaked: &[u64]) -> Event {
        let mut window = Window::default();
        for (second, &leaked) in (0..).zip(leaked) {
            window.push(&leaking(leaked).observe(second));
        }
        let assessment = Arc::new(assess(&window).expect("observed"));
        Event { pid, assessment, now: window.rates_now(), replaced: None }
    }

    fn state() -> State {
        let mut state = State::default();
        state.event(event(1, &[4, 40]));
        state
    }

    fn waits(state: &State) -> Vec<WaitClass> {
        let groups = &state.assessment().expect("a look").groups;
        state.rows.iter().map(|&row| groups[row].wait).collect()
    }

    fn write(state: &mut State, text: &str) {
        state.act(Action::Filter);
        text.chars().for_each(|letter| state.act(Action::Type(letter)));
    }

    #[test]
    fn sorting_goes_round_and_the_selection_stays_on_its_group() {
        let mut state = state();
        state.act(Action::Last);
        let chosen = state.selected_signature();
        for expected in [Sort::Growth, Sort::Oldest, Sort::Count] {
            state.act(Action::Sort);
            assert_eq!(state.sort, expected);
            assert_eq!(waits(&state)[0], WaitClass::ChanSend, "{expected:?}");
            assert_eq!(state.selected_signature(), chosen);
        }
    }

    #[test]
    fn a_filter_narrows_as_it_is_typed_and_escape_clears_it() {
        let mut state = state();
        assert_eq!(state.rows.len(), 4);
        write(&mut state, "LEAK.go");
        assert_eq!(waits(&state), [WaitClass::ChanSend]);
        write(&mut state, "!");
        assert!(state.rows.is_empty());
        assert!(state.selection().is_none());
        state.act(Action::Erase);
        state.act(Action::Enter);
        assert!(!state.typing);
        assert_eq!(state.filter, "LEAK.go");
        state.act(Action::Back);
        assert_eq!(state.rows.len(), 4);
    }

    #[test]
    fn letters_of_a_filter_are_no_commands() {
        let mut state = state();
        write(&mut state, "q");
        assert!(!state.quit);
        assert_eq!(state.filter, "q");
    }

    #[test]
    fn the_selection_stays_within_the_rows() {
        let mut state = state();
        state.act(Action::Move(-3));
        assert_eq!(state.selected, 0);
        state.act(Action::Move(isize::MAX));
        assert_eq!(state.selected, 3);
        write(&mut state, "leak");
        assert_eq!(state.selected, 0);
    }

    #[test]
    fn paused_holds_the_view_and_going_on_shows_the_last_look() {
        let mut state = state();
        state.act(Action::Pause);
        state.event(event(1, &[4, 40, 80]));
        state.event(event(1, &[4, 40, 80, 90]));
        assert_eq!(state.assessment().map(|a| a.totals.goroutines), Some(43));
        state.act(Action::Pause);
        assert_eq!(state.assessment().map(|a| a.totals.goroutines), Some(93));
        assert_eq!(state.targets[0].history, [43, 83, 93]);
    }

    #[test]
    fn enter_opens_the_stack_which_then_scrolls() {
        let mut state = state();
        state.act(Action::Enter);
        state.act(Action::Move(3));
        state.act(Action::Move(-1));
        assert_eq!((state.screen, state.selected), (Screen::Stack(2), 0));
        state.act(Action::Back);
        assert_eq!(state.screen, Screen::Groups);
    }

    #[test]
    fn targets_take_turns() {
        let mut state = state();
        state.act(Action::NextTarget);
        assert_eq!(state.current, 0);
        state.event(event(2, &[7]));
        state.act(Action::NextTarget);
        assert_eq!(state.assessment().map(|a| a.totals.goroutines), Some(10));
        state.act(Action::NextTarget);
        assert_eq!(state.current, 0);
    }

    #[test]
    fn nothing_seen_yet_survives_every_action() {
        let mut state = State::default();
        for action in [
            Action::Enter,
            Action::Sort,
            Action::Move(1),
            Action::Last,
            Action::NextTarget,
            Action::Pause,
            Action::Pause,
            Action::Help,
            Action::Back,
            Action::Filter,
            Action::Type('x'),
            Action::Erase,
            Action::Back,
        ] {
            state.act(action);
        }
        assert!(state.assessment().is_none());
    }
}
