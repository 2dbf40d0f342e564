use std::time::Duration;

use super::*;
use crate::model::{
    BlockedBasis, BlockedFor, LabelsId, Observation, Resolved, StackView, Status, WaitClass,
};
use crate::profile::packed::{self, Limits};
use crate::profile::proto::Profile;
use crate::profile::record::{Call, Entry, Record};
use crate::sample::{Sample, leaking};

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8")
}

fn dumped(observation: &Observation) -> String {
    text(|out| dump(observation, out).expect("goroutines with ids"))
}

fn counted(observation: &Observation) -> String {
    text(|out| counts(observation, out).expect("a vector takes everything"))
}

fn packed_profile(observation: &Observation) -> Vec<u8> {
    let mut bytes = Vec::new();
    pprof(observation, None, &mut bytes).expect("a vector takes everything");
    packed::whole(&bytes, Limits::of_bytes(1 << 20)).expect("gzip").into_owned()
}

/// A goroutine that waits for a channel in `main.work`, inlined into `main.run`, with a label.
fn worker() -> Sample {
    let mut sample = Sample::new();
    let file = "/src/app/main.go";
    let inlined = Resolved { function: "main.Map[go.shape.int]", file, line: 7, inlined: true };
    let frames = [
        sample.frame("runtime.gopark", "/go/src/runtime/proc.go", 424),
        sample.frame("runtime.chansend1", "/go/src/runtime/chan.go", 161),
        sample.stacks.resolved(inlined),
        sample.frame("main.run", file, 9),
        sample.frame("runtime.goexit", "/go/src/runtime/asm_amd64.s", 1700),
    ];
    let stack = sample.stacks.stack(&frames, 0);
    let (site, start) = (sample.frame("main.main", file, 20), sample.frame("main.run", file, 8));
    let labels = sample.labels(&[("a b", "c"), ("job", "x/y")]);
    let worker = sample.add(7, WaitClass::ChanSend, StackView::Read(stack));
    (worker.created_by, worker.started_in, worker.labels) = (Some(site), Some(start), labels);
    worker.parent = std::num::NonZeroU64::new(1);
    worker.blocked =
        Some(BlockedFor { duration: Duration::from_secs(187), basis: BlockedBasis::Runtime });
    worker.locked_to_thread = true;
    let collector = sample.frame("runtime.gcBgMarkWorker", "/go/src/runtime/mgc.go", 1234);
    sample.add(8, WaitClass::Runtime, StackView::Read(stack)).started_in = Some(collector);
    sample
}

#[test]
fn a_dump_is_written_as_go_writes_it() {
    let mut sample = worker();
    let site = sample.goroutines().next().and_then(|it| it.created_by);
    sample.add(9, WaitClass::Running, StackView::Running).created_by = site;
    let mut seen = sample.observe(0);
    std::sync::Arc::make_mut(&mut seen.target).go_version = Some("go1.27.3".to_owned());
    assert_eq!(
        dumped(&seen),
        "goroutine 7 [chan send, 3 minutes, locked to thread] {\"a b\": c, job: x/y}:\n\
         main.Map[...](...)\n\t/src/app/main.go:7\n\
         main.run(...)\n\t/src/app/main.go:9 +0x0\n\
         created by main.main in goroutine 1\n\t/src/app/main.go:20 +0x0\n\
         \n\
         goroutine 9 [running]:\n\
         \tgoroutine running on other thread; stack unavailable\n\
         created by main.main\n\t/src/app/main.go:20 +0x0\n"
    );
    std::sync::Arc::make_mut(&mut seen.target).go_version = Some("go1.26.6".to_owned());
    assert!(!dumped(&seen).contains("job"));
}

