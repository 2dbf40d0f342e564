use std::sync::Arc;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{Instance, Update, WaitClass};
use crate::sample::leaking;

fn event(pid: u32, leaked: &[u64]) -> Update {
    let mut window = Window::default();
    for (second, &leaked) in (0..).zip(leaked) {
        window.push(&leaking(leaked).observe(second));
    }
    let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
    let mut assessment = judged.expect("observed");
    let target = Arc::make_mut(&mut assessment.target);
    target.id.instance = Instance::Process { pid, library: None };
    let assessment = Arc::new(assessment);
    Update { assessment, now: window.rates_now(), replaced: None, observation: None }
}

/// Thirty samples, each with this many more leaked goroutines than the one before.
fn leak(pid: u32, by: u64) -> Update {
    event(pid, &(0..30).map(|second| second * by).collect::<Vec<_>>())
}

fn groups() -> State {
    let mut state = State::default();
    state.event(event(1, &[4, 40]));
    state.act(Action::Tab(Tab::Groups));
    state
}

fn waits(state: &State) -> Vec<WaitClass> {
    let groups = &state.assessment().expect("a sample").groups;
    state.rows.shown.iter().map(|&row| groups[row].wait).collect()
}

fn total(state: &State) -> Option<u64> {
    state.assessment().map(|assessment| assessment.totals.goroutines)
}

fn write(state: &mut State, text: &str) {
    state.act(Action::Filter);
    text.chars().for_each(|letter| state.act(Action::Type(letter)));
}

#[test]
fn findings_come_first_and_enter_opens_one() {
    let mut state = State::default();
    state.event(leak(1, 20));
    assert_eq!((state.tab, &*state.rows.shown), (Tab::Findings, &[0][..]));
    state.act(Action::Enter);
    state.act(Action::Wheel(1));
    state.act(Action::Move(-1));
    assert_eq!(state.open, Some(2));
    // It is the same finding in the next sample, and stays open.
    state.event(event(1, &(0..31).map(|second| second * 20).collect::<Vec<_>>()));
    assert_eq!(state.open, Some(2));
    state.act(Action::Back);
    assert_eq!(state.open, None);
}

#[test]
fn details_of_what_is_no_more_are_closed_rather_than_replaced() {
    let mut state = groups();
    state.act(Action::Enter);
    assert_eq!(waits(&state)[state.rows.selected], WaitClass::ChanSend);
    state.event(event(1, &[40, 0]));
    assert_eq!((state.open, state.rows.selected), (None, 0));
}

#[test]
fn sorting_goes_round_and_the_selection_stays_on_its_group() {
    let mut state = groups();
    state.act(Action::Last);
    let chosen = state.selected_key();
    assert!(chosen.is_some());
    for expected in [Order::Growth, Order::Oldest, Order::Count] {
        state.act(Action::Sort);
        assert_eq!(state.order(), Some(expected));
        assert_eq!(waits(&state)[0], WaitClass::ChanSend, "{expected:?}");
        assert_eq!(state.selected_key(), chosen);
    }
    state.act(Action::Tab(Tab::Findings));
    assert_eq!(state.order(), Some(Order::Worst));
}

#[test]
fn a_filter_narrows_as_it_is_typed_and_escape_clears_it() {
    let mut state = groups();
    assert_eq!(state.rows.shown.len(), 4);
    write(&mut state, "LEAK.go");
    assert_eq!(waits(&state), [WaitClass::ChanSend]);
    write(&mut state, "!");
    assert!(state.rows.current().is_none());
    assert_eq!(state.unfiltered(), 4);
    state.act(Action::Erase);
    state.act(Action::Enter);
    assert!(!state.typing);
    assert_eq!(state.filter, "LEAK.go");
    state.act(Action::Back);
    assert_eq!(state.rows.shown.len(), 4);
}

