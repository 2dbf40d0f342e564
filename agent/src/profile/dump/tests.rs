use std::fmt::Write as _;

use super::*;
use crate::profile::record::{Entry, Record};

/// A record in one line: `7 select, 3 min, leaked {k=v} main.f a.go:1 | ... < main.g b.go:2 of 1`.
fn shown(record: &Record<'_>) -> String {
    let mut out = String::new();
    let state = record.state.expect("a state");
    let _ = write!(out, "{} {}", record.goid.expect("an id"), state.text);
    if let Some(minutes) = state.minutes {
        let _ = write!(out, ", {minutes} min");
    }
    let marks = [
        (state.leaked, "leaked"),
        (state.scan, "scan"),
        (state.durable, "durable"),
        (state.locked_to_thread, "locked"),
    ];
    for (_, name) in marks.iter().filter(|(is_set, _)| *is_set) {
        let _ = write!(out, ", {name}");
    }
    if let Some(bubble) = state.bubble {
        let _ = write!(out, ", bubble {bubble}");
    }
    for (key, value) in record.labels {
        let _ = write!(out, " {{{key}={value}}}");
    }
    for entry in record.stack {
        let _ = match entry {
            Entry::Call(call) => {
                let inlined = if call.inlined { " inlined" } else { "" };
                write!(out, " | {} {}:{}{inlined}", call.function, call.file, call.line)
            }
            Entry::Address(pc) => write!(out, " | {pc:#x}"),
            Entry::Elided(Some(count)) => write!(out, " | {count} elided"),
            Entry::Elided(None) => write!(out, " | some elided"),
        };
    }
    if let Some(site) = record.created_by {
        let _ = write!(out, " < {} {}:{}", site.function, site.file, site.line);
        if let Some(parent) = site.parent {
            let _ = write!(out, " of {parent}");
        }
    }
    out
}

fn read_in(text: &[u8], piece: usize) -> (Vec<String>, Reading) {
    let mut records = Vec::new();
    let mut take = |record: &Record<'_>| records.push(shown(record));
    let mut reader = Reader::new(&mut take);
    for bytes in text.chunks(piece) {
        reader.feed(bytes);
    }
    let reading = reader.finish();
    (records, reading)
}

/// Reads a text in pieces of every kind, which must make no difference.
fn read(text: impl AsRef<[u8]>) -> (Vec<String>, Reading) {
    let text = text.as_ref();
    let whole = read_in(text, text.len().max(1));
    for piece in [1, 7, 100] {
        assert_eq!(read_in(text, piece), whole, "in pieces of {piece}");
    }
    assert_eq!(whole.1.bytes, text.len() as u64);
    assert_eq!(whole.1.records, whole.0.len() as u64);
    whole
}

/// Reads a text in which nothing is wrong, and gives how many other lines it has.
fn read_well(text: impl AsRef<[u8]>) -> (Vec<String>, u64) {
    let (records, reading) = read(text);
    assert_eq!((reading.faults, reading.first_fault, reading.cut_short), (0, None, false));
    (records, reading.other_lines)
}

const DUMP: &str = "\
goroutine 1 [chan receive, 3 minutes]:
main.(*T[...]).Do(0xc000012120, {0x2?, 0x3}, ...)
\t/src/a b/main.go:12 +0x1f
main.inlined(...)
\t/src/a b/main.go:15
panic({0x1?, 0x2?})
\t/usr/lib/go/src/runtime/panic.go:770 +0x132
main.main()
\tC:/go/main.go:20 +0x2a

