//! What is written is read: observations of any kind, written as Go writes goroutines, read again, and
//! written once more, give the same text.

use std::sync::Arc;
use std::time::Duration;

use super::intake::{Intake, Moment};
use super::packed::{self, Limits};
use super::{Reading, counts, dump, proto, write};
use crate::model::{
    BlockedBasis, BlockedFor, Goroutine, Observation, ProfileForm, Resolved, StackView, Status,
    WaitClass,
};
use crate::sample::Sample;

/// Numbers that are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

const FUNCTIONS: [&str; 8] = [
    "main.f",
    "main.(*T[...]).Do.func1",
    "example.org/a%2eb/v2.init.0",
    "runtime.gopanic",
    "main.\u{e9}t\u{e9}",
    "main.F[...].gowrap1",
    "net/http.(*conn).serve",
    "runtime.(*Frames).Next",
];
const FILES: [&str; 6] =
    ["/src/main.go", "C:/a b/c.go", "sync/mutex.go", "/a:1/b +0x1/c.go", "/\u{e9} {}.go", "x.go"];
const KEYS: [&str; 3] = ["", "a/b", "k \"2\""];
const WORDS: [&str; 8] =
    ["job", "a/b", "k 2", "", "v \"x\"", "]}: {", "line\nbreak\t\\", "\u{1f600}\u{e9}"];
const WAITS: [WaitClass; 7] = [
    WaitClass::ChanSend,
    WaitClass::ChanReceive,
    WaitClass::Select,
    WaitClass::Mutex,
    WaitClass::NilChannel,
    WaitClass::Sleep,
    WaitClass::Running,
];

/// An observation that the numbers make.
fn made(numbers: &mut Numbers) -> Observation {
    let mut sample = Sample::new();
    for goid in 1..=1 + numbers.below(12) as u64 {
        let stack = if numbers.below(12) == 0 {
            sample.unresolved_stack(0x40_1000 + goid)
        } else {
            let most = if numbers.below(9) == 0 { 90 } else { 8 };
            let depth = 1 + numbers.below(most);
            let frames: Vec<_> = (0..depth)
                .map(|at| {
                    // Goroutines that start in the runtime are its own, and not written.
                    let is_start = at + 1 == depth;
                    let functions = if is_start { &FUNCTIONS[..3] } else { &FUNCTIONS[..] };
                    let (function, file) = (numbers.of(functions), numbers.of(&FILES));
                    let (line, inlined) = (1 + numbers.below(9999) as u32, numbers.below(4) == 0);
                    // What an outermost frame would be inlined into is not there.
                    let inlined = inlined && !is_start;
                    sample.stacks.resolved(Resolved { function, file, line, inlined })
                })
                .collect();
            sample.stacks.stack(&frames, if numbers.below(9) == 0 { 77 } else { 0 })
        };
        let labels: Vec<(&str, &str)> =
            (0..numbers.below(3)).map(|at| (KEYS[at], numbers.of(&WORDS))).collect();
        let labels = sample.labels(&labels);
        let site = sample.frame(numbers.of(&FUNCTIONS[..3]), numbers.of(&FILES), 3);
        let wait = WAITS[numbers.below(WAITS.len())];
        let one = sample.add(goid, wait, StackView::Read(stack));
        one.labels = labels;
        one.created_by = (goid > 1 && numbers.below(4) > 0).then_some(site);
        one.parent = one.created_by.and(std::num::NonZeroU64::new(numbers.below(3) as u64));
        one.locked_to_thread = numbers.below(5) == 0;
        if numbers.below(3) == 0 && one.status == Status::Waiting {
            let minutes = 1 + numbers.below(5000) as u64;
            let duration = Duration::from_secs(minutes * 60);
            one.blocked = Some(BlockedFor { duration, basis: BlockedBasis::Runtime });
        }
    }
    sample.observe(0)
}

/// The observation that a text gives, of the same target.
fn read(
    form: ProfileForm,
    of: &Observation,
    read: impl FnOnce(&mut Intake) -> Reading,
) -> Observation {
    let mut intake = Intake::default();
    let reading = read(&mut intake);
    assert_eq!((reading.faults, reading.other_lines, reading.cut_short), (0, 0, false));
    intake.observation(Moment {
        target: Arc::clone(&of.target),
        at: of.at,
        elapsed: Duration::ZERO,
        form,
        only_leaked: false,
        reading: &reading,
    })
}

