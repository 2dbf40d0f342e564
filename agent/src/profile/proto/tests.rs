use std::num::NonZeroU64;

use prost::Message as _;

use super::message::{
    Function, Label, Line, Location, Mapping, Profile as Written, Sample, ValueType,
};
use super::*;
use crate::model::Timestamp;
use crate::profile::record::{Call, Entry, Fault, Reading, Record};

/// A profile that is put together by hand.
struct Made {
    written: Written,
}

impl Made {
    fn of(types: &[(&str, &str)]) -> Self {
        let mut this =
            Self { written: Written { string_table: vec![String::new()], ..Written::default() } };
        for (name, unit) in types {
            let (name, unit) = (this.string(name), this.string(unit));
            this.written.sample_type.push(ValueType { r#type: name, unit });
        }
        this
    }

    fn string(&mut self, text: &str) -> i64 {
        let table = &mut self.written.string_table;
        let at = table.iter().position(|known| known == text).unwrap_or_else(|| {
            table.push(text.to_owned());
            table.len() - 1
        });
        at as i64
    }

    /// A location of functions that were inlined into each other, innermost first.
    fn location(&mut self, id: u64, functions: &[&str]) -> &mut Self {
        let mut line = Vec::new();
        for (function, number) in functions.iter().zip(10..) {
            let (name, filename) = (self.string(function), self.string("/src/main.go"));
            let function_id = self.written.function.len() as u64 + 1;
            self.written.function.push(Function {
                id: function_id,
                name,
                system_name: name,
                filename,
            });
            line.push(Line { function_id, line: number });
        }
        self.written.location.push(Location {
            id,
            mapping_id: 1,
            address: id.wrapping_add(0x40_0000),
            line,
        });
        self
    }

    fn sample(&mut self, locations: &[u64], values: &[i64], labels: &[(&str, &str)]) -> &mut Self {
        let label = labels
            .iter()
            .map(|(key, value)| Label {
                key: self.string(key),
                str: self.string(value),
                ..Label::default()
            })
            .collect();
        let (location_id, value) = (locations.to_vec(), values.to_vec());
        self.written.sample.push(Sample { location_id, value, label });
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.written.encode_to_vec()
    }
}

fn goroutines() -> Made {
    let mut made = Made::of(&[("goroutine", "count")]);
    made.location(1, &["runtime.gopark"])
        .location(2, &["main.wait", "main.work"])
        .location(9, &[])
        .sample(&[1, 2, 9], &[7], &[("job", "nightly")])
        .sample(&[2], &[3], &[]);
    made
}

/// What a reader gave, kept.
fn read(bytes: &[u8]) -> (Vec<(u64, Vec<String>)>, Reading) {
    let profile = Profile::read(bytes).expect("a profile");
    let mut records = Vec::new();
    let mut take = |record: &Record<'_>| {
        let text = |entry: &Entry<'_>| match entry {
            Entry::Call(Call { function, line, inlined, .. }) => {
                format!("{function}:{line}{}", if *inlined { " inlined" } else { "" })
            }
            other => format!("{other:?}"),
        };
        records.push((record.count.into(), record.stack.iter().map(text).collect()));
    };
    let reading = profile.goroutines(&mut take).expect("one of goroutines");
    (records, reading)
}

#[test]
fn goroutines_have_counts_labels_and_stacks_with_inlined_calls() {
    let bytes = goroutines().bytes();
    let profile = Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.kind(), Kind::Goroutine);
    let mut labels = Vec::new();
    let mut take = |record: &Record<'_>| {
        assert!(record.goid.is_none() && record.state.is_none() && record.created_by.is_none());
        labels.extend(record.labels.iter().map(|(key, value)| format!("{key}={value}")));
    };
    profile.goroutines(&mut take).expect("one of goroutines");
    assert_eq!(labels, ["job=nightly"]);
    let (records, reading) = read(&bytes);
    let inner = ["runtime.gopark:10", "main.wait:10 inlined", "main.work:11", "Address(4194313)"];
    let [first, second] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((first.0, &*first.1), (7, &inner.map(str::to_owned)[..]));
    assert_eq!((second.0, second.1.len()), (3, 2));
    assert_eq!((reading.records, reading.goroutines, reading.faults), (2, 10, 0));
    assert_eq!(reading.bytes, bytes.len() as u64);
}

