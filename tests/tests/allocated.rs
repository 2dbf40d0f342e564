//! Who allocated what is in use, as `memory` says it, against what the program's own `runtime/pprof` writes: see
//! targets/allocated.
#![allow(clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

use leak_agent::golang::Program;
use leak_agent::profile::Entry;
use leak_agent::profile::packed::{self, Limits};
use leak_agent::profile::proto::{Heap, Profile};
use leak_agent_tests::beside::meanwhile;
use leak_agent_tests::{Scratch, Target, agent, each_version};
use serde_json::Value;

/// What the profile has of one stack and size: objects and bytes in use, objects and bytes allocated, addresses.
type Record = ([u64; 4], Vec<u64>);

/// The records of `debug=1`, which are as they were sampled: `3: 48 [5: 80] @ 0x401234 0x405678`.
fn records(text: &str) -> Vec<Record> {
    let record = |line: &str| {
        let (counts, stack) = line.split_once(" @ ")?;
        let numbers = counts.split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty());
        let numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        let hex = |pc: &str| u64::from_str_radix(pc.strip_prefix("0x")?, 16).ok();
        let counts = <[u64; 4]>::try_from(numbers).ok()?;
        Some((counts, stack.split_whitespace().map(hex).collect::<Option<Vec<u64>>>()?))
    };
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let mut records: Vec<Record> = lines.map(|line| record(line).expect(line)).collect();
    records.retain(|(counts, _)| *counts != [0; 4]);
    records.sort_unstable();
    records
}

fn read(pid: u32) -> Vec<Record> {
    let program = Program::attach(pid).expect("attach");
    let buckets = program.buckets().expect("they are located");
    let profile = buckets.read(program.memory()).expect("it samples");
    assert!(profile.is_whole && profile.is_steady && profile.torn == 0, "{:?}", profile.torn);
    let record = |bucket: &leak_agent::golang::heap::buckets::Bucket| {
        let (now, all) = (bucket.in_use, bucket.allocated);
        ([now.objects, now.bytes, all.objects, all.bytes], bucket.pcs.to_vec())
    };
    let mut records: Vec<Record> = profile.buckets.iter().map(record).collect();
    records.retain(|(counts, _)| *counts != [0; 4]);
    records.sort_unstable();
    records
}

/// The sites of a profile: the lines of the stack, and how much.
fn sites(file: &str) -> Vec<(String, [u64; 4])> {
    let bytes = fs::read(file).expect("it was written");
    let bytes = packed::whole(&bytes, Limits::of_bytes(64 << 20)).expect("gzip");
    let profile = Profile::read(&bytes).expect("a profile");
    let mut sites = Vec::new();
    let give = |site: &leak_agent::profile::proto::HeapSite<'_>| {
        let frames = site.stack.iter().map(|entry| match entry {
            Entry::Call(call) => {
                format!("{} {}:{} {}", call.function, call.file, call.line, call.inlined)
            }
            other => format!("{other:?}"),
        });
        let Heap { alloc_objects, alloc_bytes, inuse_objects, inuse_bytes } = site.allocated;
        let values = [inuse_objects, inuse_bytes, alloc_objects, alloc_bytes];
        let values = values.map(|value| value.expect("Go writes all four"));
        sites.push((frames.collect::<Vec<_>>().join("\n"), values));
    };
    let (_, faults, first) = profile.heap(give).expect("one of the heap");
    assert_eq!((faults, first), (0, None));
    sites.retain(|(_, values)| *values != [0; 4]);
    sites.sort_unstable();
    sites
}

/// The program's own profile and ours are of the same sites and amounts. Two ways to compute an exponential may differ
/// in the last of 53 bits.
fn are_equal(what: &str, ours: &[(String, [u64; 4])], theirs: &[(String, [u64; 4])]) {
    let stacks = |sites: &[(String, [u64; 4])]| -> Vec<String> {
        sites.iter().map(|(stack, _)| stack.clone()).collect()
    };
    let (of_ours, of_theirs) = (stacks(ours), stacks(theirs));
    let extra = of_ours.iter().zip(&of_theirs).find(|(one, other)| one != other);
    assert_eq!((ours.len(), extra), (theirs.len(), None), "{what}");
    for ((stack, ours), (_, theirs)) in ours.iter().zip(theirs) {
        let is_close = |(one, other): (&u64, &u64)| one.abs_diff(*other) <= 1 + (other >> 50);
        assert!(ours.iter().zip(theirs).all(is_close), "{what}: {ours:?} {theirs:?} {stack}");
    }
}

