//! Who waits for whose lock: drawn as text.

use std::io::{self, Write};

use super::{format, wrap};
use crate::model::{FrameId, LockGraph, LockNode, StackTable, WaitClass, Waiter};
use crate::report::phrases;
use crate::report::style::{Role, Style};

/// Deadlock cycles, and locks beside them, that are drawn unless all is asked for.
const SHOWN: usize = 5;
/// Columns by which what belongs together is indented.
const INDENT: usize = 4;

/// Draws a graph: cycles first, then the other locks with their likely holders. Nothing for an
/// empty graph, or one in which goroutines wait for nothing but wait groups and conditions, which
/// is no contention. `all` draws those too, and all else that the graph holds. Gives whether anything
/// was drawn.
///
/// # Errors
/// What the writer says.
pub(super) fn draw(
    (graph, stacks): (&LockGraph, &StackTable),
    (style, width): (Style, usize),
    all: bool,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let drawn =
        |lock: &&LockNode| all || matches!(lock.kind, WaitClass::Mutex | WaitClass::RwMutex);
    let locks: Vec<&LockNode> = graph.locks.iter().filter(drawn).collect();
    if locks.is_empty() && graph.cycles.is_empty() {
        return Ok(false);
    }
    let mut drawing = Drawing { stacks, style, width, out };
    drawing.text(0, Role::Title, "lock-wait")?;
    let most = if all { usize::MAX } else { SHOWN };
    for (cycle, &alike) in graph.cycles.iter().zip(&graph.alike).take(most) {
        drawing.cycle(graph, cycle)?;
        if alike > 1 {
            let more = format::counted(alike - 1, "more cycle", "more cycles");
            drawing.text(INDENT, Role::Dim, &format!("… and {more} like it"))?;
        }
    }
    let hidden = graph.alike.iter().skip(most).sum::<u64>() + graph.more_cycles;
    drawing.more(hidden, ("more deadlock cycle", "more deadlock cycles"))?;
    // What a cycle says of a lock need not be said again, unless others wait behind it.
    let in_cycle = |lock: &LockNode| {
        let of_lock = |waiter: &&Waiter| waiter.object == lock.object;
        graph.cycles.iter().take(most).flatten().filter(of_lock).count() as u64
    };
    let beside: Vec<_> = locks.into_iter().filter(|lock| lock.waiting > in_cycle(lock)).collect();
    for lock in beside.iter().take(most) {
        drawing.lock(lock)?;
    }
    let hidden = beside.len().saturating_sub(most) as u64 + graph.more;
    drawing.more(hidden, ("more contended lock", "more contended locks"))?;
    Ok(true)
}

struct Drawing<'a> {
    stacks: &'a StackTable,
    style: Style,
    width: usize,
    out: &'a mut dyn Write,
}

