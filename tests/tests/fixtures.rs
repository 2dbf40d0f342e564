//! The readers of dumps and profiles on what every Go version says of one program (`cargo xtask fixtures`).
#![allow(clippy::expect_used)]

use leak_agent::model::{Status, WaitClass};
use leak_agent::profile::Record;
use leak_agent::profile::counts::{Measured, SiteReader};
use leak_agent::profile::proto::{Kind, Profile};
use leak_agent::profile::state::Meaning;
use leak_agent_tests::debug2::{self, Dump};
use leak_agent_tests::each_version;
use leak_agent_tests::fixture::{Owned, bytes, read_counts, read_dump, read_proto, unpacked};

each_version!(a_dump_is_read_as_an_independent_reader_reads_it);
each_version!(every_state_is_read_with_its_meaning);
each_version!(what_the_stack_says_of_a_wait_is_what_the_runtime_says);
each_version!(crashes_hold_the_goroutines_that_a_dump_does);
each_version!(a_deadlock_and_a_race_are_read);
each_version!(ancestors_are_left_out);
each_version!(contention_and_other_profiles_are_told);

/// Versions of which there are dumps alone.
#[test]
fn dumps_of_older_versions_are_read() {
    for version in ["1.18.10", "1.19.13", "1.20.14"] {
        a_dump_is_read_as_an_independent_reader_reads_it(version);
        every_state_is_read_with_its_meaning(version);
        panics_hold_the_goroutines_that_a_dump_does(version, &["panic.txt", "quit.txt"]);
    }
}

/// The functions of the program that goroutines wait in, as their only one of that name; what the runtime
/// calls the wait; and its class.
fn waits(version: &str) -> Vec<(&'static str, &'static str, WaitClass)> {
    let group = if minor(version) >= 24 { "sync.WaitGroup.Wait" } else { "semacquire" };
    // Locks have reasons of their own since Go 1.20.
    let lock = |reason| if minor(version) >= 20 { reason } else { "semacquire" };
    vec![
        ("main.send", "chan send", WaitClass::ChanSend),
        ("main.receive", "chan receive", WaitClass::ChanReceive),
        ("main.sendNil", "chan send (nil chan)", WaitClass::NilChannel),
        ("main.receiveNil", "chan receive (nil chan)", WaitClass::NilChannel),
        ("main.selectTwo", "select", WaitClass::Select),
        ("main.emptySelect", "select (no cases)", WaitClass::EmptySelect),
        ("main.lock", lock("sync.Mutex.Lock"), WaitClass::Mutex),
        ("main.readLock", lock("sync.RWMutex.RLock"), WaitClass::RwMutex),
        ("main.writeLock", lock("sync.RWMutex.Lock"), WaitClass::RwMutex),
        ("main.waitForCondition", "sync.Cond.Wait", WaitClass::Cond),
        ("main.waitForGroup", group, WaitClass::WaitGroup),
        ("main.sleep", "sleep", WaitClass::Sleep),
        ("main.readFile", "IO wait", WaitClass::IoWait),
        ("main.readRaw", "syscall", WaitClass::Syscall),
        ("main.locked", "chan receive", WaitClass::ChanReceive),
        ("main.labelled", "chan receive", WaitClass::ChanReceive),
        ("main.generic[...]", "chan receive", WaitClass::ChanReceive),
        ("main.(*worker[...]).wait", "chan receive", WaitClass::ChanReceive),
        ("main.inner", "chan receive", WaitClass::ChanReceive),
        ("main.panicking", "chan receive", WaitClass::ChanReceive),
    ]
}

fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("a version")
}

fn dump_of(version: &str, file: &str) -> (Vec<Owned>, leak_agent::profile::Reading) {
    let text = bytes(version, file).expect("a fixture");
    let mut all = Vec::new();
    let reading = read_dump(&text, |record| all.push(Owned::of(record)));
    assert_eq!((reading.faults, &reading.first_fault), (0, &None), "{file}");
    assert!(!reading.cut_short, "{file}");
    (all, reading)
}

/// The one goroutine that a function is on the stack of.
fn only<'a>(all: &'a [Owned], function: &str) -> &'a Owned {
    let mut those = all.iter().filter(|one| one.is_in(function));
    let found = those.next().unwrap_or_else(|| panic!("nothing is in {function}"));
    assert!(those.next().is_none(), "more than one is in {function}");
    found
}