fn memory(pid: &str, more: &[&str]) -> (Value, String) {
    let args = [&["memory", "--format", "json", "--pid", pid], more].concat();
    let output = agent::run(&args).expect("agent");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), errors)
}

fn compare(version: &str, mode: &str, rate: &[&str]) {
    let what = format!("{version} {mode} {rate:?}");
    let mut target = Target::start_with(version, mode, "allocated", rate).expect("target");
    let scratch = Scratch::new(&format!("allocated-{version}-{mode}-{}", rate.len()));
    let pid = target.pid().to_string();
    let (text, theirs, ours) =
        (scratch.file("go.txt"), scratch.file("go.pb"), scratch.file("it.gz"));
    let mut ask = |command: &str| target.command(command).expect("an answer");
    // Before the first collection all is in the profile that was allocated, and all of it in use.
    if rate.is_empty() {
        assert!(read(pid.parse().expect("a number")).iter().all(|(it, _)| it[..2] == it[2..]));
    }
    ask("hold 12");
    ask("collect");
    ask("drop");
    ask("hold 8");
    ask("rest");
    // What the profile does not have yet.
    ask("hold 1");
    let before = read(pid.parse().expect("a number"));
    ask(&format!("profile 1 {text}"));
    ask(&format!("profile 0 {theirs}"));
    let (report, said) = memory(&pid, &["--save-profile", &ours]);
    assert!(said.contains(&format!("memory profile: {ours}")), "{said}");
    let own = records(&fs::read_to_string(&text).expect("it was written"));
    assert!(own.iter().any(|(counts, _)| counts[0] < counts[2]), "{what}: {own:?}");
    assert_eq!(before, own, "{what}");
    let (ours, theirs) = (sites(&ours), sites(&theirs));
    are_equal(&what, &ours, &theirs);

    // The report has the same, by line.
    let lines = report["allocated"]["lines"].as_array().expect("lines");
    let number = |value: &Value| value.as_u64().expect("a number");
    let sum = |of: &str, unit: &str| lines.iter().map(|line| number(&line[of][unit])).sum::<u64>();
    for (place, (of, unit)) in [
        ("in_use", "objects"),
        ("in_use", "bytes"),
        ("allocated", "objects"),
        ("allocated", "bytes"),
    ]
    .into_iter()
    .enumerate()
    {
        let all: u64 = ours.iter().map(|(_, values)| values[place]).sum();
        assert_eq!((sum(of, unit), number(&report["allocated"][of][unit])), (all, all), "{what}");
    }
    // Of what is sampled seldom, chance says which line comes first, and whether a line is there.
    if !rate.is_empty() {
        let first = &lines[0];
        assert_eq!(first["function"], "main.holdBuffers", "{what}: {first}");
        assert!(first["file"].as_str().is_some_and(|file| file.ends_with("main.go")), "{first}");
        let text = lines.iter().find(|line| line["function"] == "main.holdText").expect("text");
        assert!(text["via"].as_str().is_some_and(|via| via.starts_with("bytes.")), "{text}");
    }
    assert_eq!(report["allocated"]["notes"], Value::Array(Vec::new()), "{what}");
}

fn what_is_read_is_what_the_program_writes_of_itself(version: &str) {
    for mode in ["exe", "stripped", "pie-stripped"] {
        compare(version, mode, &[]);
    }
    compare(version, "stripped", &["4096"]);
    compare(version, "exe", &["1"]);
}

each_version!(what_is_read_is_what_the_program_writes_of_itself);

/// `go tool pprof`, which keeps what it fetches in the folder.
fn pprof(scratch: &Scratch, args: &[&str]) -> String {
    let go = env::var_os("GO").unwrap_or_else(|| "go".into());
    let named = Command::new(go).args(["tool", "-n", "pprof"]).output().expect("Go is installed");
    let mut pprof = Command::new(String::from_utf8_lossy(&named.stdout).trim());
    pprof.env("PPROF_TMPDIR", &scratch.0).current_dir(&scratch.0).args(args);
    let output = pprof.output().expect("Go is installed");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{args:?}: {out}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    out
}

