use super::*;
use crate::profile::record::Entry;

/// A record in one line: `3 {k=v} main.f a.go:1 | ...`.
fn shown(
    count: u64,
    labels: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)],
    stack: &[Entry<'_>],
) -> String {
    let labels = labels.iter().map(|(key, value)| format!("{{{key}={value}}}"));
    let stack = stack.iter().map(|entry| match entry {
        Entry::Call(call) => {
            let inlined = if call.inlined { " inlined" } else { "" };
            format!("{} {}:{}{inlined}", call.function, call.file, call.line)
        }
        Entry::Address(pc) => format!("{pc:#x}"),
        Entry::Elided(count) => format!("{count:?} elided"),
    });
    let words: Vec<String> = [count.to_string()].into_iter().chain(labels).chain(stack).collect();
    words.join(" | ")
}

fn read(text: &[u8]) -> (Vec<String>, Option<Kind>, Reading) {
    let mut results = [text.len().max(1), 1, 7].map(|piece| {
        let mut records = Vec::new();
        let mut take = |record: &Record<'_>| {
            records.push(shown(record.count.into(), record.labels, record.stack));
        };
        let mut reader = Reader::new(&mut take);
        text.chunks(piece).for_each(|bytes| reader.feed(bytes));
        let kind = reader.kind();
        let reading = reader.finish();
        (records, kind, reading)
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    std::mem::take(&mut results[0])
}

const GOROUTINES: &str = "\
goroutine profile: total 7
4 @ 0x43e2ee 0x40c0ed 0x40bcd2 0x4a6a65 0x46fd81
# labels: {\"job\":\"a/b\", \"k 2\":\"v \\\"x\\\"\"}
#\t0x4a6a64\tmain.receive+0x24\t\t/src/a b/main.go:12

2 @ 0x43e2ee 0x4a6a65 0x4a6a65 0x46fd81
#\t0x4a6a64\tmain.inner+0x24\t\t/src/main.go:12
#\t0x4a6a70\tmain.outer+0x30\t\t/src/main.go:14
#\t0x4a6b70\tmain.outer+0x130\t/src/main.go:20
#\t0x4a

1 @ 0x43e2ee
#\t0x43e2ed\truntime.gopark+0xcd\t/go/proc.go:402

";

#[test]
fn goroutines_are_counted_by_stack() {
    let (records, kind, reading) = read(GOROUTINES.as_bytes());
    let wanted = [
        "4 | {job=a/b} | {k 2=v \"x\"} | main.receive /src/a b/main.go:12",
        "2 | main.inner /src/main.go:12 inlined | main.outer /src/main.go:14 | main.outer /src/main.go:20 | 0x4a",
        "1 | runtime.gopark /go/proc.go:402",
    ];
    assert_eq!((records, kind), (wanted.map(String::from).to_vec(), Some(Kind::Goroutine)));
    let bytes = GOROUTINES.len() as u64;
    let whole =
        Reading { bytes, records: 3, goroutines: 7, announced: Some(7), ..Reading::default() };
    assert_eq!(reading, whole);
    let (records, _, reading) = read(GOROUTINES.replace('\n', "\r\n").as_bytes());
    assert_eq!((records.len(), reading.faults, reading.cut_short), (3, 0, false));
}

#[test]
fn a_stack_that_the_runtime_did_not_keep_whole_says_so() {
    let text = |last: &str| {
        let frame = "#\t0x10\tmain.f+0x1\t/a.go:1\n";
        format!(
            "goroutine profile: total 1\n1 @{} {last}\n{}\n",
            " 0x11".repeat(31),
            frame.repeat(31)
        )
    };
    let (records, _, _) = read(text("0x11").as_bytes());
    assert!(records[0].ends_with(" | None elided"), "{}", records[0]);
    let (records, _, _) = read(text("0x46fd81").as_bytes());
    assert!(!records[0].contains("elided"), "{}", records[0]);
}

#[test]
fn other_profiles_give_their_kind_and_nothing_else() {
    for (header, kind) in [
        ("threadcreate profile: total 9", Kind::ThreadCreate),
        ("heap profile: 1: 2 [3: 4] @ heap/1048576", Kind::Heap),
        ("--- contention:\ncycles/second=1000", Kind::Block),
        ("--- mutex:\ncycles/second=1000\nsampling period=1", Kind::Mutex),
    ] {
        let text = format!("{header}\n9 8 @ 0x1\n#\t0x1\tmain.f+0x1\t/a.go:1\n\n");
        let (records, found, reading) = read(text.as_bytes());
        assert_eq!((records.len(), found, reading.goroutines), (0, Some(kind), 0));
        assert_eq!((reading.announced, reading.cut_short, reading.faults), (None, false, 0));
    }
    let (_, kind, reading) = read(b"<html>\n<body>404\n");
    assert_eq!((kind, reading.other_lines), (None, 2));
}

#[test]
fn contention_is_given_in_time() {
    let text = "--- mutex:\ncycles/second=2000000000\nsampling period=1\n\
        3000000000 4 @ 0x1\n#\t0x1\tsync.(*Mutex).Unlock+0x1\t/a.go:1\n#\t0x51\tmain.f+0x1\t/b.go:2\n\n";
    let mut all = Vec::new();
    let mut reader = SiteReader::new(|it: &Measured<'_>| {
        let Measured::Contention(it) = it else { panic!("{it:?}") };
        all.push((it.count, it.delay, shown(0, &[], it.stack)));
    });
    text.as_bytes().chunks(9).for_each(|bytes| reader.feed(bytes));
    assert_eq!(reader.kind(), Some(Kind::Mutex));
    assert_eq!(reader.finish().records, 1);
    let stack = "0 | sync.(*Mutex).Unlock /a.go:1 | main.f /b.go:2".to_owned();
    assert_eq!(all, [(Some(4), Some(Duration::from_millis(1500)), stack)]);
}