#[test]
fn findings_and_creators_are_filtered_too() {
    let mut state = State::default();
    state.event(leak(1, 20));
    for (filter, findings) in [("channel-send", 1), ("LIKELY", 1), ("leak.go", 1), ("pool", 0)] {
        write(&mut state, filter);
        assert_eq!(state.rows.shown.len(), findings, "{filter}");
        state.act(Action::Back);
    }
    state.act(Action::Tab(Tab::Lineage));
    assert_eq!(state.rows.shown, [0]);
    write(&mut state, "nowhere");
    assert!(state.rows.shown.is_empty());
}

#[test]
fn letters_of_a_filter_are_no_commands() {
    let mut state = groups();
    write(&mut state, "q");
    assert!(!state.quit);
    assert_eq!(state.filter, "q");
}

#[test]
fn a_click_selects_and_a_second_one_opens() {
    let mut state = groups();
    state.act(Action::Select(2));
    assert_eq!((state.rows.selected, state.open), (2, None));
    state.act(Action::Select(2));
    assert_eq!(state.open, Some(0));
    state.act(Action::Select(9));
    assert_eq!((state.rows.selected, state.open), (2, Some(0)));
    state.act(Action::Select(1));
    assert_eq!((state.rows.selected, state.open), (1, Some(0)));
}

#[test]
fn tabs_go_round_and_each_begins_at_its_first_row() {
    let mut state = groups();
    state.act(Action::Last);
    state.act(Action::Enter);
    let mut seen = Vec::new();
    for _ in Tab::ALL {
        state.act(Action::NextTab);
        seen.push(state.tab);
        assert_eq!((state.rows.selected, state.open), (0, None));
    }
    assert_eq!(
        seen,
        [Tab::Locks, Tab::Lineage, Tab::Memory, Tab::Probes, Tab::Findings, Tab::Groups]
    );
    state.act(Action::PreviousTab);
    state.act(Action::PreviousTab);
    assert_eq!(state.tab, Tab::Probes);
    state.act(Action::Wheel(1));
    assert_eq!(state.scroll, 3);
    state.act(Action::Filter);
    assert!(!state.typing, "there is nothing to filter");
}

#[test]
fn paused_shows_one_sample_and_going_on_shows_the_last() {
    let mut state = groups();
    state.act(Action::Pause);
    state.event(event(1, &[4, 40, 80]));
    state.event(event(1, &[4, 40, 80, 90]));
    assert_eq!(total(&state), Some(43));
    let samples = |state: &State| state.assessment().map(|a| a.window.observations);
    assert_eq!(samples(&state), Some(2));
    assert_eq!(state.targets.current().and_then(Target::behind), Some(2));
    state.act(Action::Pause);
    assert_eq!((total(&state), samples(&state)), (Some(93), Some(4)));
    assert_eq!(state.targets.current().and_then(Target::behind), Some(0));
}

#[test]
fn the_help_is_closed_by_any_key() {
    let mut state = groups();
    state.act(Action::Help);
    state.act(Action::Move(1));
    assert_eq!((state.help, state.rows.selected), (false, 0));
    state.act(Action::Help);
    state.act(Action::Nothing);
    assert!(!state.help);
    state.act(Action::Help);
    state.act(Action::Quit);
    assert!(state.quit);
}

#[test]
fn targets_take_turns() {
    let mut state = groups();
    state.act(Action::NextTarget);
    assert_eq!(state.targets.place(), None);
    state.event(event(2, &[7]));
    state.act(Action::NextTarget);
    assert_eq!((total(&state), state.targets.place()), (Some(10), Some((2, 2))));
    state.act(Action::NextTarget);
    assert_eq!(state.targets.place(), Some((1, 2)));
    state.act(Action::PreviousTarget);
    assert_eq!(state.targets.place(), Some((2, 2)));
}

#[test]
fn nothing_seen_yet_survives_every_action() {
    let mut state = State::default();
    for tab in Tab::ALL {
        for action in [
            Action::Tab(tab),
            Action::Enter,
            Action::Sort,
            Action::Move(1),
            Action::Wheel(-1),
            Action::Select(0),
            Action::Last,
            Action::NextTarget,
            Action::PreviousTarget,
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
    }
    assert!(state.assessment().is_none());
}
