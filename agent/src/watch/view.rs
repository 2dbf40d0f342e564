//! The live view's picture of its state.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Clear, Paragraph, Row, Sparkline, Table, TableState};

use super::keys::HELP;
use super::state::{Screen, State, oldest};
use crate::model::{Assessment, Finding, Group, ProbeState};
use crate::report::telling::{self, Line as FindingLine};
use crate::report::words;

/// Below this height the curve makes room for groups.
const ROOM_FOR_CURVE: u16 = 18;

/// The columns before the last, which takes the rest: their titles, their widths, and the width
/// of the screen from which on they are shown.
const COLUMNS: [(&str, u16, u16); 5] =
    [("COUNT", 10, 0), ("CHANGE", 8, 90), ("GROWTH", 10, 50), ("OLDEST", 8, 70), ("WAIT", 12, 40)];

/// Draws the state.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, colour: bool) {
    let paint = Paint { colour };
    let area = frame.area();
    let curve = if area.height >= ROOM_FOR_CURVE { 3 } else { 0 };
    let [head, curve, body, foot] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(curve),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    if let Some(assessment) = state.assessment() {
        frame.render_widget(Paragraph::new(header(state, assessment, paint)), head);
        draw_curve(state, frame, curve, paint);
    } else {
        frame.render_widget(Paragraph::new("first sample…"), head);
    }
    if let Screen::Stack(scroll) = state.screen {
        // The selected group stays in sight above its stack, where there is room for both.
        let above = if body.height >= 16 { body.height / 3 } else { 0 };
        let [groups, stack] =
            Layout::vertical([Constraint::Length(above), Constraint::Min(1)]).areas(body);
        draw_groups(state, frame, groups, paint);
        let scroll = draw_stack(state, frame, stack, scroll, paint);
        state.screen = Screen::Stack(scroll);
    } else {
        draw_groups(state, frame, body, paint);
    }
    frame.render_widget(footer(state, paint), foot);
    if state.screen == Screen::Help {
        draw_help(frame, area, paint);
    }
}

/// Colours, or what can be said without.
#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn fg(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    fn bold(self, colour: Color) -> Style {
        self.fg(colour).add_modifier(Modifier::BOLD)
    }
}

fn header<'a>(state: &State, assessment: &Assessment, paint: Paint) -> Vec<Line<'a>> {
    let target = &assessment.target;
    let mut first = vec![Span::from(words::clean(&target.exe).into_owned()).bold()];
    if let Some(pid) = target.pid() {
        first.push(format!("  pid {pid}").into());
    }
    if let Some(version) = &target.go_version {
        first.push(format!("  {}", words::clean(version)).into());
    }
    let goroutines = words::counted(assessment.totals.goroutines, "goroutine");
    first.push(Span::styled(format!("  {goroutines}"), paint.bold(Color::Cyan)));
    if let Some(rates) = state.targets.get(state.current).and_then(|target| target.shown.now) {
        first.push(format!("  {}", words::rates(rates)).into());
    }
    if state.targets.len() > 1 {
        first.push(format!("  [{} of {}]", state.current + 1, state.targets.len()).dim());
    }

    let coverage = &assessment.coverage;
    let mut second = vec![
        format!(
            "{} in {}",
            words::counted(assessment.window.observations, "sample"),
            words::duration(assessment.window.duration)
        )
        .dim(),
    ];
    if let Some(took) = assessment.overhead.snapshot {
        second.push(format!("  last took {}", words::duration(took)).dim());
    }
    let (read, seen) = (coverage.goroutines_read, coverage.goroutines_seen);
    second.push(format!("  read {} of {}", words::count(read), words::count(seen)).dim());
    if let Some(held) = coverage.process.and_then(|process| process.halt) {
        second.push(Span::styled(format!("  {}", held.name()), paint.bold(Color::Yellow)));
    }
    for (count, what) in [
        (coverage.running, "running"),
        (coverage.torn, "torn"),
        (coverage.not_unwound, "not unwound"),
        (coverage.unresolved_frames, "frames without a name"),
        (coverage.events_dropped, "events dropped"),
    ] {
        if count > 0 {
            let text = format!("  {} {what}", words::count(count));
            second.push(Span::styled(text, paint.fg(Color::Yellow)));
        }
    }

    for probe in &coverage.probes {
        let (state, colour) = match probe.state {
            ProbeState::Attached => continue,
            ProbeState::Burst => ("in a burst", Color::Yellow),
            ProbeState::Shed => ("shed", Color::Yellow),
            ProbeState::Unavailable => ("unavailable", Color::Yellow),
        };
        second.push(Span::styled(format!("  {} probe {state}", probe.event), paint.fg(colour)));
    }

    let third = match coverage.notes.first() {
        Some(note) => Line::styled(words::clean(note).into_owned(), paint.fg(Color::Yellow)),
        None => {
            let mut waits: Vec<_> = assessment.totals.by_wait.iter().collect();
            waits.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
            let texts = waits
                .iter()
                .map(|(wait, count)| format!("{} {}", words::count(**count), wait.name()));
            Line::styled(texts.collect::<Vec<_>>().join("  "), paint.fg(Color::Magenta))
        }
    };
    vec![first.into(), second.into(), third]
}

