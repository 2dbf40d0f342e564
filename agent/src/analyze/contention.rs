//! Contention by line: what a program's block and mutex profiles count, joined with who waits now.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::summary::blocked_at;
use crate::model::{
    Contended, ContendedLine, ContendedLines, Contention, FrameId, Group, StackTable,
};

/// Lines of each kind that are kept: those with the most delay.
const MAX_LINES: usize = 50;

/// The lines of a contention, with how many of the groups wait at them now.
pub(super) fn lines(
    contention: &Contention,
    groups: &[Group],
    stacks: &StackTable,
) -> ContendedLines {
    let mut waiting: HashMap<Place<'_>, u64> = HashMap::new();
    for group in groups.iter().filter(|group| group.wait.is_blocked()) {
        if let Some(place) = group.blocked_at.and_then(|frame| place(frame, stacks)) {
            *waiting.entry(place).or_default() += group.count;
        }
    }
    let now = |frame| place(frame, stacks).and_then(|place| waiting.get(&place)).copied();
    ContendedLines {
        waits: by_line(&contention.waits, stacks, |frame| now(frame).unwrap_or(0)),
        releases: by_line(&contention.releases, stacks, |_| 0),
    }
}

/// What a block profile has of a line.
pub(super) fn at(
    lines: &ContendedLines,
    frame: FrameId,
    stacks: &StackTable,
) -> Option<ContendedLine> {
    let wanted = place(frame, stacks)?;
    lines.waits.iter().find(|line| place(line.at, stacks) == Some(wanted)).copied()
}

/// Function and line: a frame is another where a function was inlined or not.
type Place<'a> = (&'a str, u32);

fn place(frame: FrameId, stacks: &StackTable) -> Option<Place<'_>> {
    let frame = stacks.lookup(frame).ok()?;
    Some((frame.function, frame.line))
}

fn by_line(
    contended: &[Contended],
    stacks: &StackTable,
    waiting: impl Fn(FrameId) -> u64,
) -> Vec<ContendedLine> {
    let mut sums: HashMap<Place<'_>, (FrameId, u64, Duration)> = HashMap::new();
    for Contended { stack, count, delay } in contended {
        let Some(at) = blocked_at(stacks, *stack) else { continue };
        let Some(place) = place(at, stacks) else { continue };
        let (_, counted, delayed) = sums.entry(place).or_insert((at, 0, Duration::ZERO));
        *counted = counted.saturating_add(*count);
        *delayed = delayed.saturating_add(*delay);
    }
    let mut lines: Vec<ContendedLine> = sums
        .into_values()
        .map(|(at, count, delay)| ContendedLine { at, count, delay, waiting: waiting(at) })
        .collect();
    lines.sort_by_key(|line| (Reverse(line.delay), line.at));
    lines.truncate(MAX_LINES);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, assess, judge};
    use crate::model::{Evidence, Observation};
    use crate::sample::leaking;

    /// Twenty that wait to send at line 33, whose block profile says that others waited there before, for a
    /// lock that `main.serve` releases.
    fn observed(second: u32) -> Observation {
        let mut sample = leaking(20 + 20 * u64::from(second));
        let mut stack = |frames: &[(&str, &str, u32)]| sample.stack(frames);
        let seconds = Duration::from_secs;
        let waited = |stack, count, delay| Contended { stack, count, delay: seconds(delay) };
        let send = stack(&[
            ("runtime.chansend1", "/go/src/runtime/chan.go", 9),
            ("main.leakGoroutines.func1", "/src/app/leak.go", 33),
        ]);
        let deeper = stack(&[
            ("runtime.chansend1", "/go/src/runtime/chan.go", 9),
            ("main.leakGoroutines.func1", "/src/app/leak.go", 33),
            ("main.other", "/src/app/leak.go", 90),
        ]);
        let lock = stack(&[
            ("sync.(*Mutex).Lock", "/go/src/sync/mutex.go", 90),
            ("main.serve", "/src/app/serve.go", 7),
        ]);
        let unlock = stack(&[
            ("sync.(*Mutex).Unlock", "/go/src/sync/mutex.go", 190),
            ("main.serve", "/src/app/serve.go", 9),
        ]);
        let mut observation = sample.observe(second);
        observation.contention = Some(Contention {
            waits: vec![waited(lock, 3, 1), waited(send, 100, 5), waited(deeper, 20, 2)],
            releases: vec![waited(unlock, 3, 1)],
        });
        observation
    }

    #[test]
    fn lines_are_summed_and_joined_with_who_waits_now() {
        let mut window = Window::default();
        window.push(&observed(0));
        let seen = assess(&window).expect("observed");
        let name = |line: &ContendedLine| {
            let frame = seen.stacks.lookup(line.at).expect("named");
            format!(
                "{}:{} {} {:?} {}",
                frame.function, frame.line, line.count, line.delay, line.waiting
            )
        };
        let waits: Vec<String> = seen.contention.waits.iter().map(name).collect();
        assert_eq!(waits, ["main.leakGoroutines.func1:33 120 7s 20", "main.serve:7 3 1s 0"]);
        let releases: Vec<String> = seen.contention.releases.iter().map(name).collect();
        assert_eq!(releases, ["main.serve:9 3 1s 0"]);
    }

    #[test]
    fn a_finding_says_what_the_block_profile_has_of_its_line() {
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&observed(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let findings = judged.expect("observed").judgement.expect("judged").findings;
        let said = Evidence::Contended { count: 120, delay: Duration::from_secs(7) };
        assert!(findings[0].evidence.contains(&said), "{:?}", findings[0].evidence);
    }
}