/// An independent reader's view in the form of ours.
fn theirs(goroutine: &debug2::Goroutine) -> Owned {
    let (mut state, mut marks) = (goroutine.state.clone(), Vec::new());
    marks.extend(goroutine.leaked.then(|| "leaked".to_owned()));
    if let Some(bare) = state.strip_suffix(" (durable)") {
        state = bare.to_owned();
        marks.push("durable".to_owned());
    }
    marks.extend(goroutine.locked.then(|| "locked".to_owned()));
    marks.extend(goroutine.bubble.map(|bubble| format!("bubble {bubble}")));
    let line = |entry: &debug2::Entry| match entry {
        debug2::Entry::Call(call) => {
            let inlined = if call.offset.is_none() { " inlined" } else { "" };
            let function = call.function.as_str();
            let function = if function == "panic" { "runtime.gopanic" } else { function };
            format!("{function} {}:{}{inlined}", call.file, call.line)
        }
        debug2::Entry::Foreign { pc } => format!("{pc:#x}"),
        debug2::Entry::Elided(Some(count)) => format!("{count} elided"),
        debug2::Entry::Elided(None) => "some elided".to_owned(),
    };
    Owned {
        count: 1,
        goid: goroutine.goid,
        state,
        marks,
        labels: goroutine.labels.clone(),
        stack: goroutine.stack.iter().map(line).collect(),
        created: goroutine.created_by.as_ref().map(|site| {
            let at = format!("{} {}:{}", site.function, site.file, site.line);
            (at, site.parent.unwrap_or(0))
        }),
    }
}

fn a_dump_is_read_as_an_independent_reader_reads_it(version: &str) {
    let text =
        String::from_utf8(bytes(version, "goroutine.dump").expect("a fixture")).expect("text");
    let wanted: Vec<Owned> =
        Dump::parse(&text).expect("a dump").goroutines.iter().map(theirs).collect();
    let (all, reading) = dump_of(version, "goroutine.dump");
    assert_eq!(all, wanted);
    assert_eq!((reading.other_lines, reading.goroutines), (0, wanted.len() as u64));
}