fn draw_curve(state: &State, frame: &mut Frame<'_>, area: Rect, paint: Paint) {
    let Some(target) = state.targets.get(state.current) else { return };
    let newest = target.history.len().saturating_sub(usize::from(area.width));
    let counts: Vec<u64> = target.history.iter().skip(newest).copied().collect();
    frame.render_widget(Sparkline::default().data(&counts).style(paint.fg(Color::Cyan)), area);
}

fn draw_groups(state: &State, frame: &mut Frame<'_>, area: Rect, paint: Paint) {
    let Some(assessment) = state.assessment() else { return };
    // Only rows in sight are made: there may be 100,000 groups.
    let visible = usize::from(area.height).saturating_sub(1);
    let first = state.selected.saturating_sub(visible.saturating_sub(1));
    let columns = || COLUMNS.iter().filter(|&&(_, _, from)| area.width >= from);
    let fixed: u16 = columns().map(|&(_, width, _)| width + 1).sum();
    let room = usize::from(area.width.saturating_sub(fixed));
    let rows = state
        .rows
        .iter()
        .skip(first)
        .take(visible)
        .filter_map(|&index| Some((finding(assessment, index), assessment.groups.get(index)?)))
        .map(|(finding, group)| row(group, finding, assessment, area.width, room, paint));
    let widths =
        columns().map(|&(_, width, _)| Constraint::Length(width)).chain([Constraint::Min(1)]);
    let titles = columns().map(|&(title, ..)| title).chain(["AT"]);
    let table = Table::new(rows, widths)
        .header(Row::new(titles).style(Style::new().add_modifier(Modifier::BOLD)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(Some(state.selected - first));
    frame.render_stateful_widget(table, area, &mut at);
}

/// The finding that a group is part of.
fn finding(assessment: &Assessment, group: usize) -> Option<&Finding> {
    let findings = assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.findings);
    findings.iter().find(|finding| finding.goroutines().groups.contains(&group))
}

fn row<'a>(
    group: &'a Group,
    finding: Option<&'a Finding>,
    assessment: &'a Assessment,
    width: u16,
    room: usize,
    paint: Paint,
) -> Row<'a> {
    let change =
        group.previous.map_or_else(String::new, |previous| match group.count.abs_diff(previous) {
            0 => String::new(),
            by if group.count > previous => format!("+{}", words::count(by)),
            by => format!("-{}", words::count(by)),
        });
    let growth = group.growth_per_second.map_or_else(String::new, words::growth);
    let grows = group.growth_per_second.is_some_and(|growth| growth >= 0.005);
    let lines = telling::lines(finding, Some(group), &assessment.stacks);
    let place = lines.first().map_or_else(
        || group.no_stack.unwrap_or("in the runtime").to_owned(),
        |&(line, frame)| {
            let text = words::frame(&assessment.stacks, frame);
            let place = words::fit_place(&text.place, room / 2);
            let left = room.saturating_sub(words::width(&place) + 2);
            let lead = if line == FindingLine::Created { "by " } else { "" };
            let left = left.saturating_sub(words::width(lead));
            format!("{lead}{}  {place}", words::fit_function(text.short(), left))
        },
    );
    let cells = [
        Cell::new(words::count(group.count)).style(paint.bold(Color::Cyan)),
        Cell::new(change),
        Cell::new(growth).style(if grows { paint.bold(Color::Red) } else { Style::new() }),
        Cell::new(oldest(group.oldest)),
        Cell::new(group.wait.name()).style(paint.fg(Color::Magenta)),
    ];
    let shown = cells.into_iter().zip(COLUMNS).filter(|&(_, (_, _, from))| width >= from);
    Row::new(shown.map(|(cell, _)| cell).chain([Cell::new(place)]))
}