goroutine 7 gp=0xc000007c00 m=3 mp=0xc000100008 [select (no cases) (leaked) (scan), locked to thread] {job: a/b, \"k 2\": \"v \\\"x\\\"\"}:
main.f.func1()
\t/src/main.go:9 +0x10 fp=0xc000050fe0 sp=0xc000050fb0 pc=0x480a51
...51 frames elided...
non-Go function at pc=0x46b5c1
net/http.(*persistConn).writeLoop(0xc000166000)
\tnet/http/transport.go:2458 +0x73
created by main.f in goroutine 1
\t/src/main.go:8 +0x8a

goroutine 8 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.g
\t/src/main.go:33
";

fn dump() -> [&'static str; 3] {
    [
        "1 chan receive, 3 min | main.(*T[...]).Do /src/a b/main.go:12 | main.inlined /src/a b/main.go:15 inlined \
         | runtime.gopanic /usr/lib/go/src/runtime/panic.go:770 | main.main C:/go/main.go:20",
        "7 select (no cases), leaked, scan, locked {job=a/b} {k 2=v \"x\"} | main.f.func1 /src/main.go:9 | 51 elided \
         | 0x46b5c1 | net/http.(*persistConn).writeLoop net/http/transport.go:2458 < main.f /src/main.go:8 of 1",
        "8 running < main.g /src/main.go:33",
    ]
}

#[test]
fn a_dump_is_read_whole() {
    assert_eq!(read_well(DUMP), (dump().map(String::from).to_vec(), 0));
    assert_eq!(read_well(DUMP.replace('\n', "\r\n")), (dump().map(String::from).to_vec(), 0));
    // Copies that lost their tabs, or have spaces in their place.
    for indent in ["", "    "] {
        let copy = DUMP
            .replace("\n\t/", &format!("\n{indent}/"))
            .replace("\n\tC:", &format!("\n{indent}C:"));
        assert_eq!(read_well(copy), (dump().map(String::from).to_vec(), 0));
    }
    let last = DUMP.trim_end_matches('\n').replace("main.go:33", "main.go:33 +0x1");
    assert_eq!(read_well(last), (dump().map(String::from).to_vec(), 0));
}

#[test]
fn nothing_and_other_text_have_no_goroutines() {
    assert_eq!(read_well(""), (vec![], 0));
    assert_eq!(read_well("\n\n"), (vec![], 0));
    assert_eq!(read_well("some text\n\n\tand more\ngoroutine profile: total 3\n"), (vec![], 3));
}

#[test]
fn text_around_goroutines_is_counted() {
    let text = format!(
        "2026/01/02 starting\nSIGQUIT: quit\nPC=0x46f8e1 m=0 sigcode=0\n\n\
         goroutine 0 gp=0x54a5a0 m=0 mp=0x54b0c0 [idle]:\nruntime.futex(0x1)\n\t/go/src/a.s:5 +0x1\n\n\
         {DUMP}\nrax    0xca\nrip    0x46f8e1\nexit status 2\n"
    );
    // The stack of a thread is no goroutine's: its three lines are other text too.
    assert_eq!(read_well(text), (dump().map(String::from).to_vec(), 3 + 3 + 3));
    // Directly behind, as `go run` does.
    let text = format!("panic: oops\n\n{DUMP}exit status 2\nFAIL\tpkg\t0.01s\nFAIL\n");
    assert_eq!(read_well(text), (dump().map(String::from).to_vec(), 4));
    // In between, as another thread's messages.
    let text = DUMP.replacen("main.f.func1()", "a message\nmain.f.func1()", 1);
    let text = text.replacen("net/http.(", "other(text)\nand more\nnet/http.(", 1);
    assert_eq!(read_well(text), (dump().map(String::from).to_vec(), 3));
}

#[test]
fn ancestors_are_not_the_goroutine_s_own_frames() {
    let text = "\
goroutine 7 [chan receive]:
main.f()
\t/src/main.go:9 +0x10
created by main.g
\t/src/main.go:8 +0x8a
[originating from goroutine 5]:
main.g(...)
\t/src/main.go:8 +0x8a
...additional frames elided...
created by main.main
\t/src/main.go:3 +0x1
[originating from goroutine 1]:
main.main(...)
\t/src/main.go:3 +0x1
";
    let (records, others) = read_well(text);
    assert_eq!(records, ["7 chan receive | main.f /src/main.go:9 < main.g /src/main.go:8 of 5"]);
    assert_eq!(others, 0);
}

#[test]
fn a_call_without_its_arguments_is_not_inlined() {
    let (records, _) =
        read_well("goroutine 7 [select]:\nmain.f(...)\n\t/a.go:1 +0x0\nmain.g(...)\n\t/a.go:2\n");
    assert_eq!(records, ["7 select | main.f /a.go:1 | main.g /a.go:2 inlined"]);
}

#[test]
fn frames_of_c_are_read_as_a_symbolizer_names_them() {
    let text = "\
goroutine 7 [syscall, locked to thread]:
pause_for_good
\t/src/a.c:12 pc=0x10
non-Go function
\tpc=0x20
runtime.cgocall(0x1, 0x2)
\t/go/src/runtime/cgocall.go:157 +0x4b
";
    let (records, _) = read_well(text);
    let frames =
        "| pause_for_good /src/a.c:12 | 0x20 | runtime.cgocall /go/src/runtime/cgocall.go:157";
    assert_eq!(records, [format!("7 syscall, locked {frames}")]);
}

#[test]
fn what_is_missing_is_a_fault_and_the_rest_is_kept() {
    let text = "\
goroutine 7 [select]:
main.f(0x1)
main.g(0x1)
\t/src/main.go:9 +0x10
created by main.main in goroutine 1

goroutine 8 [select, upside down]:
main.\u{e9}(0x1)
\t/src/main.go:9 +0x10
";
    let (records, reading) = read(text);
    let wanted = [
        "7 select | main.f :0 | main.g /src/main.go:9 < main.main :0 of 1",
        "8 select | main.\u{e9} /src/main.go:9",
    ];
    assert_eq!(records, wanted);
    assert_eq!((reading.faults, reading.cut_short), (3, false));
    let (records, reading) = read(b"goroutine 7 [select]:\nmain.\xff(0x1)\n\t/a.go:9 +0x1\n");
    assert_eq!(records, ["7 select | main.? /a.go:9"]);
    let fault = reading.first_fault.expect("a fault");
    assert_eq!((reading.faults, fault.what), (1, "text that is not UTF-8"));
}

/// Wherever a dump is cut, whole goroutines are read, the last one says what is missing, and nothing is made up.
#[test]
fn a_dump_that_is_cut_is_read_to_where_it_was() {
    let [first, second, _] = dump();
    let start = DUMP.find("goroutine 7").expect("the second");
    let end = DUMP.find("goroutine 8").expect("the third");
    let heading = DUMP[start..].find('\n').expect("its end");
    for at in start..end {
        let (records, reading) = read(&DUMP[..at]);
        assert_eq!(records[0], first);
        let text = &DUMP[..at];
        let Some(cut) = records.get(1) else {
            assert!(at - start < heading && (reading.cut_short || at == start), "{text}");
            continue;
        };
        if reading.cut_short {
            // Behind the creation no frames can be missing.
            let stack = cut.split(" < ").next().filter(|_| cut.contains(" < "));
            let begun = cut.strip_suffix(" | some elided").or(stack).expect("what is missing");
            assert!(second.starts_with(begun), "{cut}");
        } else {
            // Where a line ends, or all that is needed of it, nobody sees that more was to follow.
            let last = text.lines().last().unwrap_or_default();
            assert!(
                text.ends_with('\n') || last.contains(".go:") && last.contains(" +0x"),
                "{text}"
            );
            let cut = cut.split(" < ").next().unwrap_or_default();
            assert!(second.starts_with(cut), "{cut}");
        }
    }
}

#[test]
fn where_go_cuts_a_dump_is_known() {
    let whole = DUMP.split("\n\n").next().expect("the first");
    for (missing, wanted) in [(1, false), (0, true)] {
        let before = "x".repeat(GO_CUTS_AT as usize - whole.len() - 1 - missing);
        let (_, reading) = read_in(format!("{before}\n{whole}").as_bytes(), 1 << 20);
        assert_eq!((reading.records, reading.cut_short), (1, wanted));
    }
}

/// Lines of any length and stacks of any depth are read with little memory, and what is left out is counted.
#[test]
fn memory_is_bounded() {
    let mut last = String::new();
    let mut take = |record: &Record<'_>| last = shown(record);
    let mut reader = Reader::new(&mut take);
    let feed = |reader: &mut Reader<'_, _>, text: &str, times: usize| {
        for _ in 0..times {
            reader.feed(text.as_bytes());
        }
        assert!(reader.buffer.capacity() < 16 << 20 && reader.log.text.capacity() < 16 << 20);
    };
    let long = "x".repeat(1 << 20);
    feed(&mut reader, &long, 64);
    feed(&mut reader, "\ngoroutine 7 [select]:\n", 1);
    feed(&mut reader, "main.f()\n\t/a.go:1 +0x1\n", 200_000);
    feed(&mut reader, &long, 64);
    feed(&mut reader, "\n", 1);
    feed(&mut reader, "created by main.g in goroutine 1\n\t/a.go:2 +0x1\n", 1);
    let reading = reader.finish();
    let frames = " | main.f /a.go:1".repeat(4096);
    assert_eq!(last, format!("7 select{frames} | 195904 elided < main.g /a.go:2 of 1"));
    assert_eq!((reading.faults, reading.other_lines, reading.records), (1, 1, 1));
    assert_eq!(reading.first_fault.expect("a fault").what, "a line that is too long");
}