fn every_state_is_read_with_its_meaning(version: &str) {
    let (all, _) = dump_of(version, "goroutine.dump");
    let text = bytes(version, "goroutine.dump").expect("a fixture");
    let mut meanings = Vec::new();
    read_dump(&text, |record| {
        let state = record.state.expect("a state");
        let Meaning { status, wait, .. } = Meaning::of_state(&state, record.stack);
        meanings.push((status, wait));
    });
    for (function, state, class) in waits(version) {
        let at = all.iter().position(|one| one.is_in(function)).expect("it is there");
        let one = only(&all, function);
        assert_eq!(one.state, state, "{function}");
        let status = if state == "syscall" { Status::Syscall } else { Status::Waiting };
        assert_eq!(meanings[at], (status, class), "{function}");
        let (site, parent) = one.created.as_ref().expect("its creation");
        assert!(site.starts_with("main.startStates"), "{site}");
        // Who created it is said since Go 1.21.
        assert_eq!(*parent, u64::from(minor(version) >= 21));
    }
    assert_eq!(only(&all, "main.locked").marks, ["locked"]);
    let deep = only(&all, "main.deep");
    let elided: Vec<_> = deep.stack.iter().filter(|line| line.ends_with(" elided")).collect();
    // Older versions say nothing of it where frames of the runtime were among the hundred.
    let wanted = if minor(version) >= 21 { &["51 elided"][..] } else { &[] };
    assert_eq!(elided, wanted);
    let stack = &only(&all, "main.panicking").stack;
    assert!(stack[1].starts_with("runtime.gopanic "), "{stack:?}");
    // Only the last two write labels into headings.
    let labels = [("job", "a/b"), ("k 2", "v \"x\"\n")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let wanted = if minor(version) >= 26 { &labels[..] } else { &[] };
    assert_eq!(only(&all, "main.labelled").labels, wanted);
    if minor(version) >= 25 {
        assert_eq!(only(&all, "main.durable").marks, ["durable", "bubble 1"]);
        assert!(all.iter().any(|one| one.is_in("main.receiveNever") && one.marks == ["bubble 1"]));
    }
    if minor(version) >= 27 {
        let (all, _) = dump_of(version, "goroutineleak.dump");
        for (function, is_leaked) in
            [("main.send", true), ("main.waitForCondition", true), ("main.locked", false)]
        {
            let marks = &only(&all, function).marks;
            assert_eq!(marks.contains(&"leaked".to_owned()), is_leaked, "{function}");
        }
    }
}

fn what_the_stack_says_of_a_wait_is_what_the_runtime_says(version: &str) {
    let collect = |all: &mut Vec<(Owned, WaitClass)>, record: &Record<'_>| {
        all.push((Owned::of(record), Meaning::of_stack(record.stack).wait));
    };
    let mut by_counts = Vec::new();
    let text = bytes(version, "goroutine.txt").expect("a fixture");
    let counts = read_counts(&text, |record| collect(&mut by_counts, record));
    let mut by_proto = Vec::new();
    let plain = unpacked(version, "goroutine.pb.gz").expect("a fixture");
    let proto = read_proto(&plain, |record| collect(&mut by_proto, record)).expect("a profile");
    assert_eq!((counts.goroutines, counts.faults), (proto.goroutines, 0));
    assert_eq!(counts.announced, Some(counts.goroutines));
    assert!(!counts.cut_short);
    let of = |all: &[(Owned, WaitClass)], function: &str| {
        all.iter().find(|(one, _)| one.is_in(function)).expect("it is there").clone()
    };
    for (function, state, class) in waits(version) {
        // Whether a channel is nil no stack shows.
        let class = match state {
            "chan send (nil chan)" => WaitClass::ChanSend,
            "chan receive (nil chan)" => WaitClass::ChanReceive,
            _ => class,
        };
        assert_eq!(of(&by_proto, function).1, class, "{function}");
        // debug=1 leaves out the functions of the runtime that channels and selects wait in.
        let is_hidden = matches!(
            class,
            WaitClass::ChanSend
                | WaitClass::ChanReceive
                | WaitClass::Select
                | WaitClass::EmptySelect
        );
        let wanted = if is_hidden { WaitClass::Unknown } else { class };
        assert_eq!(of(&by_counts, function).1, wanted, "{function}");
    }
    // The one that writes the profile runs.
    assert_eq!(of(&by_proto, "main.write").1, WaitClass::Running);
    assert_eq!(of(&by_counts, "main.write").1, WaitClass::Running);
    let labelled = of(&by_counts, "main.labelled").0.labels;
    assert_eq!(labelled, of(&by_proto, "main.labelled").0.labels);
    assert_eq!(labelled.len(), 2);
    assert_eq!(labelled[1].1, "v \"x\"\n");
    // Three, and since Go 1.25 one in a bubble.
    let count = if minor(version) >= 25 { 4 } else { 3 };
    assert_eq!(of(&by_counts, "main.receiveNever").0.count, count);
    // Up to Go 1.22 a profile has 32 frames of a stack, later 128: both say that there were more.
    let deep = of(&by_counts, "main.deep").0.stack;
    assert_eq!(deep.last().map(String::as_str), Some("some elided"));
    let inner = of(&by_counts, "main.inner").0.stack;
    let inlined: Vec<bool> = inner.iter().map(|line| line.ends_with(" inlined")).collect();
    assert_eq!(inlined, [true, true, false], "{inner:?}");
}

fn crashes_hold_the_goroutines_that_a_dump_does(version: &str) {
    panics_hold_the_goroutines_that_a_dump_does(version, &["panic.txt", "quit.txt", "crash.txt"]);
}

fn panics_hold_the_goroutines_that_a_dump_does(version: &str, files: &[&str]) {
    for &file in files {
        let (all, reading) = dump_of(version, file);
        for (function, state, _) in waits(version) {
            let found = all.iter().find(|one| one.is_in(function)).expect("it is there");
            assert_eq!(found.state, state, "{file}: {function}");
        }
        let mut ids: Vec<u64> = all.iter().map(|one| one.goid).collect();
        ids.sort_unstable();
        let before = ids.len();
        ids.dedup();
        // A crash says of each thread again what it runs.
        assert!(ids.len() == before || file == "crash.txt", "{file}");
        assert!(!ids.contains(&0));
        let text = String::from_utf8(bytes(version, file).expect("a fixture")).expect("text");
        let own = text.lines().filter(|line| !line.is_empty()).count() as u64;
        assert!((2..own / 2).contains(&reading.other_lines), "{file}: {}", reading.other_lines);
    }
    let (all, reading) = dump_of(version, "panic.txt");
    assert_eq!(only(&all, "main.main").state, "running");
    assert_eq!(reading.other_lines, 2);
}