fn dumped(observation: &Observation) -> String {
    let mut text = Vec::new();
    write::dump(observation, &mut text).expect("goroutines with ids");
    String::from_utf8(text).expect("UTF-8")
}

fn counted(observation: &Observation) -> String {
    let mut text = Vec::new();
    write::counts(observation, &mut text).expect("a vector takes everything");
    String::from_utf8(text).expect("UTF-8")
}

#[test]
fn dumps_come_back_as_they_were() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..300 {
        let mut observation = made(&mut numbers);
        Arc::make_mut(&mut observation.target).go_version = Some("go1.27.3".to_owned());
        let text = dumped(&observation);
        let piece = 1 + numbers.below(text.len());
        let again = read(ProfileForm::Dump, &observation, |intake| {
            let mut reader = dump::Reader::new(intake);
            text.as_bytes().chunks(piece).for_each(|bytes| reader.feed(bytes));
            reader.finish()
        });
        assert_eq!(dumped(&again), text);
    }
}

#[test]
fn counts_come_back_as_they_were() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..300 {
        let observation = made(&mut numbers);
        let text = counted(&observation);
        let piece = 1 + numbers.below(text.len());
        let again = read(ProfileForm::Counts, &observation, |intake| {
            let mut reader = counts::Reader::new(intake);
            text.as_bytes().chunks(piece).for_each(|bytes| reader.feed(bytes));
            reader.finish()
        });
        // Where stacks are counted alike, the order is that of numbers that stand for addresses.
        let sorted = |text: &str| {
            let frames = |stack: &str| {
                let lines = stack.lines().filter(|line| !line.is_empty()).map(|line| {
                    let words = line.split('\t').filter(|word| !word.is_empty());
                    let words = words.filter(|word| !word.starts_with("0x"));
                    words
                        .map(|word| word.split(" @ ").next().unwrap_or(word))
                        .collect::<Vec<_>>()
                        .join(" ")
                });
                lines.collect::<Vec<_>>().join("\n")
            };
            let mut stacks: Vec<String> = text.split("\n\n").map(frames).collect();
            stacks.sort();
            stacks
        };
        assert_eq!(sorted(&counted(&again)), sorted(&text));
    }
}

/// Goroutines 11 and 12 are proven to leak, 12 and 13 marked by the runtime, and 14 is neither.
fn leaking_twice() -> Observation {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.leak", "/src/a.go", 3)]);
    for goid in 11..15 {
        let one = sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
        one.proven = goid < 13;
        if goid == 12 || goid == 13 {
            one.status = Status::Leaked;
        }
    }
    sample.observe(0)
}

/// Whom each goroutine is proven to leak by: leak-agent, and the runtime.
fn whose(observation: &Observation) -> Vec<(u32, bool, bool)> {
    let whose = |it: &Goroutine| (it.weight, it.proven, it.status == Status::Leaked);
    observation.goroutines.iter().map(whose).collect()
}

const SAID: &str = "2 goroutines proven to leak; all others can still be reached";

#[test]
fn leaks_in_a_dump_come_back_as_the_verdict_of_whom_they_were() {
    let seen = leaking_twice();
    let mut text = Vec::new();
    write::leaks::dump(&seen, SAID, &mut text).expect("goroutines with ids");
    let with = String::from_utf8(text).expect("UTF-8");
    assert!(with.contains(SAID) && with.matches(" (leaked)]:").count() == 3, "{with}");
    // What the runtime marked is its verdict, whatever leak-agent proved of it.
    let expected = [(1, true, false), (1, false, true), (1, false, true), (1, false, false)];
    for text in [&with, &dumped(&seen)] {
        let again = read(ProfileForm::Dump, &seen, |intake| {
            let mut reader = dump::Reader::new(intake);
            reader.feed(text.as_bytes());
            reader.finish()
        });
        assert_eq!(whose(&again), expected, "{text}");
        assert!(again.coverage.profile.is_some_and(|it| it.of_agent));
    }
    // Without a proof it is Go's own text.
    let mut unproven = leaking_twice();
    unproven.goroutines.iter_mut().for_each(|it| it.proven = false);
    assert!(dumped(&unproven).starts_with("goroutine 11 ["));
}