#[test]
fn deep_stacks_keep_both_ends_and_those_of_the_runtime_all() {
    let mut sample = Sample::new();
    let frames: Vec<_> =
        (0..150).map(|index| sample.frame("main.recurse", "/a.go", index + 1)).collect();
    let deep = sample.stacks.stack(&frames, 0);
    let cut = sample.stacks.stack(&frames, 1000);
    let fits = sample.stacks.stack(&frames[..100], 0);
    let park = sample.stack(&[]);
    let panics = [
        sample.frame("runtime.gopanic", "/p.go", 1),
        sample.frame("main.f", "/p.go", 2),
        sample.frame("runtime.gopanic", "/p.go", 3),
        sample.frame("runtime.(*Frames).Next", "/p.go", 4),
        sample.frame("runtime.(*mheap).Alloc", "/p.go", 5),
    ];
    let panics = sample.stacks.stack(&panics, 0);
    let unnamed = sample.unresolved_stack(0x40_1000);
    for (goid, stack) in (1..).zip([deep, cut, fits, park, panics, unnamed]) {
        sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
    }
    let text = dumped(&sample.observe(0));
    let parts: Vec<&str> = text.split("\n\n").collect();
    let lines = |part: usize| parts[part].lines().collect::<Vec<_>>();
    assert_eq!(lines(0).len(), 1 + 200 + 1);
    assert_eq!(lines(0)[101], "...50 frames elided...");
    assert!(lines(0)[103].ends_with(":101 +0x0"), "{}", lines(0)[103]);
    assert_eq!(lines(1).last(), Some(&"...1050 frames elided..."));
    assert_eq!(lines(2).len(), 201);
    assert!(lines(3)[1].starts_with("runtime.gopark("), "{}", parts[3]);
    let functions: Vec<&str> = lines(4)[1..].iter().copied().step_by(2).collect();
    assert_eq!(functions, ["main.f(...)", "panic(...)", "runtime.(*Frames).Next(...)"]);
    assert_eq!(lines(5)[1], "non-Go function at pc=0x401000");
}

#[test]
fn goroutines_that_are_only_counted_make_no_dump() {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.work", "/a.go", 3)]);
    sample.add_counted(5, WaitClass::ChanSend, StackView::Read(stack));
    let seen = sample.observe(0);
    assert!(matches!(dump(&seen, &mut Vec::new()), Err(Error::NotTold)));
    assert!(counted(&seen).starts_with("goroutine profile: total 5\n5 @"));
}

#[test]
fn counts_are_written_as_go_writes_them() {
    let mut sample = worker();
    let stack = sample.stack(&[("main.serve", "/b.go", 3)]);
    let runtimes = sample.stack(&[]);
    for goid in 20..23 {
        sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
    }
    sample.add(30, WaitClass::Sleep, StackView::Read(runtimes));
    sample.add(31, WaitClass::Running, StackView::Running);
    assert_eq!(
        counted(&sample.observe(0)),
        "goroutine profile: total 6\n\
         3 @ 0x6 0x7 0x8\n\
         #\t0x8\tmain.serve+0x0\t/b.go:3\n\
         \n\
         1 @\n\
         #\t0x0\n\
         \n\
         1 @ 0x1 0x2 0x3 0x4 0x5\n\
         # labels: {\"a b\":\"c\", \"job\":\"x/y\"}\n\
         #\t0x3\tmain.Map[...]+0x0\t/src/app/main.go:7\n\
         #\t0x4\tmain.run+0x0\t\t/src/app/main.go:9\n\
         \n\
         1 @ 0x6 0x7\n\
         #\t0x6\truntime.gopark+0x0\t/usr/local/go/src/runtime/proc.go:424\n\
         #\t0x7\truntime.chansend+0x0\t/usr/local/go/src/runtime/chan.go:270\n\
         \n"
    );
}

