use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{
    CauseBasis, CausedAt, CoverageNote, ForcedCollection, Heap, Memory, ProbeCoverage, ProbeEvent,
    ProbeReason, ProbeSpell, ProbeState, Resolved, StackView, Update, WaitClass,
};
use crate::sample::{Sample, leaking};
use crate::watch::action::Action;

/// The usual terminal.
const USUAL: (u16, u16) = (80, 24);
/// A large one.
const LARGE: (u16, u16) = (200, 50);

fn judged(samples: impl Iterator<Item = Sample>) -> Update {
    let mut window = Window::default();
    for (second, sample) in (0..).zip(samples) {
        window.push(&sample.observe(second));
    }
    let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
    let assessment = Arc::new(judged.expect("observed"));
    Update { assessment, now: window.rates_now(), replaced: None, observation: None }
}

fn of(event: Update) -> State {
    let mut state = State::default();
    state.event(event);
    state
}

/// A leak of twenty goroutines a second, for half a minute.
fn leak() -> Update {
    judged((0..30).map(|second| leaking(second * 20)))
}

/// Too little to judge by.
fn little() -> State {
    of(judged([4, 22, 40].into_iter().map(leaking)))
}

/// Two goroutines that wait for each other's locks.
fn deadlock() -> Update {
    let sample = |second| {
        let mut sample = Sample::new();
        let (mutex, seconds) = (WaitClass::Mutex, 10 + second);
        sample.wants(50, (mutex, 0xa0), seconds, &[(0xa0, 1), (0xb0, 2)]);
        sample.wants(51, (mutex, 0xb0), seconds, &[(0xb0, 1), (0xa0, 2)]);
        sample
    };
    judged((0..30_u64).map(sample))
}

fn screen(state: &mut State, size: (u16, u16), colour: bool) -> (Terminal<TestBackend>, Hits) {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a backend");
    let mut hits = Hits::default();
    terminal.draw(|frame| hits = draw(state, frame, colour)).expect("drawn");
    (terminal, hits)
}

fn text(state: &mut State, size: (u16, u16)) -> Vec<String> {
    let (terminal, _) = screen(state, size, true);
    let rows = terminal.backend().buffer().content().chunks(usize::from(size.0));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>()).collect()
}