#[test]
fn what_another_wrote_behind_leaks_is_not_taken_for_them() {
    let mut text = dumped(&leaking_twice());
    text.push_str("\ngoroutine 21 [chan send (leaked)]:\nmain.leak(...)\n\t/src/a.go:3 +0x0\n");
    // Each line of a log, and the string of one.
    let lines: Vec<&str> = text.lines().collect();
    let logged: String = lines.iter().map(|line| format!("2026-01-02 web-1 | {line}\n")).collect();
    let quoted = format!("{{\"msg\":\"{}\"}}\n", lines.join("\\n").replace('\t', "\\t"));
    for text in [text.clone(), logged, quoted] {
        let mut intake = Intake::default();
        let mut reader = dump::Reader::new(&mut intake);
        reader.feed(text.as_bytes());
        let reading = reader.finish();
        assert!(reading.of_agent, "{text}");
        let again = intake.observation(Moment {
            target: Arc::clone(&leaking_twice().target),
            at: leaking_twice().at,
            elapsed: Duration::ZERO,
            form: ProfileForm::Dump,
            only_leaked: false,
            reading: &reading,
        });
        let expected = [
            (1, true, false),
            (1, false, true),
            (1, false, true),
            (1, false, false),
            (1, false, true),
        ];
        assert_eq!(whose(&again), expected, "{text}");
    }
}

#[test]
fn leaks_that_are_counted_come_back_as_proven_by_leak_agent() {
    let seen = leaking_twice();
    let again = |form, reading: &Reading, intake: &mut Intake| {
        intake.observation(Moment {
            target: Arc::clone(&seen.target),
            at: seen.at,
            elapsed: Duration::ZERO,
            form,
            only_leaked: true,
            reading,
        })
    };
    let mut text = Vec::new();
    write::leaks::counts(&seen, SAID, &mut text).expect("a vector takes everything");
    let said = String::from_utf8_lossy(&text).into_owned();
    assert!(said.starts_with("goroutineleak profile: total 2\n# leak-agent "), "{said}");
    let mut intake = Intake::default();
    let mut reader = counts::Reader::new(&mut intake);
    reader.feed(&text);
    let reading = reader.finish();
    assert_eq!((reading.other_lines, reading.faults, reading.of_agent), (0, 0, true));
    let counted = again(ProfileForm::Counts, &reading, &mut intake);
    assert_eq!(whose(&counted), [(2, true, false)]);

    let mut packed = Vec::new();
    write::leaks::profile(&seen, SAID, &mut packed).expect("a vector takes everything");
    let bytes = packed::whole(&packed, Limits::of_bytes(1 << 20)).expect("gzip");
    let profile = proto::Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.kind(), proto::Kind::GoroutineLeak);
    assert!(profile.comments().any(|comment| comment == SAID));
    let mut intake = Intake::default();
    let reading = profile.goroutines(&mut intake).expect("of goroutines");
    let counted = again(ProfileForm::Proto, &reading, &mut intake);
    let mut whose = whose(&counted);
    whose.sort_unstable();
    assert_eq!(whose, [(1, true, false), (1, true, true)]);

    // One that Go wrote is Go's.
    let text = said.lines().filter(|line| !line.starts_with("# leak-agent")).collect::<Vec<_>>();
    let mut intake = Intake::default();
    let mut reader = counts::Reader::new(&mut intake);
    reader.feed(format!("{}\n\n", text.join("\n")).as_bytes());
    let reading = reader.finish();
    let counted = again(ProfileForm::Counts, &reading, &mut intake);
    assert_eq!(self::whose(&counted), [(2, false, true)]);
}

/// What Go 1.27.3 gives of a program that leaks three goroutines, and whose main goroutine stands in `select {}`.
#[test]
fn the_place_that_go_leaves_empty_is_no_leak() {
    let text = "goroutineleak profile: total 4\n\
                3 @ 0x47d8aa 0x4df065\n#\t0x4df064\tmain.leak+0x24\t/src/main.go:10\n\n\
                1 @\n#\t0x0\n\n";
    let mut intake = Intake::default();
    let mut reader = counts::Reader::new(&mut intake);
    reader.feed(text.as_bytes());
    let reading = reader.finish();
    let seen = intake.observation(Moment {
        target: Arc::clone(&leaking_twice().target),
        at: leaking_twice().at,
        elapsed: Duration::ZERO,
        form: ProfileForm::Counts,
        only_leaked: true,
        reading: &reading,
    });
    assert_eq!(whose(&seen), [(3, false, true)]);
    let read = seen.coverage.profile.expect("it is one");
    assert_eq!((read.announced, read.faults), (Some(4), 1));
    assert!(read.first_fault.is_some_and(|fault| fault.what.contains("select {}")));
}
