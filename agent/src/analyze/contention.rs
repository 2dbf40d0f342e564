//! Contention by line: what a program's block and mutex profiles count, joined with who waits now.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::summary::blocked_at;
use crate::model::{
    Contended, ContendedLine, ContendedLines, Contention, Counted, FrameId, Group, LinesOf,
    StackId, StackTable,
};

/// Lines of each kind that are kept: those with the most delay.
const MAX_LINES: usize = 50;

/// The contention of a window: its first profile of each kind, and its last.
#[derive(Debug, Default)]
pub(super) struct Series {
    first: Contention,
    last: Contention,
}

impl Series {
    /// Takes in what an observation has.
    pub(super) fn add(&mut self, contention: Option<&Contention>) {
        let Some(Contention { waits, releases }) = contention else { return };
        for (first, last, now) in [
            (&mut self.first.waits, &mut self.last.waits, waits),
            (&mut self.first.releases, &mut self.last.releases, releases),
        ] {
            if now.is_some() {
                last.clone_from(now);
                if first.is_none() {
                    first.clone_from(now);
                }
            }
        }
    }

    /// The lines of the last profiles, with how many of the groups wait at them now.
    pub(super) fn lines(&self, groups: &[Group], stacks: &StackTable) -> ContendedLines {
        let mut waiting: HashMap<Place<'_>, u64> = HashMap::new();
        for group in groups.iter().filter(|group| group.wait.is_blocked()) {
            if let Some(place) = group.blocked_at.and_then(|frame| place(frame, stacks)) {
                *waiting.entry(place).or_default() += group.count;
            }
        }
        let now = |frame| place(frame, stacks).and_then(|place| waiting.get(&place)).copied();
        let Self { first, last } = self;
        ContendedLines {
            waits: by_line(&first.waits, &last.waits, stacks, |frame| now(frame).unwrap_or(0)),
            releases: by_line(&first.releases, &last.releases, stacks, |_| 0),
        }
    }
}

/// What a block profile has of a line.
pub(super) fn at(
    lines: &ContendedLines,
    frame: FrameId,
    stacks: &StackTable,
) -> Option<ContendedLine> {
    let wanted = place(frame, stacks)?;
    lines.waits().iter().find(|line| place(line.at, stacks) == Some(wanted)).copied()
}

/// Function and line: a frame is another where a function was inlined or not.
type Place<'a> = (&'a str, u32);

fn place(frame: FrameId, stacks: &StackTable) -> Option<Place<'_>> {
    let frame = stacks.lookup(frame).ok()?;
    Some((frame.function, frame.line))
}

/// What was counted before, by stack.
type Before = HashMap<StackId, (u64, Duration)>;

/// What the first profile of a window counts, where the last goes on from there.
fn before(first: &Counted, last: &Counted) -> Option<Before> {
    if last.at <= first.at || first.over.is_some() != last.over.is_some() {
        return None;
    }
    let counts = |counted: &Counted| -> Before {
        let all = counted.stacks.iter();
        all.map(|&Contended { stack, count, delay }| (stack, (count, delay))).collect()
    };
    let (first, now) = (counts(first), counts(last));
    // Counts that fell are of a program that was started anew.
    let goes_on = first.iter().all(|(stack, (count, delay))| {
        now.get(stack).is_some_and(|(more, longer)| more >= count && longer >= delay)
    });
    goes_on.then_some(first)
}

#[derive(Default)]
struct Sum {
    count: u64,
    delay: Duration,
    within: (u64, Duration),
}

fn by_line(
    first: &Option<Counted>,
    last: &Option<Counted>,
    stacks: &StackTable,
    waiting: impl Fn(FrameId) -> u64,
) -> Option<LinesOf> {
    let last = last.as_ref()?;
    let first = first.as_ref().unwrap_or(last);
    let before = before(first, last);
    let mut sums: HashMap<Place<'_>, (FrameId, Sum)> = HashMap::new();
    for Contended { stack, count, delay } in &last.stacks {
        let Some(at) = blocked_at(stacks, *stack) else { continue };
        let Some(place) = place(at, stacks) else { continue };
        let (_, sum) = sums.entry(place).or_insert_with(|| (at, Sum::default()));
        sum.count = sum.count.saturating_add(*count);
        sum.delay = sum.delay.saturating_add(*delay);
        if let Some(before) = &before {
            let (counted, delayed) = before.get(stack).copied().unwrap_or_default();
            let (within, longer) = sum.within;
            sum.within = (
                within.saturating_add(count.saturating_sub(counted)),
                longer.saturating_add(delay.saturating_sub(delayed)),
            );
        }
    }
    let mut lines: Vec<ContendedLine> = sums
        .into_values()
        .map(|(at, Sum { count, delay, within })| {
            let within = before.is_some().then_some(within);
            ContendedLine { at, count, delay, within, waiting: waiting(at) }
        })
        .collect();
    lines.sort_by_key(|line| (Reverse(line.delay), line.at));
    lines.truncate(MAX_LINES);
    let within = before.map(|_| last.at.saturating_sub(first.at));
    Some(LinesOf { lines, over: last.over, within })
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
        let counted = |stacks: Vec<Contended>| {
            let at = seconds(u64::from(second));
            Some(Counted { stacks, over: None, at })
        };
        let more = u64::from(second);
        observation.contention = Some(Contention {
            waits: counted(vec![
                waited(lock, 3, 1),
                waited(send, 100 + more, 5 + more),
                waited(deeper, 20, 2),
            ]),
            releases: counted(vec![waited(unlock, 3, 1)]),
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
        let waits: Vec<String> = seen.contention.waits().iter().map(name).collect();
        assert_eq!(waits, ["main.leakGoroutines.func1:33 120 7s 20", "main.serve:7 3 1s 0"]);
        let releases: Vec<String> = seen.contention.releases().iter().map(name).collect();
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
        let said = Evidence::Contended { count: 149, delay: Duration::from_secs(36), over: None };
        assert!(findings[0].evidence.contains(&said), "{:?}", findings[0].evidence);
    }

    #[test]
    fn what_is_within_the_window_is_the_difference_of_two_profiles() {
        let lines = |seconds: &[u32]| {
            let mut window = Window::default();
            seconds.iter().for_each(|second| window.push(&observed(*second)));
            assess(&window).expect("observed").contention.waits.expect("a profile")
        };
        let seconds = Duration::from_secs;
        assert_eq!((lines(&[0]).within, lines(&[0]).lines[0].within), (None, None));
        let ten = lines(&[0, 3, 10]);
        assert_eq!(ten.within, Some(seconds(10)));
        let within: Vec<_> = ten.lines.iter().map(|line| line.within).collect();
        assert_eq!(within, [Some((10, seconds(10))), Some((0, Duration::ZERO))]);
        // The program was started anew.
        let mut window = Window::default();
        let (before, mut after) = (observed(9), observed(3));
        after.elapsed = before.elapsed + seconds(1);
        if let Some(Contention { waits: Some(waits), .. }) = &mut after.contention {
            waits.at = after.elapsed;
        }
        window.push(&before);
        window.push(&after);
        let waits = assess(&window).expect("observed").contention.waits.expect("a profile");
        assert_eq!((waits.within, waits.lines[0].count), (None, 123));
    }
}