/// Draws the selected group's stack and gives back by how many lines it is scrolled, now bounded.
fn draw_stack(
    state: &State,
    frame: &mut Frame<'_>,
    area: Rect,
    scroll: usize,
    paint: Paint,
) -> usize {
    let (Some(assessment), Some(group)) = (state.assessment(), state.selection()) else {
        return 0;
    };
    let finding = state.rows.get(state.selected).and_then(|&index| finding(assessment, index));
    let lines = describe(group, finding, assessment, usize::from(area.width), paint);
    let room = usize::from(area.height).saturating_sub(1);
    let scroll = scroll.min(lines.len().saturating_sub(room));
    let title = format!(
        " {} × {} ",
        words::count(group.count),
        words::clean(group.reason.as_deref().unwrap_or(group.wait.name()))
    );
    let block = Block::new().borders(Borders::TOP).title(title);
    let shown: Vec<_> = lines.into_iter().skip(scroll).take(room).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(shown).block(block), area);
    scroll
}

fn describe<'a>(
    group: &Group,
    finding: Option<&Finding>,
    assessment: &Assessment,
    width: usize,
    paint: Paint,
) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let stacks = &assessment.stacks;
    if let Some(finding) = finding {
        let verdict = finding.verdict.name().to_uppercase();
        let class = finding.class.name();
        lines.push(Line::from(vec![
            Span::styled(format!("{verdict}  "), paint.bold(Color::Red)),
            Span::from(format!("{class}  {}", words::clean(&finding.cause))),
        ]));
        for suggestion in finding.suggestions.iter().take(1) {
            lines.push(Line::from(format!("fix        {}", words::clean(suggestion))));
        }
    }
    for (line, site) in telling::lines(finding, Some(group), stacks) {
        let text = words::frame(stacks, site);
        let label = format!("{:11}", line.name());
        lines.push(frame_line(&label, &text, width, paint.bold(Color::Yellow)));
    }
    if let Some(objects) = words::objects(group) {
        lines.push(Line::from(format!("on         {objects}")));
    }
    for (key, value) in &group.labels {
        lines.push(Line::from(format!("label      {}", words::clean(&format!("{key}={value}")))));
    }
    let goids: Vec<_> = group.goids_sample.iter().map(u64::to_string).collect();
    lines.push(Line::from(format!("goids      {}", goids.join(", "))));
    if let Some(why) = group.no_stack {
        lines.push(Line::from(format!("no stack   {why}")));
    }
    for &id in group.stack.map_or(&[][..], |stack| stacks.frames_of(stack)) {
        let text = words::frame(stacks, id);
        let style =
            if text.runtime { Style::new().add_modifier(Modifier::DIM) } else { Style::new() };
        lines.push(frame_line("  ", &text, width, style));
    }
    let elided = group.stack.map_or(0, |stack| stacks.elided(stack));
    if elided > 0 {
        let frames = words::counted(elided.into(), "frame");
        lines.push(Line::from(format!("  … {frames} left out: the stack is too deep")));
    }
    lines
}

