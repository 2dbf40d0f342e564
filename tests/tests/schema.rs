//! Real reports against the JSON Schema that is published of them, and its reference against the types.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use leak_agent::report::schema::doctor::{AccessKind, ProcessAccessDoc, ProgramState};
use leak_agent::report::schema::{
    self, ChangeKind, ComparisonDoc, DoctorDoc, EventKind, FleetDoc, ListDoc, MonitorLine,
    described,
};
use leak_agent_tests::schema_docs::{self, fields};
use leak_agent_tests::{Target, agent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The published schema, made stricter: a key that it does not describe is an error.
fn strict(path: &str) -> Validator {
    let text = fs::read(project().join(path)).expect("it is published");
    let mut schema: Value = serde_json::from_slice(&text).expect("JSON");
    for definition in schema["$defs"].as_object_mut().expect("definitions").values_mut() {
        if definition["properties"].is_object() {
            definition["additionalProperties"] = json!(false);
        }
    }
    jsonschema::draft202012::new(&schema).expect("a JSON Schema")
}

fn check(validator: &Validator, document: &Value) {
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(10)
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// What the agent prints as JSON, with findings or without.
fn printed(args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    let output = agent::run(&args).expect("agent");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {errors}");
    let read = schema::read(&output.stdout).expect("what the agent writes, it can read");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // What is read back is the same as what was written.
    let again = match &*read {
        [one] if document.is_object() => serde_json::to_value(one),
        several => serde_json::to_value(several),
    };
    assert!(again.expect("a value") == document, "{args:?}");
    document
}

#[test]
fn reports_of_real_runs_are_what_the_schema_says() {
    let validator = strict("docs/report.schema.json");
    let (leaking, locked) = (
        Target::start("1.26.6", "exe", "demo").expect("target"),
        Target::start("1.26.6", "exe", "locks").expect("target"),
    );
    let (first, second) = (leaking.pid().to_string(), locked.pid().to_string());

    let checked = printed(&["check", "--pid", &first]);
    check(&validator, &checked);
    assert_eq!(checked["window"]["observations"], 1);

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema");
    let _ = fs::remove_dir_all(&folder);
    let folder = folder.to_str().expect("a path of text");
    let both = ["analyze", "--pid", &first, "--pid", &second, "--duration", "8s", "--save", folder];
    let several = printed(&both);
    check(&validator, &several);
    let [one, other] = several.as_array().map(Vec::as_slice).expect("a list") else {
        panic!("two targets are two reports")
    };
    assert!(!one["findings"][0]["growth"]["forecast"].is_null(), "{}", one["findings"]);
    assert!(!one["sites"][0].is_null(), "probes saw creations");
    assert!(!other["lock_graph"]["cycles"][0].is_null(), "{}", other["lock_graph"]);

    check(&validator, &printed(&["report", "--input", folder]));
    check(&validator, &printed(&["patterns", "--input", folder]));
}

/// A document that the agent has printed: it is what the schema says, and the same when it is read back.
fn checked<T: Serialize + DeserializeOwned>(validator: &Validator, text: &[u8]) -> T {
    let document: Value = serde_json::from_slice(text).expect("JSON");
    check(validator, &document);
    let read: T = serde_json::from_slice(text).expect("what the agent writes, it can read");
    assert_eq!(serde_json::to_value(&read).expect("a value"), document);
    read
}

/// What the agent prints, however it ends.
fn stdout(args: &[&str]) -> Vec<u8> {
    agent::run(&[args, &["--format", "json"]].concat()).expect("agent").stdout
}

#[test]
fn lines_of_a_monitor_and_a_comparison_are_what_their_schemas_say() {
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let validator = strict("docs/monitor.schema.json");
    let lines = stdout(&["monitor", "--pid", &pid, "--interval", "500ms", "--duration", "8s"]);
    let lines: Vec<MonitorLine<'_>> = lines
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| checked(&validator, line))
        .collect();
    assert!(lines.len() > 10, "{}", lines.len());
    let appeared = lines.iter().flat_map(|line| &line.events);
    let mut appeared = appeared.filter(|event| event.event == EventKind::Appeared);
    assert!(appeared.any(|event| event.finding.at.is_some()), "{lines:?}");

    let validator = strict("docs/compare.schema.json");
    let text = stdout(&["compare", "--pid", &pid, "--wait", "2s"]);
    let comparison: ComparisonDoc<'_> = checked(&validator, &text);
    let mut changes = comparison.groups.iter();
    assert!(changes.any(|it| it.change == ChangeKind::Grown && it.blocked_at.is_some()));
}

#[test]
fn a_fleet_is_what_its_schema_says_in_the_order_in_which_it_was_named() {
    let targets =
        ["locks", "demo", "states"].map(|name| Target::start("1.26.6", "exe", name).expect("it"));
    let pids = targets.each_ref().map(|target| target.pid().to_string());
    let validator = strict("docs/fleet.schema.json");
    // No process has that id: it is beyond the kernel's limit.
    let named = format!("{},4194305", pids.join(","));
    let fleet: FleetDoc<'_> =
        checked(&validator, &stdout(&["fleet", "--pid", &named, "--threshold", "1"]));
    let names: Vec<&str> = fleet.instances.iter().map(|it| &*it.name).collect();
    assert_eq!(names, pids.each_ref().map(|pid| format!("pid {pid}")));
    assert_eq!(fleet.failed.len(), 1);
    let Some(worst) = fleet.groups.first() else { panic!("nothing reaches 1 goroutine") };
    assert!(worst.blocked_at.is_some() && !worst.worst.is_empty(), "{worst:?}");
    assert!(!fleet.ignored.is_empty(), "the runtime's own are idle");
}

#[test]
fn what_doctor_and_list_say_is_what_their_schemas_say() {
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let (pid, own) = (target.pid(), std::process::id());
    let validator = strict("docs/doctor.schema.json");
    let (pid_text, own_text) = (pid.to_string(), own.to_string());
    // No process has that id: it is beyond the kernel's limit.
    let pids = ["doctor", "--pid", &pid_text, "--pid", &own_text, "--pid", "4194305"];
    let found: DoctorDoc<'_> = checked(&validator, &stdout(&pids));
    let [go, other, none] = &*found.processes else { panic!("{:?}", found.processes) };
    let state = |process: &ProcessAccessDoc<'_>| process.program.as_ref().map(|it| it.state);
    assert_eq!(
        (go.pid, go.access, state(go)),
        (pid, AccessKind::Granted, Some(ProgramState::Ready))
    );
    assert_eq!((other.pid, state(other)), (own, Some(ProgramState::Failed)));
    assert_eq!((none.access, state(none)), (AccessKind::NoSuchProcess, None));

    let validator = strict("docs/list.schema.json");
    let list: ListDoc<'_> = checked(&validator, &stdout(&["--list"]));
    assert!(list.processes.iter().any(|process| process.pid == pid), "{list:?}");
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let validator = strict("docs/report.schema.json");
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let report = printed(&["check", "--pid", &target.pid().to_string()]);
    check(&validator, &report);
    let change = |key: &str, value: Value| {
        let mut other = report.clone();
        *other.pointer_mut(key).expect("it is there") = value;
        other
    };
    let mut missing = report.clone();
    missing.as_object_mut().expect("an object").remove("groups");
    for wrong in [
        missing,
        change("/schema", json!("leak-agent/report/v2")),
        change("/totals/by_wait", json!({"chan-send": 3})),
        change("/groups/0/wait_class", json!("chan-send")),
        change("/groups/0/count", json!(null)),
        change("/agent", json!({"version": "1", "potato": true})),
        json!([report, 7]),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn the_reference_is_what_the_types_say() {
    for file in schema_docs::files().expect("schemas") {
        let there = fs::read_to_string(project().join(&file.path)).unwrap_or_default();
        assert!(there == file.text, "{}: run `cargo xtask docs`", file.path);
    }
}

#[test]
fn every_field_has_a_meaning_and_says_its_unit_and_when_it_is_null() {
    for described in described::all() {
        let root = serde_json::to_value(&described.schema).expect("JSON");
        let definitions = root["$defs"].as_object().expect("definitions");
        for (name, definition) in definitions {
            assert!(definition["description"].is_string(), "{name} has no documentation");
            for field in fields(definition, &root) {
                let at = format!("{name}.{}", field.key);
                assert!(field.meaning.ends_with('.'), "{at}: {:?}", field.meaning);
                assert_eq!(field.unit.is_some(), field.kind.has_numbers(&root), "{at}: unit");
                let is_null = field.is_nullable && !field.is_optional;
                assert_eq!(field.null.is_some(), is_null, "{at}: when it is null");
            }
        }
    }
}
