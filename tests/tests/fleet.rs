//! `fleet` over real processes: who has the leak, who does not, and who could not be seen.
#![allow(clippy::expect_used)]

use std::time::Duration;

use leak_agent_tests::{Target, agent};
use serde_json::Value;

const LEAK: &str = "main.(*priceList).quote.func1";

fn fleet(args: &[&str], code: i32) -> (String, String) {
    let output = agent::run(&[&["fleet"], args].concat()).expect("agent");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// One that has leaked for seconds, one that has just begun, one of another program, one that is not there.
#[test]
fn the_instances_that_leak_are_named_and_the_missing_one_is_said() {
    let old = Target::start("1.26.6", "exe", "demo").expect("target");
    std::thread::sleep(Duration::from_secs(4));
    let other = Target::start("1.26.6", "exe", "states").expect("target");
    let ended = {
        let target = Target::start("1.26.6", "exe", "states").expect("target");
        target.pid().to_string()
    };
    let pids = [old.pid().to_string(), other.pid().to_string(), ended.clone()].join(",");
    let (text, _) = fleet(&["--pid", &pids, "--threshold", "100", "--format", "json"], 1);
    let seen: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(seen["instances"].as_array().map(Vec::len), Some(2), "{text}");
    assert_eq!(seen["failed"][0]["name"], format!("pid {ended}"));
    let worst = &seen["groups"][0];
    assert_eq!(worst["blocked_at"]["function"], LEAK, "{text}");
    assert_eq!((&worst["affected"], &worst["instances"]), (&1.into(), &1.into()));
    assert_eq!(worst["worst"][0]["instance"], format!("pid {}", old.pid()));

    let (text, stderr) = fleet(&["--pid", &pids, "--threshold", "1000000"], 3);
    assert!(text.contains("no group reaches 1,000,000 goroutines in one instance"), "{text}");
    assert!(text.contains("failed   1 instance could not be seen"), "{text}");
    assert!(
        stderr.contains("1 of 3 targets failed"),
        "an instance that is missing is no all-clear"
    );
}