/// A frame on one line: the function gives way before the file and line do.
fn frame_line<'a>(label: &str, text: &words::FrameText, width: usize, style: Style) -> Line<'a> {
    let mark = if text.inlined { " (inlined)" } else { "" };
    let room = width.saturating_sub(words::width(label) + words::width(mark) + 2);
    let place = words::fit_place(&text.place, room / 2);
    let left = room.saturating_sub(words::width(&place));
    let function = words::fit_function(text.short(), left);
    Line::from(vec![
        Span::from(label.to_owned()),
        Span::styled(format!("{function}{mark}"), style),
        Span::from(format!("  {place}")).dim(),
    ])
}

fn footer<'a>(state: &State, paint: Paint) -> Line<'a> {
    let mut parts = Vec::new();
    if state.typing {
        parts.push(Span::from(format!("/{}█  Enter keeps, Esc clears", state.filter)));
        return parts.into();
    }
    if state.paused {
        parts.push(Span::styled("PAUSED  ", paint.bold(Color::Red)));
    }
    parts.push(format!("by {}", state.sort.name()).into());
    if !state.filter.is_empty() {
        let of = state.assessment().map_or(0, |assessment| assessment.groups.len());
        let shown = format!("  /{}: {} of {of} groups", state.filter, state.rows.len());
        parts.push(Span::styled(shown, paint.fg(Color::Yellow)));
    }
    parts.push("  Enter stack  s sort  / filter  p pause  ? help  q quit".dim());
    parts.into()
}