#[test]
fn what_stands_beside_the_samples_is_told() {
    let mut made = goroutines();
    let (file, build_id) = (made.string("/usr/bin/potato"), made.string("abc"));
    made.written.mapping.push(Mapping { id: 1, filename: file, build_id, ..Mapping::default() });
    made.written.time_nanos = 1_795_161_600_000_000_000;
    made.written.duration_nanos = 2_000_000_000;
    made.written.period = 1;
    let comment = made.string("by hand");
    made.written.comment = vec![comment];
    let bytes = made.bytes();
    let profile = Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.binary().zip(profile.build_id()), Some(("/usr/bin/potato", "abc")));
    assert_eq!(profile.time(), Some(Timestamp::from_unix_ns(1_795_161_600_000_000_000)));
    assert_eq!(profile.duration().map(|it| it.as_secs()), Some(2));
    assert_eq!((profile.period(), profile.comments().collect()), (Some(1), vec!["by hand"]));
    let types: Vec<_> = profile.sample_types().collect();
    assert_eq!(types, [super::ValueType { name: "goroutine", unit: "count" }]);
    let bytes = goroutines().bytes();
    let silent = Profile::read(&bytes).expect("a profile");
    assert!(silent.time().is_none() && silent.duration().is_none() && silent.binary().is_none());
}

#[test]
fn a_kind_is_known_by_its_sample_types() {
    for (types, kind) in [
        (&["goroutine/count"][..], Kind::Goroutine),
        (&["goroutineleak/count"], Kind::GoroutineLeak),
        (&["threadcreate/count"], Kind::ThreadCreate),
        (&["samples/count", "cpu/nanoseconds"], Kind::Cpu),
        (&["cpu/nanoseconds"], Kind::Cpu),
        (&["contentions/count", "delay/nanoseconds"], Kind::Block),
        (&["delay/nanoseconds"], Kind::Block),
        (
            &[
                "alloc_objects/count",
                "alloc_space/bytes",
                "inuse_objects/count",
                "inuse_space/bytes",
            ],
            Kind::Heap,
        ),
        (&["inuse_space/bytes"], Kind::Heap),
        (&["alloc_space/bytes"], Kind::Allocs),
        (&["wall/nanoseconds"], Kind::Unknown),
    ] {
        let types: Vec<_> = types.iter().filter_map(|it| it.split_once('/')).collect();
        let bytes = Made::of(&types).bytes();
        assert_eq!(Profile::read(&bytes).expect("a profile").kind(), kind, "{types:?}");
    }
    let mut allocs = Made::of(&[("alloc_space", "bytes"), ("inuse_space", "bytes")]).bytes();
    // default_sample_type, the number of "alloc_space".
    allocs.extend([14 << 3, 1]);
    assert_eq!(Profile::read(&allocs).expect("a profile").kind(), Kind::Allocs);
    for (name, kind) in [
        ("/debug/pprof/goroutine", Some(Kind::Goroutine)),
        ("delta-mutex.pprof", Some(Kind::Mutex)),
        ("goroutines:goroutine:count:goroutine:count", Some(Kind::Goroutine)),
        ("web-1/heap.2026-11-20.pb.gz", Some(Kind::Heap)),
        ("goroutine/notes.txt", None),
    ] {
        assert_eq!(Kind::of_name(name), kind, "{name}");
    }
}

#[test]
fn who_waits_and_who_makes_others_wait_have_the_same_types_and_other_stacks() {
    for (function, kind) in [
        ("sync.(*Mutex).Unlock", Kind::Mutex),
        ("runtime._LostContendedRuntimeLock", Kind::Mutex),
        ("sync.(*Mutex).Lock", Kind::Block),
        ("runtime.chanrecv1", Kind::Block),
    ] {
        let mut made = Made::of(&[("contentions", "count"), ("delay", "nanoseconds")]);
        made.location(1, &[function]).sample(&[1], &[5, 9_000], &[]);
        let bytes = made.bytes();
        let profile = Profile::read(&bytes).expect("a profile");
        assert_eq!(profile.kind(), kind);
        let mut seen = Vec::new();
        let give = |it: &Contention<'_>| {
            seen.push((it.count, it.delay.map(|it| it.as_nanos()), it.stack.len()));
        };
        assert_eq!(profile.contention(give), Ok((0, None)));
        assert_eq!(seen, [(Some(5), Some(9_000), 1)]);
        let refused = profile.heap(|_| {}).expect_err("no heap");
        assert_eq!(refused.is, kind);
    }
}

