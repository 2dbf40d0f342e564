//! What a program holds and does not give back is a finding with its kind and name; pools, rotated logs,
//! requests and children that are waited for are none: see targets/resources.
#![allow(clippy::expect_used)]

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use leak_agent_tests::{Scratch, Target, agent, target};
use serde_json::Value;

/// Long enough for more than a suspicion.
const LONG: &str = "24s";

/// What a mode leaks: its kind, what its name leads to and contains, and the functions whose line opens it, by
/// the beginning of their names; none where Go's library does not.
struct Leak {
    mode: &'static str,
    kind: &'static str,
    leads_to: Option<&'static str>,
    name: &'static str,
    opened_in: &'static [&'static str],
    /// The path by which they are held; none where no object of Go's library stands for them.
    held_by: Option<&'static str>,
}

const LEAKS: [Leak; 6] = [
    Leak {
        mode: "files",
        kind: "file",
        leads_to: Some("path"),
        name: "/upload-#.tmp",
        opened_in: &["main.files"],
        held_by: Some("main.kept -> []any -> os.File.file -> os.file"),
    },
    Leak {
        mode: "close-wait",
        kind: "tcp-socket",
        leads_to: Some("accepted-on"),
        name: ":",
        // The closure of the one that was inlined into the other.
        opened_in: &["main.accepting.", "main.closeWait."],
        held_by: Some("main.kept -> []any -> net.TCPConn.conn.fd -> net.netFD"),
    },
    Leak {
        mode: "pipes",
        kind: "pipe",
        leads_to: None,
        name: "",
        opened_in: &["main.pipes"],
        held_by: Some("main.kept -> []any -> os.File.file -> os.file"),
    },
    Leak {
        mode: "children",
        kind: "zombie",
        leads_to: Some("program"),
        name: "true",
        opened_in: &[],
        held_by: None,
    },
    Leak {
        mode: "watchers",
        kind: "inotify",
        leads_to: None,
        name: "",
        opened_in: &[],
        held_by: None,
    },
    Leak {
        mode: "mappings",
        kind: "mapping",
        leads_to: Some("path"),
        name: "/index-#.tmp",
        opened_in: &[],
        held_by: None,
    },
];

const HEALTHY: [&str; 4] = ["pool", "rotation", "requests", "waited"];

