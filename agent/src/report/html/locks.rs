//! Who waits for whose lock: cycles first, then each contended lock with who waits and who
//! probably holds it.

use maud::{Markup, html};

use super::Page;
use super::text::Text;
use crate::model::{LockGraph, LockNode, StackTable, WaitClass, Waiter};
use crate::report::format;
use crate::report::phrases::{self, Room};

/// Cycles that are drawn.
const CYCLES: usize = 6;
/// Goroutines of one cycle that are drawn.
const MEMBERS: usize = 12;
/// Locks that are listed.
const LOCKS: usize = 30;

/// The drawing's measures.
const WIDTH: usize = 720;
const ROW: usize = 92;
const BOX: usize = 52;
/// Characters of the drawing's type that a goroutine's box holds.
const ROOM: usize = 44;

pub(super) fn picture(page: &Page<'_>) -> Markup {
    let Some(judgement) = &page.assessment.judgement else { return Markup::default() };
    let (graph, stacks) = (&judgement.lock_graph, &page.assessment.stacks);
    if graph.locks.is_empty() && graph.cycles.is_empty() {
        return Markup::default();
    }
    let hidden = graph.more_cycles + graph.alike.iter().skip(CYCLES).sum::<u64>();
    html! {
        @for (cycle, &alike) in graph.cycles.iter().zip(&graph.alike).take(CYCLES) {
            @if !cycle.is_empty() { (cycle_drawn(cycle, graph, stacks)) }
            @if alike > 1 { p.note { "… and " (format::counted(alike - 1, "more cycle", "more cycles")) " like it." } }
        }
        @if hidden > 0 { p.note { "… and " (format::counted(hidden, "more deadlock cycle", "more deadlock cycles")) "." } }
        @if !graph.locks.is_empty() { (table(graph, stacks)) }
    }
}

/// A cycle as a ladder: goroutines at the left, locks at the right, each lock held by the
/// goroutine below it, the last by the first.
fn cycle_drawn(cycle: &[Waiter], graph: &LockGraph, stacks: &StackTable) -> Markup {
    let shown = &cycle[..cycle.len().min(MEMBERS)];
    let hidden = cycle.len() - shown.len();
    let height = shown.len() * ROW + 8;
    let goids = shown.iter().map(|waiter| waiter.goid.to_string());
    let goids = goids.collect::<Vec<_>>().join(", ");
    html! {
        figure.cycle {
            figcaption {
                strong { "Deadlock: " }
                @if let [only] = cycle {
                    "goroutine " (only.goid) " waits for a lock that it holds itself."
                } @else {
                    (format::counted(cycle.len() as u64, "goroutine", "goroutines"))
                    " wait for each other in a cycle; none of them can go on."
                }
                @if hidden > 0 { " " (format::count(hidden as u64)) " of them are not drawn." }
            }
            div.scroll {
                svg.locks viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height)
                    role="img" aria-label={ "Deadlock cycle of goroutines " (goids) } {
                    @for (index, waiter) in shown.iter().enumerate() {
                        (rung(index, waiter, (graph, stacks), index + 1 == shown.len()))
                    }
                    (way_back(shown.len()))
                }
            }
        }
    }
}

/// A goroutine, the lock that it waits for, and the arrow to who holds that.
fn rung(
    index: usize,
    waiter: &Waiter,
    (graph, stacks): (&LockGraph, &StackTable),
    last: bool,
) -> Markup {
    let top = index * ROW + 4;
    let middle = top + BOX / 2;
    let kind = graph.locks.iter().find(|lock| lock.object == waiter.object);
    let kind = kind.map_or("lock", |lock| lock.kind.name());
    let at = waiter.at.map(|at| format::frame(stacks, at));
    let (function, place) = at.as_ref().map_or(("", ""), |at| (&*at.function, &*at.place));
    html! {
        rect.goroutine x="40" y=(top) width="356" height=(BOX) rx="5" {}
        text.name x="52" y=(top + 17) { "goroutine " (waiter.goid) }
        text.small x="52" y=(top + 32) { (Text(&format::fit_function(function, ROOM))) }
        text.small.muted x="52" y=(top + 46) { (Text(&format::cut(&format::fit_place(place, ROOM), ROOM))) }
        path.wants d={ "M396 " (middle) "H505" } {}
        path.tip d={ "M512 " (middle) "l-9 -4v8z" } {}
        text.small x="454" y=(middle - 6) text-anchor="middle" { "waits for" }
        rect.lock x="512" y=(top) width="168" height=(BOX) rx="26" {}
        text.name x="596" y=(top + 22) text-anchor="middle" { (kind) }
        text.small.muted x="596" y=(top + 38) text-anchor="middle" { (format!("{:#x}", waiter.object)) }
        @if !last {
            path.holds d={ "M596 " (top + BOX) "V" (top + BOX + 20) "H218V" (top + ROW - 7) } {}
            path.tip.held d={ "M218 " (top + ROW) "l-4 -9h8z" } {}
            text.small x="407" y=(top + BOX + 15) text-anchor="middle" { "held by" }
        }
    }
}

/// From the last lock around the outside to the first goroutine.
fn way_back(rungs: usize) -> Markup {
    let first = BOX / 2 + 4;
    let bottom = rungs.saturating_sub(1) * ROW + 4 + BOX;
    html! {
        path.holds d={ "M596 " (bottom) "V" (bottom + 20) "H16V" (first) "H33" } {}
        path.tip.held d={ "M40 " (first) "l-9 -4v8z" } {}
        text.small x="407" y=(bottom + 15) text-anchor="middle" { "held by" }
    }
}

fn table(graph: &LockGraph, stacks: &StackTable) -> Markup {
    let hidden = graph.more + graph.locks.len().saturating_sub(LOCKS) as u64;
    html! {
        div.scroll {
            table {
                caption.unseen { "Contended locks, most waiters first" }
                thead {
                    tr {
                        th scope="col" { "Lock" }
                        th.figure scope="col" { "Waiting" }
                        th scope="col" { "Goroutines" }
                        th.figure scope="col" { "Longest" }
                        th scope="col" { "Held by" }
                    }
                }
                tbody { @for lock in graph.locks.iter().take(LOCKS) { (row(lock, stacks)) } }
            }
        }
        @if hidden > 0 { p.note { "… and " (format::counted(hidden, "more lock", "more locks")) "." } }
    }
}

fn row(lock: &LockNode, stacks: &StackTable) -> Markup {
    let mut goids: Vec<_> = lock.waiters.iter().take(12).map(u64::to_string).collect();
    if lock.waiting > goids.len() as u64 {
        goids.push("…".to_owned());
    }
    html! {
        tr {
            th scope="row" {
                (if lock.kind == WaitClass::Unknown { "lock" } else { lock.kind.name() })
                " " code { (format!("{:#x}", lock.object)) }
            }
            td.figure { (format::count(lock.waiting)) }
            td { (goids.join(", ")) }
            td.figure { (lock.oldest.map(format::duration).unwrap_or_else(|| "–".to_owned())) }
            td {
                @match &lock.holder {
                    Some(holder) => (Text(&phrases::holder(holder, stacks, Room::Full))),
                    None => span.muted { "not known" },
                }
            }
        }
    }
}