fn a_deadlock_and_a_race_are_read(version: &str) {
    let (all, reading) = dump_of(version, "deadlock.txt");
    let states: Vec<&str> = all.iter().map(|one| one.state.as_str()).collect();
    let group = if minor(version) >= 24 { "sync.WaitGroup.Wait" } else { "semacquire" };
    assert_eq!(states.len(), 4);
    assert_eq!(only(&all, "main.deadlock").state, group);
    assert_eq!(states.iter().filter(|state| **state == "chan receive").count(), 2);
    assert_eq!(only(&all, "main.send").state, "chan send");
    assert_eq!(reading.other_lines, 1);

    let (all, reading) = dump_of(version, "race.txt");
    assert_eq!(only(&all, "main.race").state, "running");
    assert_eq!(only(&all, "main.lock").state, "sync.Mutex.Lock");
    let text = String::from_utf8(bytes(version, "race.txt").expect("a fixture")).expect("text");
    let report = text.split("\ngoroutine 1 ").next().expect("what stands before");
    let lines = report.lines().filter(|line| !line.is_empty()).count() as u64;
    assert_eq!(reading.other_lines, lines);
}

fn ancestors_are_left_out(version: &str) {
    let text =
        String::from_utf8(bytes(version, "ancestors.txt").expect("a fixture")).expect("text");
    assert!(text.contains("[originating from goroutine 1]:\n"));
    let (with, _) = dump_of(version, "ancestors.txt");
    let (without, _) = dump_of(version, "panic.txt");
    let places = |all: &[Owned]| {
        let mut all: Vec<_> = all
            .iter()
            .map(|one| (one.state.clone(), one.stack.clone(), one.created.clone().map(|it| it.0)))
            .filter(|(_, stack, _)| stack.iter().any(|line| line.starts_with("main.")))
            .collect();
        all.sort();
        all
    };
    assert_eq!(places(&with), places(&without));
}

fn contention_and_other_profiles_are_told(version: &str) {
    for (name, kind) in [("block", Kind::Block), ("mutex", Kind::Mutex)] {
        let mut texts = Vec::new();
        let text = bytes(version, &format!("{name}.txt")).expect("a fixture");
        let mut reader = SiteReader::new(|it: &Measured<'_>| {
            let Measured::Contention(it) = it else { panic!("{it:?}") };
            let stack: Vec<String> = it.stack.iter().map(|entry| format!("{entry:?}")).collect();
            texts.push((it.count, it.delay.map(|delay| delay.as_millis()), stack.join(" ")));
        });
        reader.feed(&text);
        assert_eq!(reader.kind(), Some(kind));
        let reading = reader.finish();
        assert_eq!((reading.faults, reading.goroutines, reading.cut_short), (0, 0, false));
        let (count, delay, _) =
            texts.iter().find(|(_, _, stack)| stack.contains("main.contender")).expect("it waited");
        assert!(count.is_some_and(|count| (1..=8).contains(&count)), "{count:?}");
        assert!(delay.is_some_and(|delay| (1..5_000).contains(&delay)), "{delay:?}");
        let plain = unpacked(version, &format!("{name}.pb.gz")).expect("a fixture");
        assert_eq!(Profile::read(&plain).expect("a profile").kind(), kind);
    }
    for (name, kind) in [("heap", Kind::Heap), ("threadcreate", Kind::ThreadCreate)] {
        let text = bytes(version, &format!("{name}.txt")).expect("a fixture");
        let mut take = |_: &Record<'_>| panic!("these are no goroutines");
        let mut reader = leak_agent::profile::counts::Reader::new(&mut take);
        reader.feed(&text);
        assert_eq!(reader.kind(), Some(kind));
        assert_eq!(reader.finish().faults, 0);
    }
}