/// The dump with something before each line.
fn prefixed(prefix: impl Fn(usize) -> String) -> String {
    DUMP.lines().enumerate().map(|(at, line)| format!("{}{line}\n", prefix(at))).collect()
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

#[test]
fn prefixes_of_log_collectors_are_taken_off() {
    type Prefix = fn(usize) -> String;
    let logs: [(&str, Prefix); 8] = [
        ("plain", |at| format!("2026/01/02 15:04:{:02} ", at % 60)),
        ("rfc 3339", |at| format!("2026-01-02T15:04:05.{at}Z ")),
        ("syslog", |at| format!("Jan  2 15:04:{:02} host-1 svc[4242]: ", at % 60)),
        ("klog", |at| format!("E0102 15:04:05.{at:06}   12345 panic.go:{at}] ")),
        ("kubernetes", |at| format!("2026-01-02T15:04:05.{at:09}Z stderr F ")),
        ("compose", |_| "web-1  | ".to_owned()),
        ("kubectl", |_| "[pod/web-7d9f/web] ".to_owned()),
        ("bracketed", |at| format!("[2026-01-02 15:04:05,{at:03}] [err] ")),
    ];
    for (name, prefix) in logs {
        let text = format!("{}before\n{}", prefix(1), prefixed(prefix));
        assert_eq!(read_well(&text), (dump().map(String::from).to_vec(), 1), "{name}");
        // Another's lines in between, with spaces at the end taken off.
        let mixed: String =
            text.lines().map(|line| format!("{}\nother-2  | message\n", line.trim_end())).collect();
        let (records, _) = read_well(&mixed);
        assert_eq!(records, dump(), "{name}");
    }
}

#[test]
fn only_the_heading_may_have_a_prefix() {
    let text = format!("2026/01/02 15:04:05 {DUMP}\n2026/01/02 15:04:06 next\n");
    assert_eq!(read_well(text), (dump().map(String::from).to_vec(), 1));
}

#[test]
fn pieces_of_lines_are_joined() {
    let stamp = "2026-01-02T15:04:05.123Z stderr";
    let text: String = DUMP
        .lines()
        .map(|line| match line.split_at_checked(5) {
            Some((start, end)) if !line.starts_with("goroutine 1 ") => {
                format!("{stamp} P {start}\n{stamp} F {end}\n")
            }
            _ => format!("{stamp} F {line}\n"),
        })
        .collect();
    assert_eq!(read_well(text), (dump().map(String::from).to_vec(), 0));
}

#[test]
fn lines_in_json_are_read() {
    let docker: String = DUMP
        .lines()
        .map(|line| {
            format!(
                "{{\"log\":{},\"stream\":\"stderr\",\"time\":\"2026-01-02\"}}\n",
                json(&format!("{line}\n"))
            )
        })
        .collect();
    assert_eq!(read_well(docker), (dump().map(String::from).to_vec(), 0));
    let bare: String = DUMP
        .lines()
        .map(|line| {
            format!("{{\"time\":\"2026-01-02T15:04:05Z\",\"message\":{},\"x\":1}}\n", json(line))
        })
        .collect();
    assert_eq!(read_well(bare), (dump().map(String::from).to_vec(), 0));
}

#[test]
fn a_dump_in_one_string_is_read() {
    let entry =
        |text: &str| format!("{{\"level\":\"error\",\"ts\":1.5,\"stack\":{},\"n\":1}}", json(text));
    let escaped = |line: String| line.replace('<', "\\u003c").replace('/', "\\/");
    let twice =
        |line: String| format!("{{\"log\":{},\"stream\":\"stderr\"}}", json(&format!("{line}\n")));
    let wanted = dump().map(String::from).to_vec();
    for line in [
        entry(DUMP),
        entry(DUMP.trim_end()),
        escaped(entry(DUMP)),
        format!("2026-01-02T15:04:05Z stderr F {}", entry(DUMP)),
        format!("time=\"2026-01-02\" level=error msg={}", json(DUMP)),
        twice(entry(DUMP)),
    ] {
        let text = format!("{{\"level\":\"info\"}}\n{line}\n{{\"level\":\"info\"}}\n");
        assert_eq!(read_well(text), (wanted.clone(), 2), "{line}");
    }
    // Of a logger's own stack behind it nothing is taken in.
    let text = format!("{}\n{}\n", entry(DUMP), entry("main.f()\n\t/a.go:1"));
    assert_eq!(read_well(text).0, wanted);
    // However long the line is.
    let goroutine = DUMP.split_inclusive("\n\n").next().expect("the first");
    let text = entry(&format!("{}{}", "x".repeat(1 << 20), goroutine.repeat(20_000)));
    let (records, reading) = read_in(text.as_bytes(), 64 << 10);
    assert_eq!((records.len(), reading.faults), (20_000, 0));
}