/// The report of a program that does something while it is watched.
fn watched(version: &str, mode: &str) -> Value {
    let mut target = Target::start(version, "exe", "resources").expect("target");
    target.command(mode).expect(mode);
    let pid = target.pid().to_string();
    let args = ["analyze", "--pid", &pid, "--duration", LONG, "--format", "json"];
    let output = agent::run(&args).expect("agent");
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// Findings about resources that are more than a suspicion.
fn likely(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().expect("findings");
    let of_resources = findings.iter().filter(|finding| finding["subject"] == "resource");
    of_resources.filter(|finding| finding["verdict"] != "suspect").collect()
}

fn is_found(leak: &Leak, version: &str) {
    let report = watched(version, leak.mode);
    let found = likely(&report);
    let named = |finding: &&&Value| {
        let resource = &finding["resource"];
        let name = resource["name"].as_str().unwrap_or_default();
        resource["kind"] == leak.kind
            && resource["leads_to"].as_str() == leak.leads_to
            && name.contains(leak.name)
    };
    let finding = found.iter().find(named);
    let finding = finding.unwrap_or_else(|| {
        panic!("{version} {}: {:#} {:#}", leak.mode, report["findings"], report["resources"])
    });
    let resource = &finding["resource"];
    let [from, to] = ["from", "to"].map(|key| resource[key].as_u64().expect("a count"));
    assert!(to >= from + 10, "{resource}");
    let closed = resource["closed_by_peer"].as_u64().expect("a count");
    assert_eq!(closed > 0, leak.mode == "close-wait", "{finding:#}");
    assert_eq!((&finding["class"], &finding["count"]), (&"resource".into(), &0.into()));
    assert!(finding["growth"]["per_second"].as_f64().expect("a rate") > 1.0, "{finding:#}");
    assert!(!finding["suggestions"].as_array().expect("a list").is_empty());
    assert!(resource["history"].as_array().is_some_and(|history| history.len() >= 5));
    is_opened_there(leak, resource, &report);
    is_held_there(leak, finding);
    if leak.kind != "zombie" {
        assert!(resource["limit"]["reached_in_seconds"].as_f64().is_some(), "{resource}");
    }
}

/// Whether the line is named that opened what came while it was watched, and whatever no line opened is said.
fn is_opened_there(leak: &Leak, resource: &Value, report: &Value) {
    let lines = resource["opened_at"].as_array().expect("a list");
    let coverage = &report["coverage"];
    if leak.opened_in.is_empty() {
        assert!(lines.is_empty(), "{resource:#}");
        // Made by a system call of the program's own.
        let is_said = coverage["notes"].to_string().contains("the open probe saw ");
        assert!(is_said || leak.kind != "inotify", "{coverage:#}");
        return;
    }
    let [line] = &lines[..] else { panic!("{lines:#?} {coverage:#}") };
    let function = line["function"].as_str().expect("a function");
    let is_there = leak.opened_in.iter().any(|start| function.starts_with(start));
    assert!(is_there && line["basis"] == "stack", "{line:#}");
    let [from, to] = ["from", "to"].map(|key| resource[key].as_u64().expect("a count"));
    let count = line["count"].as_u64().expect("a count");
    // The probe comes behind the first sample, and its burst behind others.
    assert!(count <= to && 2 * count >= to - from, "{count} of {from} to {to}: {coverage:#}");
    assert!(line["stack"].as_array().is_some_and(|stack| stack.len() > 3), "{line:#}");
    let held = report["resources"]["held"].as_array().expect("a list");
    let group =
        held.iter().find(|group| !group["opened_at"].as_array().expect("a list").is_empty());
    assert_eq!(group.expect("it is told of what is held too")["kind"], leak.kind);
}

/// Whether it is told who holds all but what came or went while the heap was walked.
fn is_held_there(leak: &Leak, finding: &Value) {
    let resource = &finding["resource"];
    let Some(path) = leak.held_by else {
        let is_walked = leak.kind == "inotify";
        assert_eq!(resource["held_by"].as_array().map(Vec::len), is_walked.then_some(0));
        assert!(finding["held_by"].is_null(), "{finding:#}");
        return;
    };
    let first = &resource["held_by"][0];
    assert_eq!((&first["path"], &first["holder"]["name"]), (&path.into(), &"main.kept".into()));
    assert_eq!(finding["held_by"][0], path);
    let [count, to] = [&first["count"], &resource["to"]].map(|it| it.as_u64().expect("a count"));
    assert!(10 * count >= 9 * to, "{resource:#}");
}

fn all_are_found(version: &str) {
    thread::scope(|scope| {
        for leak in &LEAKS {
            scope.spawn(move || is_found(leak, version));
        }
    });
}

#[test]
fn leaks_of_go1_21() {
    all_are_found("1.21.13");
}

#[test]
fn leaks_of_go1_27() {
    all_are_found("1.27.3");
}

/// Connections leak, and with each the goroutines that serve it: that is one leak.
fn is_found_with_its_goroutines(version: &str) {
    let report = watched(version, "bodies");
    assert!(likely(&report).is_empty(), "{version}: {:#}", report["findings"]);
    let findings = report["findings"].as_array().expect("findings");
    let of_goroutines = findings.iter().filter(|finding| finding["subject"] == "goroutines");
    let with = |finding: &&Value| !finding["piled_up"].as_array().expect("a list").is_empty();
    let found: Vec<&Value> = of_goroutines.filter(with).collect();
    let [finding] = found[..] else { panic!("{version}: {findings:#?}") };
    assert!(finding["verdict"] == "proven" || finding["verdict"] == "likely", "{finding:#}");
    let dialled = finding["piled_up"].as_array().expect("a list").iter();
    let mut dialled = dialled.filter(|it| it["leads_to"] == "peer");
    let piled_up = dialled.next().expect("connections to the server");
    assert_eq!(piled_up["kind"], "tcp-socket");
    let [from, to] = ["from", "to"].map(|key| piled_up[key].as_u64().expect("a count"));
    assert!(to >= from + 10, "{piled_up}");
    // A goroutine of the library's connects; who asked is known by who created it.
    let line = &piled_up["opened_at"][0];
    let function = line["function"].as_str().unwrap_or_default();
    assert!(function.starts_with("main.bodies"), "{piled_up:#} {:#}", report["coverage"]);
    assert_eq!(line["basis"], "creation-stack", "{piled_up:#}");
    let evidence = finding["evidence"].to_string();
    assert!(evidence.contains("steady-growth: ") && evidence.contains("resource-growth: "));
    assert!(finding["cause"].as_str().is_some_and(|cause| cause.contains(" With them pile up ")));
}

#[test]
fn connections_with_their_goroutines_of_go1_21() {
    is_found_with_its_goroutines("1.21.13");
}

#[test]
fn connections_with_their_goroutines_of_go1_27() {
    is_found_with_its_goroutines("1.27.3");
}

#[test]
fn what_comes_and_goes_is_no_finding() {
    thread::scope(|scope| {
        for mode in HEALTHY {
            scope.spawn(move || {
                let report = watched("1.26.6", mode);
                let found = likely(&report);
                assert!(found.is_empty(), "{mode}: {found:#?}");
                assert!(!report["not_enough"].to_string().contains("resource-growth"), "{mode}");
            });
        }
    });
}

/// What `check` says of a process's resources.
fn checked(pid: u32) -> Value {
    let output = agent::run(&["check", "--pid", &pid.to_string(), "--format", "json"]);
    let report: Value =
        serde_json::from_slice(&output.expect("agent").stdout).expect("one JSON document");
    report["resources"].clone()
}

fn count(folder: &str) -> u64 {
    fs::read_dir(folder).expect(folder).count() as u64
}

#[test]
fn figures_are_those_of_proc() {
    let mut target = Target::start("1.26.6", "exe", "resources").expect("target");
    target.command("open 40").expect("opened");
    target.command("children").expect("started");
    let start = Instant::now();
    while target.command("held").expect("held").parse::<u64>().expect("a number") < 43 {
        assert!(start.elapsed() < Duration::from_secs(60), "no children");
        thread::sleep(Duration::from_millis(50));
    }
    target.command("stop").expect("stopped");
    let pid = target.pid();
    // Threads and what the runtime itself opens settle at some time.
    let start = Instant::now();
    loop {
        let before = figures(pid);
        let seen = checked(pid);
        if figures(pid) == before {
            let of = |key: &str| seen[key]["count"].as_u64().expect(key);
            assert_eq!([of("descriptors"), of("threads"), of("mappings")], before, "{seen:#}");
            let held = seen["held"].as_array().expect("a list");
            let descriptors = held.iter().filter(|group| {
                !["mapping", "thread", "child", "zombie"]
                    .contains(&group["kind"].as_str().expect("a kind"))
            });
            let sum: u64 = descriptors.map(|group| group["count"].as_u64().expect("a count")).sum();
            assert_eq!(sum, before[0], "{seen:#}");
            let files = held.iter().find(|group| group["kind"] == "file");
            assert_eq!(files.expect("files")["count"], 40, "{seen:#}");
            let zombies = held.iter().find(|group| group["kind"] == "zombie").expect("zombies");
            assert_eq!(zombies["count"], seen["children"]["count"], "{seen:#}");
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "nothing settles: {before:?}");
    }
}

/// Descriptors, threads and mappings.
fn figures(pid: u32) -> [u64; 3] {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
    let (descriptors, threads) =
        (count(&format!("/proc/{pid}/fd")), count(&format!("/proc/{pid}/task")));
    [descriptors, threads, maps.lines().count() as u64]
}

/// The target in a shell that sets its limit of descriptors: Go raises the soft one to the hard one.
fn limited(limit: u64) -> Target {
    let path = target::path("1.26.6", "exe", "resources").expect("built");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {limit} && exec \"$0\"")]).arg(path);
    Target::start_command(&mut shell).expect("target")
}