impl Drawing<'_> {
    /// A text that may take several lines, all but the first indented further.
    fn text(&mut self, indent: usize, role: Role, text: &str) -> io::Result<()> {
        let hanging = indent + INDENT;
        for (index, piece) in wrap(text, self.width.saturating_sub(hanging)).into_iter().enumerate()
        {
            let indent = if index == 0 { indent } else { hanging };
            writeln!(self.out, "{:indent$}{}", "", self.style.paint(role, piece))?;
        }
        Ok(())
    }

    fn more(&mut self, hidden: u64, (one, many): (&str, &str)) -> io::Result<()> {
        if hidden == 0 {
            return Ok(());
        }
        self.text(INDENT, Role::Dim, &format!("… and {}", format::counted(hidden, one, many)))
    }

    fn cycle(&mut self, graph: &LockGraph, cycle: &[Waiter]) -> io::Result<()> {
        let headline = match cycle.len() {
            1 => "one goroutine waits for what it probably holds itself, for ever".to_owned(),
            length => format!("{length} goroutines wait for each other in a cycle, for ever"),
        };
        self.text(INDENT, Role::Warning, &headline)?;
        for (place, waiter) in cycle.iter().enumerate() {
            let next = &cycle[(place + 1) % cycle.len()];
            let kind = graph.lock(waiter.object).map_or("lock", |lock| lock.kind.name());
            let relation = match kind {
                // The cycle of a reader and a writer begins with the reader.
                "rwmutex" if next.object == waiter.object && cycle.len() == 2 && place == 0 => {
                    "behind"
                }
                "wait group" => "which waits, probably, for",
                _ => "held, probably, by",
            };
            let next = if cycle.len() == 1 {
                "itself".to_owned()
            } else {
                format!("goroutine {}", next.goid)
            };
            let text = format!(
                "goroutine {}{} waits for {kind} {:#x}, {relation} {next}",
                waiter.goid,
                self.site(waiter.at),
                waiter.object,
            );
            self.text(2 * INDENT, Role::Title, &text)?;
        }
        Ok(())
    }

    fn lock(&mut self, lock: &LockNode) -> io::Result<()> {
        let waiting = format::counted(lock.waiting, "goroutine", "goroutines");
        let wait = if lock.waiting == 1 { "waits" } else { "wait" };
        let mut text = format!("{waiting} {wait} for {} {:#x}", lock.kind.name(), lock.object);
        if lock.passes {
            text.push_str(", which passes from hand to hand");
        } else if let Some(oldest) = lock.oldest {
            text.push_str(&format!(", the longest for at least {}", format::duration(oldest)));
        }
        self.text(INDENT, Role::Title, &text)?;
        if let Some(goids) = format::goids(&lock.waiters, lock.waiting) {
            self.text(2 * INDENT, Role::Dim, &format!("goids {goids}"))?;
        }
        match (&lock.holder, lock.kind) {
            (Some(holder), kind) => {
                let relation = match kind {
                    WaitClass::WaitGroup => "which waits, probably, for",
                    _ => "held, probably, by",
                };
                let doing = phrases::does(holder.doing);
                let site = self.site(holder.at);
                let text = format!("{relation} goroutine {}{site}, which {doing}", holder.goid);
                self.text(2 * INDENT, Role::Title, &text)
            }
            (None, WaitClass::Mutex | WaitClass::RwMutex) => {
                self.text(2 * INDENT, Role::Dim, "who holds it is not known")
            }
            (None, _) => Ok(()),
        }
    }

    /// A line as it follows a goroutine's id, in about half the width.
    fn site(&self, at: Option<FrameId>) -> String {
        let Some(at) = at.map(|at| format::frame(self.stacks, at)) else { return String::new() };
        let function = format::fit_function(&at.function, self.width / 2);
        format!(" ({function}, {})", format::fit_place(&at.place, self.width / 3))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Doing, Holder, Resolved};

    fn waiter(goid: u64, object: u64, at: Option<FrameId>) -> Waiter {
        Waiter { goid, object, at }
    }

    /// A table with one line, and that line.
    fn transfer() -> (StackTable, FrameId) {
        let (function, file) = ("main.transfer", "/src/app/bank.go");
        let mut stacks = StackTable::default();
        let frame = stacks.resolved(Resolved { function, file, line: 33, inlined: false });
        (stacks, frame)
    }

    fn lock(object: u64, kind: WaitClass, waiters: &[u64], holder: Option<Holder>) -> LockNode {
        let (waiters, waiting) = (waiters.to_vec(), waiters.len() as u64);
        let oldest = Some(Duration::from_secs(5));
        LockNode { object, kind, waiters, waiting, oldest, holder, passes: object == 0xe0 }
    }

    fn graph() -> LockGraph {
        let at = Some(transfer().1);
        let holder = |goid, class, object| {
            let doing = Doing::Wait { class, object, in_cycle: false };
            Some(Holder { goid, doing, is_stuck: true, at })
        };
        let locking = |goid, class, object| holder(goid, class, Some(object));
        let sleeping = |goid| holder(goid, WaitClass::Sleep, None);
        LockGraph {
            locks: vec![
                lock(0xa0, WaitClass::Mutex, &[12, 14, 15], locking(13, WaitClass::Mutex, 0xb0)),
                lock(0xb0, WaitClass::Mutex, &[13], locking(12, WaitClass::Mutex, 0xa0)),
                lock(0xc0, WaitClass::RwMutex, &[20, 21], locking(20, WaitClass::RwMutex, 0xc0)),
                lock(0xd0, WaitClass::Mutex, &[30], None),
                lock(0xe0, WaitClass::Mutex, &[31], sleeping(32)),
                lock(0xf0, WaitClass::WaitGroup, &[1], sleeping(2)),
            ],
            cycles: vec![
                vec![waiter(12, 0xa0, at), waiter(13, 0xb0, at)],
                vec![waiter(20, 0xc0, None), waiter(21, 0xc0, None)],
            ],
            alike: vec![300, 1],
            more: 7,
            more_cycles: 0,
        }
    }

    fn drawn(graph: &LockGraph, width: usize, all: bool) -> String {
        let mut out = Vec::new();
        draw((graph, &transfer().0), (Style::default(), width), all, &mut out)
            .expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn cycles_then_other_locks() {
        let text = "\
lock-wait
    2 goroutines wait for each other in a cycle, for ever
        goroutine 12 (main.transfer, /src/app/bank.go:33) waits for mutex 0xa0, held, probably,
            by goroutine 13
        goroutine 13 (main.transfer, /src/app/bank.go:33) waits for mutex 0xb0, held, probably,
            by goroutine 12
    … and 299 more cycles like it
    2 goroutines wait for each other in a cycle, for ever
        goroutine 20 waits for rwmutex 0xc0, behind goroutine 21
        goroutine 21 waits for rwmutex 0xc0, held, probably, by goroutine 20
    3 goroutines wait for mutex 0xa0, the longest for at least 5.0s
        goids 12, 14, 15
        held, probably, by goroutine 13 (main.transfer, /src/app/bank.go:33), which waits for
            mutex 0xb0
    1 goroutine waits for mutex 0xd0, the longest for at least 5.0s
        goids 30
        who holds it is not known
    1 goroutine waits for mutex 0xe0, which passes from hand to hand
        goids 31
        held, probably, by goroutine 32 (main.transfer, /src/app/bank.go:33), which sleeps
    … and 7 more contended locks
";
        assert_eq!(drawn(&graph(), 100, false), text);
        assert!(drawn(&graph(), 100, true).contains("wait group 0xf0"));
    }

    #[test]
    fn it_keeps_to_the_width() {
        for width in [60, 72, 80, 120] {
            let text = drawn(&graph(), width, true);
            let longest = text.lines().map(format::width).max().expect("lines");
            assert!(longest <= width, "{width}: {text}");
        }
    }

    #[test]
    fn nothing_to_draw() {
        assert_eq!(drawn(&LockGraph::default(), 80, true), "");
        let mut idle = graph();
        idle.cycles.clear();
        idle.locks.retain(|lock| lock.kind == WaitClass::WaitGroup);
        assert_eq!(drawn(&idle, 80, false), "");
    }

    #[test]
    fn one_that_waits_for_itself() {
        let graph = LockGraph {
            locks: vec![lock(0xa0, WaitClass::Mutex, &[5], None)],
            cycles: vec![vec![waiter(5, 0xa0, Some(transfer().1))]],
            alike: vec![1],
            ..LockGraph::default()
        };
        let text = "\
lock-wait
    one goroutine waits for what it probably holds itself, for ever
        goroutine 5 (main.transfer, /src/app/bank.go:33) waits for mutex 0xa0, held, probably,
            by itself
";
        assert_eq!(drawn(&graph, 100, false), text);
    }
}
