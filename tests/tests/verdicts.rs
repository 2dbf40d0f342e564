//! Leaks that leak-agent proves, beside what Go's own `goroutineleak` profile says of the same process: served, read
//! again, and in one report.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;

use leak_agent::profile::packed::{self, Limits};
use leak_agent::profile::proto::{Kind, Profile};
use leak_agent::profile::{Entry, Record, counts};
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::serving::Serving;
use leak_agent_tests::{Scratch, Target, agent};
use serde_json::{Value, json};

/// Goroutines that leak.
const LEAKS: u64 = 40;

/// Longer than a busy machine makes any pause.
const PAUSE: &str = "5s";

fn leaking() -> Target {
    let args = [LEAKS.to_string(), "1".to_owned()];
    Target::start_with("1.27.3", "exe", "leaked", &args).expect("target")
}

fn serving(target: &Target, flags: &[&str]) -> (Serving, Endpoint) {
    let mut agent = Command::new(agent::binary().expect("agent"));
    agent.args(["pprof", &target.pid().to_string(), "--listen", "127.0.0.1:0"]).args(flags);
    let serving = Serving::start(&mut agent);
    let endpoint = Endpoint::of(&serving.url).expect("a URL");
    (serving, endpoint)
}

fn asked(endpoint: &Endpoint, page: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    endpoint.read(page, &mut answer).expect("an answer");
    answer
}

/// How many goroutines stand at each stack.
#[derive(Debug, Default, PartialEq)]
struct Stacks(BTreeMap<String, u64>);

impl Stacks {
    fn take(&mut self, record: &Record<'_>) {
        let entry = |entry: &Entry<'_>| match entry {
            Entry::Call(call) => format!("{} {}:{}", call.function, call.file, call.line),
            other => format!("{other:?}"),
        };
        let stack: Vec<String> = record.stack.iter().map(entry).collect();
        *self.0.entry(stack.join("\n")).or_insert(0) += u64::from(record.count);
    }

    fn of_proto(bytes: &[u8]) -> Self {
        let bytes = packed::whole(bytes, Limits::of_bytes(1 << 26)).expect("gzip");
        let profile = Profile::read(&bytes).expect("a profile");
        assert_eq!(profile.kind(), Kind::GoroutineLeak);
        let mut stacks = Self::default();
        let reading =
            profile.goroutines(&mut |record: &Record<'_>| stacks.take(record)).expect("goroutines");
        assert_eq!(reading.faults, 0);
        stacks
    }

    fn of_counts(bytes: &[u8]) -> Self {
        assert!(bytes.starts_with(b"goroutineleak profile: total 40\n"));
        let mut stacks = Self::default();
        let mut take = |record: &Record<'_>| stacks.take(record);
        let mut reader = counts::Reader::new(&mut take);
        reader.feed(bytes);
        assert_eq!(reader.finish().faults, 0);
        stacks
    }
}