fn draw_help(frame: &mut Frame<'_>, area: Rect, paint: Paint) {
    let lines: Vec<_> = HELP
        .iter()
        .map(|&(keys, what)| {
            let keys = Span::styled(format!(" {keys:<10} "), paint.bold(Color::Cyan));
            Line::from(vec![keys, what.into()])
        })
        .collect();
    let size = (60.min(area.width), (HELP.len() as u16 + 2).min(area.height));
    let popup = Rect {
        x: area.x + (area.width - size.0) / 2,
        y: area.y + (area.height - size.1) / 2,
        width: size.0,
        height: size.1,
    };
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), popup);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::style::Color;

    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, assess, judge};
    use crate::model::{CauseBasis, CausedAt, Resolved};
    use crate::sample::leaking;
    use crate::watch::Event;
    use crate::watch::state::Action;

    fn state() -> State {
        let mut window = Window::default();
        let mut state = State::default();
        for (second, leaked) in (0..).zip([4, 22, 40]) {
            window.push(&leaking(leaked).observe(second));
            let assessment = Arc::new(assess(&window).expect("observed"));
            state.event(Event { pid: 4711, assessment, now: window.rates_now(), replaced: None });
        }
        state
    }

    fn screen(
        state: &mut State,
        (width, height): (u16, u16),
        colour: bool,
    ) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
        terminal.draw(|frame| draw(state, frame, colour)).expect("it draws");
        terminal
    }

    fn text(state: &mut State, size: (u16, u16)) -> Vec<String> {
        let terminal = screen(state, size, true);
        let buffer = terminal.backend().buffer();
        let rows = buffer.content().chunks(usize::from(size.0));
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>()).collect()
    }

    #[test]
    fn groups_with_their_numbers_and_line() {
        let screen = text(&mut state(), (100, 24));
        assert!(
            screen[0].starts_with("potato  pid 4711  go1.26.6  43 goroutines  ≥+50.5 created/s")
        );
        assert!(screen[1].contains("read 42 of 43  1 running"), "{}", screen[1]);
        assert!(screen[6].starts_with("COUNT      CHANGE   GROWTH"), "{}", screen[6]);
        for part in ["40 ", "+18 ", "+18.0/s ", "20.0s", "chan send", "leak.go:33"] {
            assert!(screen[7].contains(part), "{part}: {}", screen[7]);
        }
        assert!(screen[23].contains("by count"), "{}", screen[23]);
    }

    #[test]
    fn enter_shows_stack_and_creation_site() {
        let mut state = state();
        state.act(Action::Enter);
        let screen = text(&mut state, (100, 30)).join("\n");
        assert!(screen.contains("created by main.leakGoroutines  /src/app/leak.go:31"), "{screen}");
        assert!(screen.contains("runtime.gopark"), "{screen}");
        assert!(screen.contains("40 × chan send"), "{screen}");
    }

    #[test]
    fn a_finding_is_shown_by_the_programs_own_line_its_cause_and_its_fix() {
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let mut assessment = judged.expect("observed");
        let stacks = Arc::make_mut(&mut assessment.stacks);
        let (function, file) = ("main.callStore", "/src/app/store.go");
        let frame = stacks.resolved(Resolved { function, file, line: 41, inlined: false });
        let finding = &mut assessment.judgement.as_mut().expect("judged").findings[0];
        finding.caused_at = Some(CausedAt { frame, basis: CauseBasis::Creator });
        finding.suggestions = vec!["Close it.".to_owned()];
        let mut state = State::default();
        let assessment = Arc::new(assessment);
        state.event(Event { pid: 4711, assessment, now: window.rates_now(), replaced: None });
        let screen = text(&mut state, (120, 30));
        let row = screen.iter().skip(7).find(|row| row.starts_with("580 ")).expect("the leak");
        assert!(row.contains(" main.callStore  /src/app/store.go:41"), "{row}");
        state.act(Action::Enter);
        let screen = text(&mut state, (120, 30)).join("\n");
        for said in [
            "LIKELY  channel-send  580 goroutines",
            "fix        Close it.",
            "caused at  main.callStore  /src/app/store.go:41",
            "blocked at main.leakGoroutines.func1  /src/app/leak.go:33",
        ] {
            assert!(screen.contains(said), "{said}: {screen}");
        }
    }

    #[test]
    fn scrolling_ends_where_the_stack_ends() {
        let mut state = state();
        state.act(Action::Enter);
        state.act(Action::Last);
        let lines = text(&mut state, (100, 12));
        assert!(lines[..11].iter().any(|line| line.contains("leak.go:33")), "{lines:?}");
        assert!(matches!(state.screen, Screen::Stack(0..10)), "{:?}", state.screen);
    }

    #[test]
    fn filter_pause_and_help_show() {
        let mut state = state();
        state.act(Action::Filter);
        state.act(Action::Type('x'));
        assert!(text(&mut state, (80, 24))[23].starts_with("/x█"));
        state.act(Action::Enter);
        state.act(Action::Pause);
        let foot = text(&mut state, (80, 24))[23].clone();
        assert!(foot.starts_with("PAUSED  by count  /x: 0 of 4 groups"), "{foot}");
        state.act(Action::Help);
        assert!(text(&mut state, (80, 24)).join("\n").contains("print the report"));
    }

    #[test]
    fn any_size_draws() {
        for width in [1, 2, 7, 20, 60, 300] {
            for height in [1, 2, 3, 5, 17, 60] {
                let mut state = state();
                for action in [Action::Last, Action::Enter, Action::Help] {
                    text(&mut state, (width, height));
                    state.act(action);
                }
                text(&mut state, (width, height));
                text(&mut State::default(), (width, height));
            }
        }
    }

    #[test]
    fn without_colour_no_cell_has_one() {
        let mut state = state();
        state.act(Action::Enter);
        let terminal = screen(&mut state, (100, 30), false);
        for cell in terminal.backend().buffer().content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
        let terminal = screen(&mut state, (100, 30), true);
        assert!(terminal.backend().buffer().content().iter().any(|cell| cell.fg == Color::Cyan));
    }
}
