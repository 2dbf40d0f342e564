//! Who holds the descriptors of a program that nobody watched when they were opened, stripped too: see
//! targets/resources.
#![allow(clippy::expect_used)]

use std::thread;
use std::time::{Duration, Instant};

use leak_agent_tests::{Target, agent, each_version};
use serde_json::Value;

/// How many files are opened and kept, and how many are forgotten.
const KEPT: u64 = 40;
const FORGOTTEN: u64 = 20;
/// How many connections each end has.
const CONNECTIONS: u64 = 30;
/// So many others may hold what nothing else does: words that were left on stacks.
const LEFT: u64 = 2;

fn start(version: &str, mode: &str) -> Target {
    let mut target = Target::start(version, mode, "resources").expect("target");
    target.command(&format!("open {KEPT}")).expect("opened");
    target.command(&format!("drop {FORGOTTEN}")).expect("opened");
    target.command("pool").expect("pool");
    let start = Instant::now();
    let held = |target: &mut Target| target.command("held").expect("held").parse::<u64>();
    while held(&mut target).expect("a number") < KEPT + CONNECTIONS {
        assert!(start.elapsed() < Duration::from_secs(60), "no connections");
        thread::sleep(Duration::from_millis(50));
    }
    target
}

fn descriptors(target: &Target) -> Vec<Value> {
    let pid = target.pid().to_string();
    let args = ["memory", "--retained", "--format", "json", "--pid", &pid];
    let output = agent::run(&args).expect("agent");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["retained"]["descriptors"].as_array().expect("a list").clone()
}

/// How many there are of a kind with such a name that are held so.
fn count(all: &[Value], (kind, name): (&str, &str), by: impl Fn(&Value) -> bool) -> u64 {
    let is_it = |it: &&Value| {
        it["kind"] == kind && it["name"].as_str().is_some_and(|it| it.contains(name)) && by(it)
    };
    all.iter().filter(is_it).map(|it| it["count"].as_u64().expect("a count")).sum()
}

fn is_by(it: &Value, kind: &str, end: &str) -> bool {
    it["holder"]["kind"] == kind && it["path"].as_str().is_some_and(|path| path.ends_with(end))
}

/// Each descriptor is held by what the program keeps it in, and those that it has forgotten by nothing.
fn are_held(version: &str) {
    for mode in ["exe", "stripped"] {
        let target = start(version, mode);
        let all = descriptors(&target);
        let of = |what, by: &dyn Fn(&Value) -> bool| count(&all, what, by);
        let kept = |it: &Value| is_by(it, "variable", " -> os.File.file -> os.file");
        assert_eq!(of(("file", "/upload-#"), &kept), KEPT, "{version} {mode}: {all:#?}");
        let dialled = |it: &Value| {
            is_by(it, "variable", " -> net.TCPConn.conn.fd -> net.netFD") && it["name"] != ":"
        };
        assert_eq!(of(("tcp-socket", "127.0.0.1:"), &dialled), CONNECTIONS, "{all:#?}");
        let served = |it: &Value| {
            is_by(it, "goroutines", "-> net.netFD") && it["holder"]["name"].as_str().is_some()
        };
        // With the listener.
        assert!(of(("tcp-socket", ""), &served) > CONNECTIONS, "{all:#?}");
        let forgotten = of(("file", "/dropped-#"), &|it| it["holder"].is_null());
        assert!((FORGOTTEN - LEFT..=FORGOTTEN).contains(&forgotten), "{all:#?}");
        if mode == "exe" {
            let path = "main.kept -> []any -> os.File.file -> os.file";
            assert_eq!(of(("file", "/upload-#"), &|it| it["path"] == path), KEPT, "{all:#?}");
        }
    }
}

each_version!(are_held);