#[test]
fn a_heap_has_sites_and_their_sum() {
    let types = [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_space", "bytes")];
    let mut made = Made::of(&types);
    made.location(1, &["main.fill"]);
    made.sample(&[1], &[4, 4096, 1024], &[]).sample(&[1], &[1, 8, 0], &[]);
    made.sample(&[1], &[1, -8, i64::MAX], &[]);
    let bytes = made.bytes();
    let mut sites = 0;
    let heap = Profile::read(&bytes).expect("a profile").heap(|_| sites += 1).expect("a heap");
    let sum = Heap {
        alloc_objects: Some(6),
        alloc_bytes: Some(4104),
        inuse_objects: None,
        inuse_bytes: Some(i64::MAX as u64 + 1024),
    };
    assert_eq!((sites, heap.0, heap.1), (3, sum, 1));
    assert_eq!(heap.2.map(|fault| fault.what), Some("a negative amount"));
}

#[test]
fn what_dangles_is_counted_and_the_rest_is_given() {
    let mut made = goroutines();
    made.sample(&[1, 77, 2], &[1], &[]);
    made.sample(&[2], &[-4], &[]).sample(&[2], &[], &[]).sample(&[2], &[0], &[]);
    made.sample(&[2], &[i64::MAX], &[]).sample(&[2], &[i64::MAX], &[]).sample(
        &[2],
        &[i64::MAX],
        &[],
    );
    made.written.location.push(Location {
        id: 50,
        address: 0x99,
        line: vec![Line { function_id: 4711, line: -3 }],
        ..Location::default()
    });
    made.sample(&[50], &[2], &[]);
    made.written.sample.push(Sample {
        location_id: vec![1],
        value: vec![1],
        label: vec![Label { key: 1 << 40, str: -1, ..Label::default() }],
    });
    let (records, reading) = read(&made.bytes());
    assert_eq!((reading.records, records.len()), (5, 5));
    // A function, a location, a count below zero, a sample without a value, and three counts of no process.
    assert_eq!(reading.faults, 7);
    let what = reading.first_fault.map(|Fault { what, .. }| what);
    assert_eq!(what, Some("a function that is named and not there"));
    assert_eq!(records[3].1, ["Address(153)"]);
}

#[test]
fn ids_come_in_any_order_and_names_need_not_be_text() {
    let mut made = Made::of(&[("goroutine", "count")]);
    made.location(u64::MAX, &["main.c"]).location(7, &["main.b"]).location(7, &["main.twice"]);
    made.location(1, &["main.a"]).sample(&[1, 7, u64::MAX], &[1], &[]);
    let mut bytes = made.bytes();
    assert_eq!(
        read(&bytes).0,
        [(1, ["main.a:10", "main.b:10", "main.c:10"].map(str::to_owned).to_vec())]
    );
    let at = bytes.windows(6).position(|it| it == b"main.a").expect("it is there");
    bytes[at + 5] = 0xff;
    let (records, reading) = read(&bytes);
    assert_eq!((records[0].1[0].as_str(), reading.faults), ("main.\u{fffd}:10", 1));
}

#[test]
fn a_few_bytes_make_no_endless_stack() {
    let mut made = Made::of(&[("goroutine", "count")]);
    let many: Vec<String> = (0..1000).map(|index| format!("main.f{index}")).collect();
    made.location(1, &many.iter().map(String::as_str).collect::<Vec<_>>());
    made.sample(&[1; 5000], &[1], &[]);
    let (records, reading) = read(&made.bytes());
    assert!(records[0].1.len() <= 4097, "{}", records[0].1.len());
    assert_eq!(records[0].1.last().map(String::as_str), Some("Elided(Some(4980))"));
    assert!(reading.faults > 0);
}

#[test]
fn what_is_no_profile_is_said_with_its_place() {
    let no = |bytes: &[u8]| Profile::read(bytes).expect_err("no profile").to_string();
    assert_eq!(no(b""), "it is empty");
    assert_eq!(no(b"\x1f\x8b\x08\x00"), "byte 1: no field of a protobuf message");
    assert_eq!(no(&[0x22, 0x00]), "it has no sample types, which every profile has");
    assert_eq!(no(&[0x0a, 0x05, 0x08]), "byte 2: it ends in a field");
    assert_eq!(no(&[0x48, 0x80]), "byte 1: it ends in a number");
    assert_eq!(no(&[[0x48].as_slice(), &[0xff; 10]].concat()), "byte 1: a number of over 64 bits");
    let whole = goroutines().bytes();
    for len in 1..whole.len() {
        // It ends in the middle of something, or lacks what comes later: either way there is an answer.
        let _ = Profile::read(&whole[..len]).map(|it| it.goroutines(&mut |_: &Record<'_>| {}));
    }
    let refused = Made::of(&[("cpu", "nanoseconds")]).bytes();
    let refused = Profile::read(&refused).expect("a profile").goroutines(&mut |_: &Record<'_>| {});
    let said = refused.expect_err("of CPU time").to_string();
    assert_eq!(said, "it is a CPU profile, and not one of goroutines");
}

/// Any change of a byte gives an answer, and no more goroutines than can be counted.
#[test]
fn no_byte_can_do_harm() {
    let whole = goroutines().bytes();
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at].wrapping_add(8)] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let Ok(profile) = Profile::read(&bytes) else { continue };
            let mut records = 0;
            let mut take = |record: &Record<'_>| {
                records += 1;
                assert_eq!(record.goid, None::<NonZeroU64>);
            };
            if let Ok(reading) = profile.goroutines(&mut take) {
                assert_eq!(reading.records, records);
            }
        }
    }
}