/// The ids of those that a dump marks.
fn marked(dump: &[u8]) -> BTreeSet<u64> {
    let text = String::from_utf8_lossy(dump);
    let headings = text.lines().filter_map(|line| line.strip_prefix("goroutine "));
    let marked = headings.filter(|heading| heading.contains(" (leaked)"));
    marked.map(|it| it.split(' ').next().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

/// Whose verdict the one finding of a report is.
fn proven_by(args: &[&str]) -> Value {
    let output = agent::run(&[args, &["--format", "json"]].concat()).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&said);
    let findings = report["findings"].as_array().expect(&said);
    let proven: Vec<&Value> = findings.iter().filter(|it| it["verdict"] == "proven").collect();
    let [finding] = proven[..] else { panic!("{args:?}: {findings:#?}") };
    assert_eq!(finding["proven_count"], json!(LEAKS));
    finding["proven_by"].clone()
}

#[test]
fn leaks_are_served_as_go1_27_serves_its_own_and_read_back_as_whose_they_are() {
    let mut target = leaking();
    let go = Endpoint::of(&target.command("pprof").expect("an address")).expect("a URL");
    let (serving, ours) = serving(&target, &["--max-pause", PAUSE]);
    let scratch = Scratch::new("verdicts");
    // Before Go searches itself: it marks what it finds.
    let dump = asked(&ours, "goroutineleak?debug=2");
    assert_eq!(marked(&dump).len() as u64, LEAKS, "{}", String::from_utf8_lossy(&dump));
    let later = asked(&ours, "goroutine?debug=2");
    assert_eq!(marked(&later), marked(&dump));
    let (proto, text) = (asked(&ours, "goroutineleak"), asked(&ours, "goroutineleak?debug=1"));

    let gos = asked(&go, "goroutineleak?debug=2");
    assert_eq!(marked(&dump), marked(&gos));
    assert_eq!(Stacks::of_proto(&proto), Stacks::of_proto(&asked(&go, "goroutineleak")));
    assert_eq!(Stacks::of_counts(&text), Stacks::of_counts(&asked(&go, "goroutineleak?debug=1")));

    let tool = Command::new(env::var_os("GO").unwrap_or_else(|| "go".into()))
        .args(["tool", "-n", "pprof"])
        .output()
        .expect("Go is installed");
    let tool = String::from_utf8(tool.stdout).expect("UTF-8");
    let top = Command::new(tool.trim())
        .env("PPROF_TMPDIR", &scratch.0)
        .args(["-top", &format!("{}goroutineleak", serving.url)])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&top.stdout);
    assert!(said.contains("Type: goroutineleak") && said.contains("main.wait"), "{said}");

    let by = |agent: u64, runtime: u64, both: u64| json!({ "agent": agent, "runtime": runtime, "both": both });
    for (name, bytes, of) in [
        ("ours.txt", &dump, by(LEAKS, 0, 0)),
        ("later.txt", &later, by(LEAKS, 0, 0)),
        ("ours.counts", &text, by(LEAKS, 0, 0)),
        ("ours.pb.gz", &proto, by(LEAKS, 0, 0)),
        ("go.txt", &gos, by(0, LEAKS, 0)),
        ("go.counts", &asked(&go, "goroutineleak?debug=1"), by(0, LEAKS, 0)),
        ("go.pb.gz", &asked(&go, "goroutineleak"), by(0, LEAKS, 0)),
    ] {
        let file = scratch.file(name);
        std::fs::write(&file, bytes).expect("written");
        assert_eq!(proven_by(&["check", "--input", &file]), of, "{name}");
    }
    let pid = target.pid().to_string();
    let attached = ["analyze", &pid, "--duration", "4s", "--max-pause", PAUSE];
    assert_eq!(proven_by(&attached), by(LEAKS, LEAKS, LEAKS));
}

#[test]
fn leaks_of_an_older_go_are_served_too() {
    let target = Target::start("1.22.10", "exe", "prove").expect("target");
    let (_serving, ours) = serving(&target, &["--max-pause", PAUSE]);
    let dump = asked(&ours, "goroutineleak?debug=2");
    // Another request has what is proven by then too.
    let stacks = Stacks::of_proto(&asked(&ours, "goroutineleak"));
    let leaks = marked(&dump).len() as u64;
    assert!(leaks > 300 && stacks.0.values().sum::<u64>() >= leaks, "{leaks}: {stacks:#?}");
}

#[test]
fn where_nothing_is_proven_the_answer_is_an_error_and_no_empty_profile() {
    let target = leaking();
    for (flags, status) in [(["--proof", "off"], "404"), (["--max-pause", "1us"], "503")] {
        let (serving, ours) = serving(&target, &flags);
        let refused = ours.read("goroutineleak", &mut Vec::new()).expect_err("no profile");
        let said = format!("{refused:#}");
        assert!(said.contains(status), "{flags:?}: {said}");
        let index = String::from_utf8(asked(&ours, "")).expect("UTF-8");
        assert_eq!(index.contains("href=\"goroutineleak?debug=1\""), status == "503", "{index}");
        assert!(marked(&asked(&ours, "goroutine?debug=2")).is_empty());
        drop(serving);
    }
}
