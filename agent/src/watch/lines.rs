//! One line a sample, for logs and pipes.

use crate::model::{Assessment, EarlierProgram, Rates};
use crate::report::{format, json, phrases};

/// The time, the target, its goroutines, what changed since the sample before, and the group that
/// grew most (the largest, if none grew). No line end.
#[must_use]
pub fn line(assessment: &Assessment, now: Option<Rates>) -> String {
    let mut line = start(assessment);
    if assessment.subjects().goroutines {
        line.push_str(&format!("  {}", phrases::goroutines(assessment)));
    }
    if let Some(rates) = now {
        line.push_str(&format!("  {}", format::rates(rates)));
    }
    if let Some(memory) = phrases::memory_in_brief(assessment.memory.as_ref()) {
        line.push_str(&format!("  {memory}"));
    }
    if let Some(resources) = phrases::resources_in_brief(assessment.resources.as_ref()) {
        line.push_str(&format!("  {resources}"));
    }
    // The change since the sample before, like the rates beside it.
    let change =
        |count: u64, previous: Option<u64>| previous.map_or(0, |p| count.saturating_sub(p));
    let top = assessment.groups.iter().reduce(|best, group| {
        let grew = change(group.count, group.previous) > change(best.count, best.previous);
        if grew { group } else { best }
    });
    if let Some(group) = top {
        line.push_str(&format!("  top: {} {}", format::count(group.count), group.wait.name()));
        if let Some(previous) = group.previous.filter(|&previous| previous != group.count) {
            let sign = if group.count > previous { '+' } else { '-' };
            line.push_str(&format!(" ({sign}{})", format::count(group.count.abs_diff(previous))));
        }
        if let Some(frame) = group.blocked_at {
            let text = format::frame(&assessment.stacks, frame);
            let function = format::fit_function(&text.function, 48);
            line.push_str(&format!(" at {function} {}", format::fit_place(&text.place, 24)));
        }
    }
    let coverage = &assessment.coverage;
    let missed =
        coverage.goroutines_seen.saturating_sub(coverage.goroutines_read + coverage.running);
    if let Some(held) = coverage.process.and_then(|process| process.halt) {
        line.push_str(&format!("  {}", held.name()));
    }
    if missed > 0 {
        line.push_str(&format!("  {} not read", format::count(missed)));
    }
    line
}

/// The time, the target, and that it is another program from here on. No line end.
#[must_use]
pub fn replaced(assessment: &Assessment, program: &EarlierProgram) -> String {
    format!(
        "{}  {}",
        start(assessment),
        format::clean(&phrases::replaced(&assessment.target, program))
    )
}

fn start(assessment: &Assessment) -> String {
    let target = &assessment.target;
    let time = json::time(assessment.window.last).unwrap_or_default();
    let pid = target.pid().map(|pid| format!("[{pid}]")).unwrap_or_default();
    format!("{time}  {}{pid}", format::clean(&target.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Window, assess};
    use crate::model::{Heap, Memory, ProcessMemory};
    use crate::sample::leaking;

    #[test]
    fn a_line_tells_what_grew() {
        let mut window = Window::default();
        window.push(&leaking(1).observe(0));
        let first = assess(&window).expect("observed");
        assert_eq!(
            line(&first, window.rates_now()).split("  top: ").next(),
            Some("2026-11-20T08:00:00.000Z  potato[4711]  4 goroutines")
        );
        let mut sample = leaking(40);
        let process = ProcessMemory { rss_bytes: 3 << 20, ..ProcessMemory::default() };
        let heap = Heap { marked_bytes: Some(1 << 20), ..Heap::default() };
        sample.memory = Memory { process: Some(process), heap: Some(heap), ..Memory::default() };
        window.push(&sample.observe(1));
        let second = assess(&window).expect("observed");
        assert_eq!(
            line(&second, window.rates_now()),
            "2026-11-20T08:00:01.000Z  potato[4711]  43 goroutines  ≥+50.5 created/s  \
             ≥-0.5 exited/s  3.0 MiB resident, live heap 1.0 MiB  top: 40 chan send (+39) at main.leakGoroutines.func1 \
             /src/app/leak.go:33"
        );
    }
}
