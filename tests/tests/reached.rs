//! Who holds what goroutines wait on whose leak is not proven: see targets/reached.
#![allow(clippy::expect_used)]

use leak_agent_tests::{Target, agent};
use serde_json::Value;

fn findings(target: &Target, more: &[&str]) -> Vec<Value> {
    let pid = target.pid().to_string();
    let base =
        ["analyze", "--duration", "8s", "--interval", "500ms", "--format", "json", "--pid", &pid];
    let output = agent::run(&[&base[..], more].concat()).expect("agent");
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"));
    report["findings"].as_array().expect("findings").clone()
}

/// The finding about goroutines that run a function.
fn of<'f>(findings: &'f [Value], function: &str) -> &'f Value {
    let runs = |finding: &&Value| {
        finding["stack"].as_array().is_some_and(|frames| {
            frames.iter().any(|frame| frame["function"].as_str().is_some_and(|it| it == function))
        })
    };
    let found = findings.iter().find(runs);
    found.unwrap_or_else(|| panic!("no finding about {function}: {findings:#?}"))
}

/// By which paths what they wait on is held, and by how many of those that were looked at.
fn ways<'f>(finding: &'f Value) -> Vec<(&'f str, &'f str, u64)> {
    let by = finding["waits_held"]["by"].as_array();
    let by = by.unwrap_or_else(|| panic!("nothing is known: {finding:#?}"));
    let text = |value: &'f Value| value.as_str().expect("text");
    let way = |it: &'f Value| {
        (text(&it["kind"]), text(&it["path"]), it["goroutines"].as_u64().expect("a count"))
    };
    by.iter().map(way).collect()
}

/// What the goroutines of a function wait on is held in one way by most: the latest came while the walk went on, of some a
/// word is left on a stack, and what a map moves when it grows may be missed.
fn are_held(findings: &[Value], function: &str, kind: &str, path: impl Fn(&str) -> bool) {
    let finding = of(findings, function);
    let looked_at = finding["waits_held"]["looked_at"].as_u64().unwrap_or(0);
    let ways = ways(finding);
    let so: u64 = ways.iter().filter(|way| way.0 == kind && path(way.1)).map(|way| way.2).sum();
    assert!(
        looked_at >= 20 && 4 * so >= 3 * looked_at,
        "{function}: {so} of {looked_at}: {ways:#?}"
    );
}

fn truly(version: &str, mode: &str) {
    let target = Target::start(version, mode, "reached").expect("target");
    let findings = findings(&target, &["--proof", "off"]);
    let is_exe = mode == "exe";
    let global = |name: &str, exe: &str, end: &str| {
        let (exe, begin, end) = (format!("global {name}{exe}"), "variable at 0x", end.to_owned());
        move |path: &str| {
            if is_exe { path == exe } else { path.starts_with(begin) && path.ends_with(&end) }
        }
    };
    let registry = " -> map[string]*main.Session -> main.Session.events -> chan main.Event";
    // Up to Go 1.23 the pointer to a map is all that says that it is one.
    let end = if version == "1.21.13" { " -> chan main.Event" } else { registry };
    let is_registry = global("main.registry", registry, end);
    are_held(&findings, "main.(*Session).listen", "variable", is_registry);
    are_held(&findings, "main.waitForGuard", "variable", global("main.guard", "", ""));
    let boxes = " -> []*main.padded -> main.padded";
    are_held(&findings, "main.waitForBox", "variable", global("main.boxes", boxes, ""));
    let base = " -> context.cancelCtx.done.v -> chan struct {}";
    are_held(
        &findings,
        "main.waitForContext",
        "variable",
        global("main.base", base, " -> chan struct {}"),
    );
    let hooks = " -> []func() -> func main.more.func2 -> chan bool";
    are_held(
        &findings,
        "main.waitForHook",
        "variable",
        global("main.hooks", hooks, " -> chan bool"),
    );
    are_held(&findings, "main.waitForHub", "goroutines", |path| {
        path.starts_with("goroutine ")
            && path.contains(" of main.serve (stack) -> ")
            && path.ends_with(" -> chan int")
    });
    // Where it is not known that the runtime's lists are of timers, the path begins there.
    let is_known = is_exe || version != "1.21.13";
    are_held(&findings, "main.waitForTimer", "variable", |path| {
        path.ends_with("func main.more.func1 -> chan string")
            && (!is_known || path.starts_with("a timer -> "))
    });
    are_held(&findings, "main.waitForNobody", "themselves", |_| true);
    // The goroutine that holds the hub is said to sleep there.
    let hub = &of(&findings, "main.waitForHub")["waits_held"]["by"][0];
    assert_eq!(
        (&hub["wait_class"], &hub["at"]["function"]),
        (&"sleep".into(), &"main.serve".into())
    );
    assert_eq!(hub["goids"].as_array().map(Vec::len), Some(1));
    // Who holds it is told as for other findings.
    let paths = of(&findings, "main.waitForHook")["held_by"].as_array().map(Vec::len);
    assert!(paths >= Some(1));
    assert!(of(&findings, "main.waitForNobody")["held_by"].is_null());
}

#[test]
fn go1_21_exe() {
    truly("1.21.13", "exe");
}

#[test]
fn go1_21_stripped() {
    truly("1.21.13", "stripped");
}

#[test]
fn go1_24_exe() {
    truly("1.24.11", "exe");
}

#[test]
fn go1_24_stripped() {
    truly("1.24.11", "stripped");
}

#[test]
fn go1_27_exe() {
    truly("1.27.3", "exe");
}

#[test]
fn go1_27_stripped() {
    truly("1.27.3", "stripped");
}