#[test]
fn go_tool_pprof_opens_what_is_saved() {
    let mut target =
        Target::start_with("1.26.6", "stripped", "allocated", &["4096"]).expect("target");
    target.command("hold 12").expect("OK");
    target.command("rest").expect("OK");
    let scratch = Scratch::new("allocated-pprof");
    let pid = target.pid().to_string();
    let output = agent::run(&["memory", &pid, "--save-profile", &scratch.file("")]).expect("agent");
    let (out, said) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let out = String::from_utf8_lossy(&out);
    assert!(out.contains("\nallocated  ") && out.contains("  main.holdBuffers ("), "{out}");
    let names: Vec<String> = fs::read_dir(&scratch.0)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    let [name] = &names[..] else { panic!("{names:?}") };
    assert!(name.starts_with("memory_profile_") && name.ends_with(".pb.gz"), "{name}");
    assert!(said.contains(name), "{said}");

    let top = pprof(&scratch, &["-top", name]);
    assert!(top.contains(&format!("File: allocated (pid {pid})")), "{top}");
    assert!(top.contains("Type: inuse_space") && top.contains("main.holdBuffers"), "{top}");
    let lines = pprof(&scratch, &["-lines", "-sample_index=alloc_objects", "-top", name]);
    assert!(lines.contains("Type: alloc_objects") && lines.contains("main.go:"), "{lines}");
    let listed = pprof(&scratch, &["-list", "main.holdBuffers", name]);
    assert!(listed.contains("buffers = append(buffers, make([]byte, size))"), "{listed}");
    let raw = pprof(&scratch, &["-raw", name]);
    for words in [
        "PeriodType: space bytes",
        "Period: 4096",
        "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]",
        "bytes:[",
    ] {
        assert!(raw.contains(words), "{words}: {raw}");
    }
}

#[test]
fn a_program_without_a_profile_says_so() {
    let scratch = Scratch::new("allocated-none");
    for version in ["1.21.13", "1.27.3"] {
        for mode in ["exe", "stripped"] {
            let target = Target::start(version, mode, "heap").expect("target");
            let pid = target.pid().to_string();
            let (report, _) = memory(&pid, &[]);
            assert_eq!(report["allocated"], Value::Null);
            let notes = report["notes"].as_array().expect("notes");
            let reason = "the program keeps no memory profile";
            let said = |note: &Value| note.as_str().is_some_and(|note| note.contains(reason));
            assert!(notes.iter().any(said), "{version} {mode}: {notes:?}");
            // What was asked for and cannot be had is no success; the rest is shown all the same.
            let file = scratch.file("none.pb.gz");
            let output = agent::run(&["memory", &pid, "--save-profile", &file]).expect("agent");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{errors}");
            assert!(errors.contains("no memory profile was saved") && errors.contains(reason));
            assert!(String::from_utf8_lossy(&output.stdout).contains("memory     "));
            assert_eq!(fs::read_dir(&scratch.0).expect("the folder").count(), 0);
        }
    }
}

#[test]
fn a_profile_that_cannot_be_written_is_an_error_before_anything_is_read() {
    let output = agent::run(&["memory", "--pid", "1", "--save-profile", "/proc/none/x"]);
    let output = output.expect("agent");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("cannot save the memory profile to /proc/none/x"), "{errors}");
    assert!(output.stdout.is_empty() && output.status.code() > Some(1));
}

/// What `analyze` finds of a program that does this again and again.
fn judged(version: &str, mode: &str, work: &[&str]) -> Value {
    let mut target = Target::start(version, mode, "allocated").expect("target");
    let pid = target.pid().to_string();
    let again = || {
        for command in work {
            target.command(command).expect(command);
        }
        thread::sleep(Duration::from_millis(300));
    };
    let args = ["analyze", "--pid", &pid, "--duration", "24s", "--format", "json"];
    let output = meanwhile(again, || agent::run(&args)).expect("agent");
    serde_json::from_slice(&output.stdout).expect("one document")
}

fn the_line_that_grows_is_named(version: &str, mode: &str) {
    let report = judged(version, mode, &["hold 2", "collect"]);
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["class"] == "heap-growth");
    let finding = finding.unwrap_or_else(|| panic!("{report:#}"));
    let first = &finding["allocated_at"][0];
    assert_eq!(first["function"], "main.holdBuffers", "{version} {mode}: {finding:#}");
    assert!(first["grown_bytes"].as_u64().expect("bytes") > 4 << 20, "{first}");
    let cause = finding["cause"].as_str().expect("a sentence");
    assert!(cause.contains("Allocated at main.holdBuffers (main.go:"), "{cause}");
    let evidence = finding["evidence"].as_array().expect("evidence");
    let is_told = |it: &Value| it.as_str().is_some_and(|it| it.starts_with("memory-profile: ≈ "));
    assert!(evidence.iter().any(is_told), "{evidence:?}");
}

#[test]
fn the_line_that_grows_is_named_in_go1_21() {
    the_line_that_grows_is_named("1.21.13", "exe");
}

#[test]
fn the_line_that_grows_is_named_in_go1_27() {
    the_line_that_grows_is_named("1.27.3", "stripped");
}
