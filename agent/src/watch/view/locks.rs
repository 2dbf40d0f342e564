//! Who waits for whose lock: deadlock cycles, then contended locks with their likely holders.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::list::{self, Column, RowsArea};
use super::paint::Paint;
use crate::model::{Assessment, LockNode, StackTable, Waiter};
use crate::report::format;
use crate::report::phrases::{self, Room};
use crate::report::style::{self, Role};
use crate::report::terminal::parts;
use crate::watch::state::State;
use crate::watch::state::locks::{self, Lock};

const COLUMNS: [Column; 4] = [
    Column::new("KIND", 10, 0),
    Column::new("WAITING", 8, 30),
    Column::new("OLDEST", 8, 60),
    Column::new("LOCK", 14, 50),
];

/// Draws the rows, and how many there are that are not listed.
pub(super) fn list(
    state: &State,
    assessment: &Assessment,
    frame: &mut Frame<'_>,
    area: Rect,
    paint: Paint,
) -> RowsArea {
    if locks::count(assessment) == 0 {
        let text = "no goroutine waited for a contended lock in this sample";
        return list::nothing(frame, area, paint, Role::Dim, text);
    }
    let stacks = &assessment.stacks;
    list::draw(frame, area, &state.rows, &COLUMNS, "HELD BY", |index, room| {
        Some(match locks::row(assessment, index)? {
            Lock::Cycle { waiters, alike, .. } => cycle(waiters, alike, stacks, room, paint),
            Lock::Lock { lock, .. } => contended(lock, stacks, room, paint),
        })
    })
}

fn cycle(
    waiters: &[Waiter],
    alike: u64,
    stacks: &StackTable,
    room: usize,
    paint: Paint,
) -> Vec<Span<'static>> {
    let mut objects: Vec<u64> = waiters.iter().map(|waiter| waiter.object).collect();
    objects.sort_unstable();
    objects.dedup();
    let lock = match *objects {
        [one] => format!("{one:#x}"),
        _ => format::counted(objects.len() as u64, "lock", "locks"),
    };
    let who = waiters.iter().map(|waiter| {
        match waiter.at.and_then(|at| phrases::brief_place(stacks, at)) {
            None => waiter.goid.to_string(),
            Some(at) => format!("{} {at}", waiter.goid),
        }
    });
    let holder = if waiters.len() == 1 { "itself" } else { "each other" };
    let mut text = format!("{holder}: {}", who.collect::<Vec<_>>().join(", "));
    if alike > 1 {
        text = format!("{} such cycles: {text}", format::count(alike));
    }
    vec![
        paint.span(Role::Alarm, "deadlock"),
        paint.span(Role::Number, format::count(waiters.len() as u64)),
        Span::default(),
        Span::from(lock),
        paint.span(Role::Alarm, format::cut(&format::clean(&text), room)),
    ]
}

fn contended(
    lock: &LockNode,
    stacks: &StackTable,
    room: usize,
    paint: Paint,
) -> Vec<Span<'static>> {
    let held = match &lock.holder {
        _ if lock.passes => "passes from hand to hand".to_owned(),
        Some(holder) => phrases::holder(holder, stacks, Room::Brief),
        None => "not known".to_owned(),
    };
    let oldest = lock.oldest.map(|oldest| format!("≥{}", format::duration(oldest)));
    vec![
        paint.span(Role::Wait, lock.kind.name()),
        paint.span(Role::Number, format::count(lock.waiting)),
        Span::from(oldest.unwrap_or_default()),
        Span::from(format!("{:#x}", lock.object)),
        Span::from(format::cut(&format::clean(&held), room)),
    ]
}

/// Everything known of a row.
pub(super) fn details(
    assessment: &Assessment,
    index: usize,
    width: usize,
) -> Vec<Vec<style::Span>> {
    let Some(graph) = locks::graph(assessment) else { return Vec::new() };
    match locks::row(assessment, index) {
        Some(Lock::Cycle { index, .. }) => parts::cycle(assessment, graph, index, width),
        Some(Lock::Lock { index, .. }) => parts::lock(assessment, graph, index, width),
        None => Vec::new(),
    }
}