fn assert_shown(state: &mut State, size: (u16, u16), parts: &[&str]) {
    let screen = text(state, size).join("\n");
    for part in parts {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
}

#[test]
fn findings_come_first_with_verdict_class_count_growth_curve_and_line() {
    for size in [USUAL, LARGE] {
        let mut state = of(leak());
        let screen = text(&mut state, size);
        assert!(screen[0].starts_with("potato  pid 4711  go1.26.6  583 goroutines  health "));
        assert!(screen[1].starts_with("1 finding: 1 likely  rising +20.0/s"), "{}", screen[1]);
        assert!(screen[2].contains("30 samples in 29.0s  read 582 of 583"), "{}", screen[2]);
        let tabs = " 1 Findings 1  2 Groups 4  3 Locks 0  4 Lineage  5 Memory  6 Probes 0/0 ";
        assert!(screen[6].starts_with(tabs), "{}", screen[6]);
        assert!(screen[7].starts_with("VERDICT CLASS        COUNT GROWTH"), "{}", screen[7]);
        for part in ["LIKELY", "channel-send", "580 ", "+20.0/s", "▁▂", "█ ", "leak.go:33"] {
            assert!(screen[8].contains(part), "{part}: {}", screen[8]);
        }
        // What the verdict rests on stands below.
        let below = screen[9..].join("\n");
        assert!(below.contains("+580 in finding 1"), "{below}");
        assert!(below.contains("583: 580 in findings"), "{below}");
    }
}

#[test]
fn enter_opens_cause_evidence_fix_and_stack() {
    let mut event = leak();
    let assessment = Arc::make_mut(&mut event.assessment);
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let (function, file) = ("main.callStore", "/src/app/store.go");
    let frame = stacks.resolved(Resolved { function, file, line: 41, inlined: false });
    let finding = &mut assessment.judgement.as_mut().expect("judged").findings[0];
    finding.caused_at = Some(CausedAt { frame, basis: CauseBasis::Creator });
    let mut state = of(event);
    let row = text(&mut state, LARGE)[8].clone();
    assert!(row.contains(" main.callStore  /src/app/store.go:41"), "{row}");
    state.act(Action::Enter);
    let parts = [
        "finding 1 of 1 ",
        "LIKELY",
        "channel-send",
        "580 goroutines",
        "caused at  main.callStore  /src/app/store.go:41",
        "blocked at main.leakGoroutines.func1  /src/app/leak.go:33",
        "because    count-growth",
        "score ",
        "runtime.gopark",
        "█  0 to 580",
    ];
    assert_shown(&mut state, LARGE, &parts);
    assert_shown(&mut state, USUAL, &["finding 1 of 1 ", "lines below", "caused at"]);
}

#[test]
fn scrolling_ends_where_the_details_end() {
    let mut state = of(leak());
    state.act(Action::Enter);
    state.act(Action::Last);
    let lines = text(&mut state, USUAL);
    assert!(lines[22].contains("leak.go:33"), "{lines:?}");
    assert!(matches!(state.open, Some(1..40)), "{:?}", state.open);
}

#[test]
fn without_a_finding_it_says_what_is_waited_for() {
    let sample = |leaked| {
        let mut sample = leaking(leaked);
        sample.goroutines().for_each(|goroutine| goroutine.blocked = None);
        sample
    };
    let event = judged([4, 22, 40].into_iter().map(sample));
    for size in [USUAL, LARGE] {
        let parts = [
            "no leak found in 2.0s over 42 goroutines (3 samples)",
            "so far: no leak found in 2.0s",
            "count-growth: growth of a count needs ",
            "from 7 to 43, +18.0/s",
            "43: 0 in findings",
            "memory: the source tells nothing of it",
        ];
        assert_shown(&mut of(event.clone()), size, &parts);
    }
    assert_shown(&mut State::default(), USUAL, &["waiting for the first sample"]);
}

#[test]
fn groups_with_their_numbers_and_line() {
    let mut state = little();
    state.act(Action::Tab(Tab::Groups));
    let screen = text(&mut state, (100, 24));
    assert!(screen[7].starts_with("COUNT      CHANGE   GROWTH"), "{}", screen[7]);
    for part in ["40 ", "+18 ", "+18.0/s ", "20.0s", "chan send", "leak.go:33"] {
        assert!(screen[8].contains(part), "{part}: {}", screen[8]);
    }
    assert!(screen[23].contains("by count"), "{}", screen[23]);
    state.act(Action::Enter);
    let parts = ["40 ×", "chan send", "created  main.leakGoroutines", "runtime.gopark"];
    assert_shown(&mut state, (100, 30), &parts);
}

#[test]
fn locks_show_cycles_and_holders() {
    let mut state = of(deadlock());
    assert_shown(&mut state, USUAL, &["deadlock-cycle", "3 Locks 3"]);
    state.act(Action::Tab(Tab::Locks));
    let screen = text(&mut state, USUAL);
    assert!(screen[8].starts_with("deadlock   2 "), "{}", screen[8]);
    assert!(screen[8].contains("each other: 50"), "{}", screen[8]);
    assert!(screen[9].starts_with("mutex      1        ≥"), "{}", screen[9]);
    assert!(screen[9].contains("goroutine 5"), "{}", screen[9]);
    state.act(Action::Enter);
    assert_shown(&mut state, USUAL, &["2 goroutines wait for each other in a cycle"]);
    state.act(Action::Enter);
    state.act(Action::Move(1));
    state.act(Action::Enter);
    assert_shown(&mut state, USUAL, &["1 goroutine waits for mutex 0x"]);

    let mut state = little();
    state.act(Action::Tab(Tab::Locks));
    assert_shown(&mut state, USUAL, &["no goroutine waited for a contended lock"]);
}

#[test]
fn lineage_shows_who_created_whom() {
    let sample = |_| {
        let mut sample = Sample::new();
        let child = sample.stack(&[("main.child", "/src/main.go", 9)]);
        let boss = sample.stack(&[("main.boss", "/src/main.go", 3)]);
        let site = sample.frame("main.boss", "/src/main.go", 2);
        for goid in 10..13 {
            let one = sample.add(goid, WaitClass::ChanReceive, StackView::Read(child));
            (one.created_by, one.parent) = (Some(site), std::num::NonZeroU64::new(2));
        }
        sample.add(2, WaitClass::Select, StackView::Read(boss)).created_by = Some(site);
        sample
    };
    let mut state = of(judged((0..2).map(sample)));
    state.act(Action::Tab(Tab::Lineage));
    let screen = text(&mut state, USUAL);
    assert!(screen[8].starts_with("1          0/s        select       main.boss"), "{screen:?}");
    assert!(screen[9].starts_with("3          0/s        chan receive └ main.child"));
    state.act(Action::Last);
    state.act(Action::Enter);
    assert_shown(&mut state, USUAL, &["group 2 of 2", "created  main.boss"]);
}

#[test]
fn probes_say_their_state_and_why() {
    let mut event = leak();
    let assessment = Arc::make_mut(&mut event.assessment);
    let spell = |state, from, until| ProbeSpell { state, from_seconds: from, until_seconds: until };
    assessment.coverage.probes = vec![ProbeCoverage {
        event: ProbeEvent::Park,
        state: ProbeState::Shed,
        reason: Some(ProbeReason::Failed("9,000 hits/s cost too much".to_owned())),
        covered_seconds: 4.0,
        history: vec![
            spell(ProbeState::Attached, 1.0, Some(5.0)),
            spell(ProbeState::Shed, 5.0, None),
        ],
        history_left_out: 2,
    }];
    assessment.coverage.notes.push(CoverageNote::ObjectsFull);
    assessment.coverage.forced = Some(ForcedCollection::Due);
    let mut state = of(event);
    assert_shown(
        &mut state,
        LARGE,
        &[
            "forced collections are due shortly before",
            "0 of 1 probes attached",
            "6 Probes 0/1",
            "there are too many wait objects",
        ],
    );
    state.act(Action::Tab(Tab::Probes));
    let parts = [
        "park    shed        attached for 4.0s in all",
        "9,000 hits/s cost too much",
        "2 earlier spells, attached 1.0s to 5.0s, shed 5.0s to now",
        "never paused",
        "note          there are too many wait objects",
    ];
    assert_shown(&mut state, USUAL, &parts);
}

#[test]
fn memory_has_a_curve_for_each_figure() {
    let growing = |second: u64| {
        let mut sample = leaking(0);
        let heap = Heap {
            marked_bytes: Some((100 + second) << 20),
            objects_bytes: (120 + second) << 20,
            collections: second as u32,
            ..Heap::default()
        };
        sample.memory = Memory { heap: Some(heap), ..Memory::default() };
        sample
    };
    let mut state = of(judged((0..30).map(growing)));
    state.act(Action::Tab(Tab::Memory));
    assert_shown(
        &mut state,
        USUAL,
        &["live heap  ▆", "█  129.0 MiB", "objects    ▆", "  149.0 MiB"],
    );
    // What the source does not tell has no curve.
    let lines = text(&mut state, USUAL);
    assert!(!lines.iter().any(|line| line.starts_with("resident")), "{lines:?}");
    let mut state = little();
    state.act(Action::Tab(Tab::Memory));
    assert_shown(&mut state, USUAL, &["nothing is known of the memory"]);
}

#[test]
fn filter_pause_and_help_show() {
    let mut state = little();
    state.act(Action::Tab(Tab::Groups));
    state.act(Action::Filter);
    state.act(Action::Type('x'));
    assert!(text(&mut state, USUAL)[23].starts_with("/x█"));
    state.act(Action::Enter);
    state.act(Action::Pause);
    let (head, foot) = (text(&mut state, USUAL)[..6].to_vec(), text(&mut state, USUAL)[23].clone());
    assert!(foot.starts_with(" PAUSED at sample 3   /x: 0 of 4  by count"), "{foot}");
    // Every number stays that of the one sample.
    state.event(leak());
    assert_eq!(text(&mut state, USUAL)[..6], head);
    let foot = text(&mut state, USUAL)[23].clone();
    assert!(foot.starts_with(" PAUSED at sample 3, 27 newer "), "{foot}");
    assert_shown(&mut state, USUAL, &["Esc clears the filter"]);
    state.act(Action::Help);
    assert_shown(&mut state, USUAL, &["end, and print the report", "the next target"]);
}

#[test]
fn what_is_drawn_can_be_clicked() {
    let mut state = of(leak());
    let (_, hits) = screen(&mut state, USUAL, true);
    let widths: Vec<_> = hits.tabs.iter().map(|hit| (hit.tab, hit.area.x, hit.area.y)).collect();
    assert_eq!(widths[..2], [(Tab::Findings, 0, 6), (Tab::Groups, 14, 6)]);
    assert_eq!(hits.rows, RowsArea { area: Rect::new(0, 8, 80, 1), first: 0, count: 1 });
    let mut state = little();
    state.act(Action::Tab(Tab::Groups));
    state.act(Action::Last);
    let (_, hits) = screen(&mut state, (80, 5), true);
    assert_eq!((hits.rows.first, hits.rows.count), (3, 1));
    let (_, hits) = screen(&mut State::default(), USUAL, true);
    assert_eq!(hits.rows, RowsArea::default());
}

#[test]
fn a_line_that_is_cut_ends_in_an_ellipsis() {
    let line = |text: &[&'static str]| Line::from_iter(text.iter().copied());
    let cut = |text: &[&'static str], room| fit(line(text), room).to_string();
    assert_eq!(cut(&["one", " two"], 7), "one two");
    assert_eq!(cut(&["one", " two"], 6), "one t…");
    assert_eq!(cut(&["one", " two"], 3), "on…");
    assert_eq!(cut(&["one", " two"], 0), "…");
}

#[test]
fn any_size_draws() {
    let events = [leak(), deadlock()];
    for width in [1, 2, 7, 20, 60, 300] {
        for height in [1, 2, 3, 5, 17, 60] {
            for event in &events {
                let mut state = of(event.clone());
                for tab in Tab::ALL {
                    state.act(Action::Tab(tab));
                    for action in [Action::Last, Action::Enter, Action::Help, Action::Help] {
                        text(&mut state, (width, height));
                        state.act(action);
                    }
                    text(&mut state, (width, height));
                }
            }
            text(&mut State::default(), (width, height));
        }
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    let mut state = of(leak());
    for tab in Tab::ALL {
        state.act(Action::Tab(tab));
        state.act(Action::Enter);
        let (terminal, _) = screen(&mut state, LARGE, false);
        for cell in terminal.backend().buffer().content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
        let (terminal, _) = screen(&mut state, LARGE, true);
        let content = terminal.backend().buffer().content();
        assert!(content.iter().any(|cell| cell.fg == Color::Cyan), "{tab:?}");
    }
}