#[test]
fn a_profile_is_read_back_as_it_was_written() {
    let mut sample = worker();
    let stack = sample.unresolved_stack(0x40_1000);
    for goid in 20..23 {
        sample.add(goid, WaitClass::Syscall, StackView::Read(stack)).status = Status::Syscall;
    }
    sample.add(31, WaitClass::Running, StackView::Running);
    let leaked = sample.add(32, WaitClass::ChanSend, StackView::Torn);
    leaked.status = Status::Leaked;
    let bytes = packed_profile(&sample.observe(5));
    let profile = Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.time(), Some(sample.observe(5).at));
    assert_eq!(profile.binary(), Some("potato (pid 4711)"));
    let comments: Vec<&str> = profile.comments().collect();
    assert_eq!(comments[1..], ["goroutines without a stack that could be read: 2"]);
    let mut records = Vec::new();
    let mut take = |record: &Record<'_>| {
        let state = record.state.expect("leak-agent wrote it");
        let entry = |entry: &Entry<'_>| match entry {
            Entry::Call(Call { function, file, line, inlined }) => {
                format!("{function} {file}:{line} {inlined}")
            }
            other => format!("{other:?}"),
        };
        records.push((
            (record.count, state.text.to_owned(), state.minutes),
            (state.leaked, state.locked_to_thread),
            record.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
            record.stack.iter().map(entry).collect::<Vec<_>>(),
        ));
    };
    let reading = profile.goroutines(&mut take).expect("one of goroutines");
    assert_eq!((reading.goroutines, reading.faults), (6, 0));
    let stack = [
        "runtime.gopark /go/src/runtime/proc.go:424 false",
        "runtime.chansend1 /go/src/runtime/chan.go:161 false",
        "main.Map[go.shape.int] /src/app/main.go:7 true",
        "main.run /src/app/main.go:9 false",
    ];
    let none = Vec::<String>::new;
    let expected = [
        ((3, "syscall", None), (false, false), none(), vec!["Address(4198400)".to_owned()]),
        (
            (1, "chan send", Some(3)),
            (false, true),
            ["a b=c", "job=x/y"].map(str::to_owned).to_vec(),
            stack.map(str::to_owned).to_vec(),
        ),
        ((1, "running", None), (false, false), none(), none()),
        ((1, "chan send", None), (true, false), none(), none()),
    ];
    let expected = expected.map(|((count, state, minutes), marks, labels, stack)| {
        ((count, state.to_owned(), minutes), marks, labels, stack)
    });
    assert_eq!(records, expected);
}

#[test]
fn waits_keep_two_digits_so_that_samples_stay_few() {
    let mut sample = leaking(5000);
    for (goroutine, seconds) in sample.goroutines().zip(0..) {
        let duration = Duration::from_secs(seconds);
        goroutine.blocked = Some(BlockedFor { duration, basis: BlockedBasis::FirstSeen });
    }
    let bytes = packed_profile(&sample.observe(0));
    let mut records = 0;
    let mut total = 0;
    let mut take = |record: &Record<'_>| (records, total) = (records + 1, total + record.count);
    Profile::read(&bytes).expect("a profile").goroutines(&mut take).expect("of goroutines");
    assert_eq!(total, 5003);
    assert!(records < 250, "{records}");
}

#[test]
fn a_difference_has_what_came_and_what_went() {
    let (before, after) = (leaking(10).observe(0), leaking(25).observe(30));
    let mut bytes = Vec::new();
    difference(&before, &after, &mut bytes).expect("a vector takes everything");
    let bytes = packed::whole(&bytes, Limits::of_bytes(1 << 20)).expect("gzip");
    let profile = Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.duration(), Some(Duration::from_secs(30)));
    let mut counts = Vec::new();
    let mut take = |record: &Record<'_>| counts.push(record.count);
    let reading = profile.goroutines(&mut take).expect("of goroutines");
    assert_eq!((counts.as_slice(), reading.faults), (&[15][..], 0));
    let mut bytes = Vec::new();
    difference(&after, &before, &mut bytes).expect("a vector takes everything");
    let bytes = packed::whole(&bytes, Limits::of_bytes(1 << 20)).expect("gzip");
    let reading = Profile::read(&bytes).expect("a profile").goroutines(&mut |_: &Record<'_>| {});
    assert_eq!(reading.map(|it| (it.records, it.faults)), Ok((0, 1)));
}

#[test]
fn names_from_a_target_break_no_line() {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.a\nb", "/a\n\tc.go", 3)]);
    let labels = sample.labels(&[("k\n", "v\n}")]);
    sample.add(5, WaitClass::ChanSend, StackView::Read(stack)).labels = labels;
    assert_ne!(labels, LabelsId::default());
    let mut seen = sample.observe(0);
    std::sync::Arc::make_mut(&mut seen.target).go_version = None;
    assert_eq!(dumped(&seen).lines().count(), 3);
    assert_eq!(counted(&seen).lines().count(), 5);
}