#[test]
fn of_very_many_descriptors_an_even_sample_is_looked_at_and_it_is_said() {
    let mut target = limited(20_000);
    target.command("pipe 9000").expect("made");
    let pid = target.pid().to_string();
    let output = agent::run(&["check", "--pid", &pid, "--format", "json"]).expect("agent");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let seen = &report["resources"];
    let all = seen["descriptors"]["count"].as_u64().expect("a count");
    assert!((18_000..18_100).contains(&all), "{seen:#}");
    assert_eq!(seen["one_in"], 2);
    let held = seen["held"].as_array().expect("a list");
    let pipes = held.iter().find(|group| group["kind"] == "pipe").expect("pipes");
    let pipes = pipes["count"].as_u64().expect("a count");
    assert!(pipes.abs_diff(all) < all / 20, "{pipes} of {all}");
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("open descriptors were looked at"), "{notes}");
}

#[test]
fn a_limit_that_is_near_is_suspect_at_once() {
    let mut target = limited(100);
    target.command("open 85").expect("opened");
    let seen = checked(target.pid());
    let limit = &seen["limits"][0];
    assert_eq!((&limit["kind"], &limit["limit"]), (&"descriptor".into(), &100.into()), "{seen:#}");
    assert_ne!(limit["level"], "normal");
    let pid = target.pid().to_string();
    let output = agent::run(&["check", "--pid", &pid]).expect("agent");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("SUSPECT") && text.contains("of 100 descriptors"), "{text}");
    // What they are, and how such things are closed.
    assert!(text.contains("85 of the 9") && text.contains(" are open files /"), "{text}");
    assert!(text.contains("defer file.Close()"), "{text}");
}

#[test]
fn what_was_opened_between_two_reports_is_shown() {
    let scratch = Scratch::new("resources-compare");
    let mut target = Target::start("1.26.6", "exe", "resources").expect("target");
    let pid = target.pid().to_string();
    let report = |name: &str| {
        let file = scratch.file(name);
        let args = ["check", "--pid", &pid, "--format", "json", "--output", &file];
        agent::run(&args).expect("agent");
        file
    };
    let before = report("before");
    target.command("open 30").expect("opened");
    let args = ["compare", "--before", &before, "--after", &report("after")];
    let output = agent::run(&[&args[..], &["--format", "json"]].concat()).expect("agent");
    let comparison: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let changes = comparison["resources"].as_array().expect("a list");
    let more = |kind: &str| {
        let it = changes.iter().find(|it| it["kind"] == kind);
        let it = it.unwrap_or_else(|| panic!("{kind}: {comparison:#}"));
        it["after"].as_u64().expect("a count") - it["before"].as_u64().expect("a count")
    };
    // The first file brings the poller's descriptors with it.
    assert!((30..35).contains(&more("descriptor")), "{changes:#?}");
    assert_eq!(more("file"), 30, "{changes:#?}");
    let output = agent::run(&args).expect("agent");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("open files /") && text.contains("(+30)"), "{text}");
}
