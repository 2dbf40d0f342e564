//! What is written as Go's profiles, beside what Go itself says of the same goroutines, and in Go's own tools.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{Goroutine, Observation, Status};
use leak_agent::profile::packed::{self, Limits};
use leak_agent::profile::proto::{Kind, Profile};
use leak_agent::profile::{Call, Entry, Record, write};
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::observe::Observe as _;
use leak_agent_tests::serving::Serving;
use leak_agent_tests::{Scratch, Target, agent, each_version};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Frames that each Go version records at least.
const GO_DEPTH: usize = 32;

each_version!(a_dump_is_gos_own_text);
each_version!(counts_are_gos_own_text);
each_version!(a_profile_has_what_gos_own_has);

/// A target that stands still, and its own endpoint.
fn served(version: &str) -> (Target, Endpoint) {
    let mut target = Target::start(version, "exe", "served").expect("target");
    let address = target.command("address").expect("an address");
    // On a busy machine its goroutines may not have come to where they stay when it answers.
    observe(&target);
    (target, Endpoint::pprof(&address))
}

/// The target at a moment at which every goroutine waits: the server's own run on for a moment after an answer.
fn observe(target: &Target) -> Observation {
    for _ in 0..100 {
        let mut source = Attach::open(target.pid(), &Options::default()).expect("attached");
        let seen = source.next().expect("observed");
        // The main goroutine reads commands.
        let stands =
            |it: &Goroutine| it.stack.id().is_some() && (it.status == Status::Waiting || it.is(1));
        if seen.goroutines.iter().all(stands) {
            return seen;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never stands still")
}

fn bytes(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

fn asked(endpoint: &Endpoint, page: &str) -> Vec<u8> {
    bytes(|out| {
        endpoint.read(page, out).expect("an answer");
    })
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// Whether something belongs to the server that was asked, or reads commands: it does not stand still. Nor does
/// what accepts connections, which may still be on its way back when the answer is made.
fn is_servers(text: &str) -> bool {
    ["net/http.(*conn).serve", "net/http.(*Server).Serve", "ackgroundRead", "internal/control."]
        .iter()
        .any(|name| text.contains(name))
}

/// The text of each goroutine, without what differs: arguments and offsets.
fn goroutines(dump: &str) -> BTreeMap<u64, String> {
    let line = |line: &str| match line.rsplit_once(" +0x") {
        Some((place, _)) if line.starts_with('\t') => place.to_owned(),
        _ if line.starts_with(['\t', 'g']) && line.contains(['/', '[']) => line.to_owned(),
        _ if line.starts_with("created by ") => line.to_owned(),
        // A function's name may have parentheses; its arguments have none but their own.
        _ => line.rsplit_once('(').map_or(line, |(function, _)| function).to_owned(),
    };
    let parts = dump.trim_end().split("\n\n");
    let goroutine = |part: &str| {
        let heading = part.strip_prefix("goroutine ").expect("a heading");
        let goid = heading.split(' ').next().and_then(|goid| goid.parse().ok());
        let lines: Vec<String> = part.lines().map(line).collect();
        (goid.expect("an id"), lines.join("\n"))
    };
    parts.map(goroutine).collect()
}

fn a_dump_is_gos_own_text(version: &str) {
    let (target, endpoint) = served(version);
    let go = text(asked(&endpoint, "goroutine?debug=2"));
    let seen = observe(&target);
    let ours = text(bytes(|out| write::dump(&seen, out).expect("goroutines with ids")));
    let is_labelled = ours.contains(" {job: \"a b\", kind: x/y}:\n");
    assert_eq!(is_labelled, version.starts_with("1.27"), "{ours}");
    // The target's module is of a Go that prints no labels.
    let ours = ours.replace(" {job: \"a b\", kind: x/y}:\n", ":\n");
    let (mut go, mut ours) = (goroutines(&go), goroutines(&ours));
    go.retain(|_, text| !is_servers(text));
    ours.retain(|_, text| !is_servers(text));
    assert!(go.len() > 17, "{go:#?}");
    assert_eq!(go.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    for (goid, go) in &go {
        assert_eq!(go, &ours[goid]);
    }
    for state in ["chan send (nil chan)", "select (no cases)", "locked to thread", "frames elided"]
    {
        assert!(go.values().any(|text| text.contains(state)), "{state}");
    }
}

fn counts_are_gos_own_text(version: &str) {
    let (target, endpoint) = served(version);
    let go = text(asked(&endpoint, "goroutine?debug=1"));
    let seen = observe(&target);
    let ours = text(bytes(|out| write::counts(&seen, out).expect("a vector takes everything")));
    assert!(ours.starts_with("goroutine profile: total "), "{ours}");
    let (go, ours) = (stacks(&go), stacks(&ours));
    assert!(go.len() > 14 && go.iter().any(|it| it.contains("# labels: {")), "{go:#?}");
    assert_eq!(go, ours);
}

/// Each stack with its count and labels, without what differs: addresses, offsets, and what Go cuts.
fn stacks(counts: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut cells: Vec<&str> = line.split('\t').filter(|cell| !cell.is_empty()).collect();
        if let ["#", address, named @ ..] = cells.as_mut_slice() {
            *address = "0x";
            if let [function, ..] = named {
                *function = function.rsplit_once("+0x").map_or(*function, |(name, _)| name);
            }
        }
        cells.join("\t")
    };
    let mut stacks: Vec<String> = counts
        .split_once('\n')
        .map_or("", |(_, stacks)| stacks)
        .trim_end()
        .split("\n\n")
        // One that has just been created has no frame of its own: the server's.
        .filter(|stack| stack.lines().any(|line| line.starts_with('#')))
        .filter(|stack| !is_servers(stack) && stack.lines().count() < GO_DEPTH - 8)
        .map(|stack| {
            let (count, rest) = stack.split_once(" @").expect("a count");
            let lines = rest.lines().skip(1).map(line).collect::<Vec<_>>();
            format!("{count}\n{}", lines.join("\n"))
        })
        .collect();
    stacks.sort();
    stacks
}

fn a_profile_has_what_gos_own_has(version: &str) {
    let (target, endpoint) = served(version);
    let go = asked(&endpoint, "goroutine");
    let seen = observe(&target);
    let ours = bytes(|out| write::pprof(&seen, None, out).expect("a vector takes everything"));
    let (go, ours) = (records(&go), records(&ours));
    assert!(go.len() > 14 && go.keys().any(|it| it.starts_with("job=a b,kind=x/y\n")), "{go:#?}");
    assert_eq!(go, ours);
    for (page, kind) in [
        ("heap", Kind::Heap),
        ("allocs", Kind::Allocs),
        ("threadcreate", Kind::ThreadCreate),
        ("block", Kind::Block),
    ] {
        let packed = asked(&endpoint, page);
        let bytes = packed::whole(&packed, Limits::of_bytes(1 << 26)).expect("gzip");
        let profile = Profile::read(&bytes).expect("a profile");
        assert_eq!(profile.kind(), kind, "{page}");
        if kind == Kind::Heap {
            let mut sites = 0;
            let (sum, faults, _) = profile.heap(|_| sites += 1).expect("a heap");
            assert_eq!((faults, sum.inuse_bytes.is_some()), (0, true), "{sites} sites");
            assert!(profile.time().is_some() && profile.period().is_some());
        }
    }
}

/// Counts by labels and stack, without what differs: what Go cuts.
fn records(packed: &[u8]) -> BTreeMap<String, u64> {
    let bytes = packed::whole(packed, Limits::of_bytes(1 << 26)).expect("gzip");
    let profile = Profile::read(&bytes).expect("a profile");
    assert_eq!(profile.kind(), Kind::Goroutine);
    let mut records = BTreeMap::new();
    let mut take = |record: &Record<'_>| {
        let mut labels: Vec<String> =
            record.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        labels.sort();
        let entry = |entry: &Entry<'_>| match entry {
            // Go takes a function that was inlined into itself for one that was not.
            Entry::Call(Call { function, file, line, .. }) => format!("{function} {file}:{line}"),
            other => format!("{other:?}"),
        };
        let stack: Vec<String> = record.stack.iter().map(entry).collect();
        let text = format!("{}\n{}", labels.join(","), stack.join("\n"));
        if !stack.is_empty() && !is_servers(&text) && stack.len() < GO_DEPTH - 8 {
            *records.entry(text).or_insert(0) += u64::from(record.count);
        }
    };
    let reading = profile.goroutines(&mut take).expect("one of goroutines");
    assert_eq!(reading.faults, 0, "{reading:?}");
    records
}

/// `go tool pprof`, which keeps what it fetches in the folder. Started without `go`, which would leave it
/// behind when it is killed.
fn pprof(scratch: &Scratch) -> Command {
    let go = env::var_os("GO").unwrap_or_else(|| "go".into());
    let named = Command::new(go).args(["tool", "-n", "pprof"]).output().expect("Go is installed");
    let mut pprof = Command::new(text(named.stdout).trim());
    pprof.env("PPROF_TMPDIR", &scratch.0).current_dir(&scratch.0);
    pprof
}

fn told(scratch: &Scratch, args: &[&str]) -> String {
    let output = pprof(scratch).args(args).output().expect("Go is installed");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{args:?}: {out}\n{err}");
    out
}

#[test]
fn go_tool_pprof_opens_what_is_exported() {
    let (target, endpoint) = served("1.26.6");
    let scratch = Scratch::new("export");
    let (pid, file) = (target.pid().to_string(), scratch.file("ours.pb.gz"));
    let output = agent::run(&["export", &pid, "--output", &file]).expect("agent");
    assert!(output.status.success(), "{}", text(output.stderr));

    let top = told(&scratch, &["-top", &file]);
    assert!(top.contains(&format!("File: served (pid {pid})")), "{top}");
    assert!(top.contains("Type: goroutine") && top.contains("runtime.gopark"), "{top}");
    let traces = told(&scratch, &["-traces", "-tagfocus=state=chan send \\(nil", &file]);
    assert!(traces.contains("state:  chan send (nil chan)"), "{traces}");
    assert!(traces.contains("main.main.func") && !traces.contains("main.deep"), "{traces}");
    let listed = told(&scratch, &["-list", "main.deep", &file]);
    assert!(listed.contains("func deep(depth int, c chan int) int {"), "{listed}");
    let raw = told(&scratch, &["-raw", &file]);
    assert!(raw.contains("goroutine/count") && raw.contains("main.inlined"), "{raw}");
    let tags = told(&scratch, &["-tags", &file]);
    assert!(tags.contains("select (no cases)") && tags.contains("to thread"), "{tags}");
    // Nothing came and nothing went: against itself, and against Go's own but for the server.
    let none = told(&scratch, &["-top", "-base", &file, &file]);
    assert!(none.contains("0, 0% of"), "{none}");
    let go = scratch.file("go.pb.gz");
    fs::write(&go, asked(&endpoint, "goroutine")).expect("written");
    let base = told(&scratch, &["-top", "-base", &go, "-ignore", "net/http|main.deep", &file]);
    assert!(base.contains("accounting for 0, 0% of"), "{base}");

    let saved = scratch.file("seen");
    let kept = agent::run(&["check", &pid, "--save", &saved]).expect("agent");
    assert!(kept.status.code() < Some(2), "{}", text(kept.stderr));
    let dump = agent::run(&["export", "--input", &saved, "--format", "debug2"]).expect("agent");
    assert!(text(dump.stdout).starts_with("goroutine 1 ["), "{}", text(dump.stderr));
}

#[test]
fn the_web_view_of_go_tool_pprof_shows_what_is_exported() {
    let (target, _) = served("1.26.6");
    let scratch = Scratch::new("web");
    let (pid, file) = (target.pid().to_string(), scratch.file("ours.pb.gz"));
    let output = agent::run(&["export", &pid, "--output", &file]).expect("agent");
    assert!(output.status.success(), "{}", text(output.stderr));
    let server =
        Serving::start(pprof(&scratch).args(["-no_browser", "-http", "127.0.0.1:", &file]));
    let endpoint = Endpoint::of(&format!("{}/ui/", server.url)).expect("a URL");
    // It says where before it listens.
    let listens = || endpoint.read("top", &mut Vec::new()).is_ok();
    assert!((0..200).any(|_| listens() || {
        thread::sleep(Duration::from_millis(50));
        false
    }));
    for (page, shown) in [
        ("top", "main.deep"),
        ("flamegraph", "main.deep"),
        ("peek?f=main.deep", "main.inlined"),
        ("source?f=main.deep", "func deep(depth int, c chan int) int {"),
    ] {
        let page_text = text(asked(&endpoint, page));
        assert!(page_text.contains(shown), "{page}: {page_text}");
    }
}

#[test]
fn a_process_is_served_until_a_signal_or_its_end() {
    let (target, endpoint) = served("1.26.6");
    let scratch = Scratch::new("serve");
    let pid = target.pid().to_string();
    let agent = || {
        let mut agent = Command::new(agent::binary().expect("agent"));
        agent.args(["pprof", &pid, "--listen", "127.0.0.1:0"]);
        agent
    };
    let mut server = Serving::start(&mut agent());
    let profile = format!("{}goroutine", server.url);
    let top = told(&scratch, &["-top", &profile]);
    assert!(top.contains(&format!("File: served (pid {pid})")), "{top}");
    let delta = told(&scratch, &["-top", "-seconds", "1", &profile]);
    assert!(delta.contains("Duration: 1"), "{delta}");
    let ours = Endpoint::of(&server.url).expect("a URL");
    let dump = goroutines(&text(asked(&ours, "goroutine?debug=2")));
    let mut go = goroutines(&text(asked(&endpoint, "goroutine?debug=2")));
    go.retain(|_, text| !is_servers(text));
    assert!(go.len() > 17 && go.iter().all(|(goid, text)| dump.get(goid) == Some(text)));
    assert_eq!(asked(&ours, "cmdline"), asked(&endpoint, "cmdline"));
    kill(Pid::from_raw(server.child.id() as i32), Signal::SIGINT).expect("it runs");
    assert!(server.child.wait().expect("it ends").success());

    let mut server = Serving::start(&mut agent());
    drop(target);
    assert!(server.child.wait().expect("it ends").success());
    let mut rest = String::new();
    server.stderr.read_to_string(&mut rest).expect("a pipe");
    assert!(rest.contains("have exited"), "{rest}");
}

/// Each record of a heap profile in text: its counts, and the functions and lines of its stack, without addresses.
fn heap_records(profile: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in profile.lines().skip(1).take_while(|line| !line.starts_with("# runtime.MemStats")) {
        if let Some(frame) = line.strip_prefix("#\t") {
            let columns: Vec<&str> = frame.split('\t').filter(|it| !it.is_empty()).collect();
            let [_, function, place] = columns[..] else { panic!("{line}") };
            let function = function.rsplit_once('+').expect("an offset").0;
            records.last_mut().expect("a record").push_str(&format!("\n{function} {place}"));
        } else if let Some((counts, _)) = line.split_once(" @") {
            records.push(counts.to_owned());
        }
    }
    // A bucket of which nothing is published yet is in Go's alone, or in ours.
    records.retain(|record| !record.starts_with("0: 0 [0: 0]"));
    records.sort_unstable();
    records
}

fn the_heap_is_served_as_go_serves_it(version: &str) {
    let mut target =
        Target::start_with(version, "stripped", "allocated", &["4096"]).expect("target");
    let scratch = Scratch::new(&format!("serve-heap-{version}"));
    let (go_text, go) = (scratch.file("go.txt"), scratch.file("go.pb"));
    for command in ["hold 8", "rest", &format!("profile 1 {go_text}"), &format!("profile 0 {go}")] {
        target.command(command).expect("OK");
    }
    let pid = target.pid().to_string();
    let mut agent = Command::new(agent::binary().expect("agent"));
    let server = Serving::start(agent.args(["pprof", &pid, "--listen", "127.0.0.1:0"]));
    let heap = format!("{}heap", server.url);
    let top = told(&scratch, &["-top", &heap]);
    assert!(top.contains(&format!("File: allocated (pid {pid})")), "{top}");
    assert!(top.contains("Type: inuse_space") && top.contains("main.holdBuffers"), "{top}");
    let allocs = told(&scratch, &["-top", &format!("{}allocs", server.url)]);
    assert!(allocs.contains("Type: alloc_space") && allocs.contains("main.holdText"), "{allocs}");
    let none = told(&scratch, &["-top", "-base", &go, &heap]);
    assert!(none.contains("accounting for 0, 0% of") || none.contains(" 0 total"), "{none}");
    let delta = told(&scratch, &["-top", "-seconds", "1", &heap]);
    assert!(delta.contains("Duration: 1"), "{delta}");
    let ours = Endpoint::of(&server.url).expect("a URL");
    assert!(text(asked(&ours, "")).contains("href=\"heap?debug=1\""));
    let ours = text(asked(&ours, "heap?debug=1"));
    let theirs = fs::read_to_string(&go_text).expect("it was written");
    assert_eq!(ours.lines().next(), theirs.lines().next(), "{version}");
    assert_eq!(heap_records(&ours), heap_records(&theirs), "{version}");
}

#[test]
fn the_heap_is_served_as_go1_21_serves_it() {
    the_heap_is_served_as_go_serves_it("1.21.13");
}

#[test]
fn the_heap_is_served_as_go1_27_serves_it() {
    the_heap_is_served_as_go_serves_it("1.27.3");
}

#[test]
fn a_heap_that_is_not_profiled_is_not_served() {
    let target = Target::start("1.27.3", "stripped", "heap").expect("target");
    let pid = target.pid().to_string();
    let mut agent = Command::new(agent::binary().expect("agent"));
    let server = Serving::start(agent.args(["pprof", &pid, "--listen", "127.0.0.1:0"]));
    let ours = Endpoint::of(&server.url).expect("a URL");
    let index = text(asked(&ours, ""));
    assert!(index.contains("live objects (not served)"), "{index}");
    let refused = ours.read("heap", &mut Vec::new()).expect_err("404");
    assert!(format!("{refused:#}").contains("404"), "{refused:#}");
}