#[test]
fn what_is_in_use_is_scaled_up() {
    let text = "heap profile: 4: 96 [6: 200] @ heap/1048576\n\
        3: 48 [4: 64] @ 0x1\n#\t0x1\tmain.f+0x1\t\t/a.go:1\n\n1: 1048576 [1: 1048576] @ 0x2\n#\t0x2\tmain.g+0x1\t/a.go:2\n\n\
        # runtime.MemStats\n# HeapAlloc = 5\n";
    let mut all = Vec::new();
    let mut reader = SiteReader::new(|it: &Measured<'_>| {
        let Measured::Heap(it) = it else { panic!("{it:?}") };
        let Heap { inuse_objects, inuse_bytes, alloc_objects, .. } = it.allocated;
        all.push((inuse_objects, inuse_bytes, alloc_objects, shown(0, &[], it.stack)));
    });
    text.as_bytes().chunks(7).for_each(|bytes| reader.feed(bytes));
    assert_eq!((reader.kind(), reader.rate_bytes()), (Some(Kind::Heap), Some(524_288)));
    let reading = reader.finish();
    assert_eq!((reading.records, reading.faults, reading.cut_short), (2, 0, false));
    let f = (Some(98_305), Some(1_572_888), Some(131_074), "0 | main.f /a.go:1".to_owned());
    let g = (Some(1), Some(1_212_696), Some(1), "0 | main.g /a.go:2".to_owned());
    assert_eq!(all, [f, g]);
}

#[test]
fn what_is_broken_is_left_out_and_counted() {
    let text = "noise\ngoroutine profile: total 9223372036854775808\n\
        9223372036854775807 @ 0x1\n\n4294967295 @ 0x1\n#\t0x1\tmain.f\n# labels: {a}\n#\t0x1\tmain.\u{e9}+0x1\t/a.go:1\n\
        1 @ 0x1\n#\t0x1\tmain.g+0x1\t/a.go:1\nnoise\n";
    let (records, _, reading) = read(text.as_bytes());
    assert_eq!(records, ["4294967295 | main.\u{e9} /a.go:1", "1 | main.g /a.go:1"]);
    assert_eq!((reading.goroutines, reading.faults, reading.other_lines), (1 << 32, 3, 2));
    assert_eq!(reading.first_fault.map(|fault| fault.at), Some(4));
    // Half of it was lost.
    let cut = GOROUTINES.find("2 @").expect("the second");
    let (records, _, reading) = read(&GOROUTINES.as_bytes()[..cut]);
    assert_eq!((records.len(), reading.cut_short), (1, true));
    let (records, _, reading) = read(&GOROUTINES.as_bytes()[..cut - 5]);
    assert_eq!((records.len(), reading.cut_short), (1, true));
    assert!(records[0].ends_with("None elided"), "{}", records[0]);
}

#[test]
fn memory_is_bounded() {
    let mut frames = 0;
    let mut take = |record: &Record<'_>| frames = record.stack.len();
    let mut reader = Reader::new(&mut take);
    reader.feed(b"goroutine profile: total 1\n1 @ 0x1\n");
    for _ in 0..200_000 {
        reader.feed(b"#\t0x1\tmain.f+0x1\t/a.go:1\n");
    }
    assert_eq!(reader.finish().records, 1);
    assert_eq!(frames, 4097);
}
