//! Each command as a user runs it, on the demo service: a leak of about 50 goroutines a second at
//! one line (targets/demo/pricing.go).
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use leak_agent_tests::{Target, agent};
use serde_json::Value;

const LEAK: &str = "main.(*priceList).quote.func1";

/// Long enough to tell that it grows.
const LONG: &str = "8s";

/// What these tests ask of a proof is its verdict: a busy machine may hold the target for longer than anyone would want
/// of a server.
const PAUSE: &str = "2s";

fn demo() -> Target {
    Target::start("1.26.6", "exe", "demo").expect("target")
}

/// Runs the agent, which must end in this code, never in a panic.
fn run(args: &[&str], code: i32) -> (String, String) {
    let output = agent::run(args).expect("agent");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    (stdout, stderr)
}

fn json(args: &[&str], code: i32) -> Value {
    let (stdout, _) = run(&[args, &["--format", "json"]].concat(), code);
    serde_json::from_str(&stdout).expect("one JSON document")
}

/// An empty folder of this name, for this run of the tests.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("scratch folder");
    folder
}

fn str(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// What `analyze --save` kept, and the report that it gave.
struct Recorded {
    folder: PathBuf,
    report: PathBuf,
    live: Value,
}

fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = scratch("recorded").join("seen");
        let report = folder.with_file_name("report.json");
        // What the demo leaks while the agent is built makes longer lines.
        agent::binary().expect("agent");
        let target = demo();
        let pid = target.pid().to_string();
        let window = ["analyze", "--pid", &pid, "--duration", LONG, "--max-pause", PAUSE];
        let live = json(&[&window[..], &["--save", str(&folder)]].concat(), 1);
        fs::write(&report, live.to_string()).expect("written");
        Recorded { folder, report, live }
    })
}

fn without_time(mut report: Value) -> Value {
    report.as_object_mut().expect("an object").remove("generated_at").expect("there is one");
    report
}

#[test]
fn analyze_finds_the_leak_and_its_recording_tells_the_same() {
    let Recorded { folder, live, .. } = recorded();
    let leak = &live["findings"][0];
    assert_eq!(leak["blocked_at"]["function"], LEAK);
    assert_eq!(leak["verdict"], "proven");
    let again = json(&["analyze", "--input", str(folder)], 1);
    assert_eq!(without_time(again), without_time(live.clone()));
    let (page, _) = run(&["report", "--input", str(folder), "--format", "html"], 0);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("pricing.go"));
}

#[test]
fn the_report_fits_a_screen_of_80_by_24_down_to_the_fix_and_at_its_end() {
    let output = Command::new(agent::binary().expect("agent"))
        .args(["report", "--input", str(&recorded().folder)])
        .env("COLUMNS", "80")
        .output()
        .expect("agent");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{text}");
    let fix = rows.iter().position(|row| row.starts_with("    fix ")).expect("a fix");
    let below = rows[fix + 1..].iter().take_while(|row| row.starts_with("        "));
    // A busy machine adds that the process had to wait for CPU.
    let held = rows.iter().skip_while(|row| !row.starts_with("process  "));
    let held = held.enumerate().take_while(|(at, row)| *at == 0 || row.starts_with(' ')).count();
    let end = fix + 1 + below.count() - held;
    assert!(end <= 24, "the fix ends in row {end}:\n{text}");
    let screen = &rows[rows.len() - 24..];
    for said in
        ["goroutines    ", "rising        from ", "health        ", "result        1 finding"]
    {
        assert!(screen.iter().any(|row| row.starts_with(said)), "{said}: {text}");
    }
    assert!(screen.iter().any(|row| row.contains(LEAK) && row.contains("PROVEN")), "{text}");
}

#[test]
fn a_recording_with_a_hole_or_a_damaged_file() {
    let folder = scratch("hole");
    let mut names: Vec<_> = Vec::new();
    for entry in fs::read_dir(&recorded().folder).expect("recorded").flatten() {
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("copied");
        names.push(folder.join(entry.file_name()));
    }
    names.sort();
    fs::remove_file(&names[2]).expect("it is there");
    let report = json(&["report", "--input", str(&folder)], 0);
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("saved observation 3 is missing"), "{notes}");
    fs::write(&names[4], b"potato").expect("written");
    let (_, stderr) = run(&["analyze", "--input", str(&folder)], 3);
    assert!(stderr.contains(str(&names[4])) && stderr.contains("damaged"), "{stderr}");
    run(&["report", "--input", str(&scratch("empty"))], 3);
}

#[test]
fn recordings_in_one_folder_are_targets_of_one_report() {
    let Recorded { folder, live, .. } = recorded();
    let both = scratch("both");
    for entry in fs::read_dir(folder).expect("recorded").flatten() {
        let name = entry.file_name().into_string().expect("text");
        let parts: Vec<_> = name.splitn(3, '-').collect();
        let [pid, _, number] = parts[..] else { panic!("{name}") };
        fs::copy(entry.path(), both.join(&name)).expect("copied");
        fs::copy(entry.path(), both.join(format!("{pid}-1-{number}"))).expect("copied");
    }
    // Each finding is told of each recording once, though both are of one pid.
    let (stdout, _) = run(&["monitor", "--input", str(&both)], 1);
    let told = stdout.lines().filter(|line| line.starts_with("  + ") && line.contains(LEAK));
    assert_eq!(told.count(), 2, "{stdout}");
    let reports = json(&["report", "--input", str(&both)], 0);
    let reports = reports.as_array().expect("an array").clone();
    assert_eq!(reports.len(), 2);
    for report in reports {
        assert_eq!(without_time(report), without_time(live.clone()));
    }
}

#[test]
fn lists_baselines_and_fail_on_decide_what_fails() {
    let Recorded { folder, report, .. } = recorded();
    let analyze =
        |more: &[&str], code| json(&[&["analyze", "--input", str(folder)], more].concat(), code);
    analyze(&["--fail-on", "never"], 0);
    analyze(&["--fail-on", "proven"], 1);
    analyze(&["--fail-on", "critical"], 0);
    analyze(&["--fail-on", "low"], 1);
    for more in [
        ["--safe-patterns", "main.(*priceList).*"],
        ["--exclude", "priceList"],
        ["--baseline", str(folder)],
        ["--baseline", str(report)],
    ] {
        assert_eq!(analyze(&more, 0)["findings"], Value::Array(Vec::new()), "{more:?}");
    }
    // A package that nothing is of is a mistake, not an all-clear.
    let (_, stderr) = run(&["analyze", "--input", str(folder), "--package", "github.com/acme"], 2);
    assert!(stderr.contains("goroutines match"), "{stderr}");
    let patterns = folder.with_file_name("patterns");
    fs::write(&patterns, "safe main.(*priceList).quote* # slow suppliers\n").expect("written");
    assert!(analyze(&["--patterns-file", str(&patterns)], 0)["idle"].to_string().contains("slow"));
    fs::write(&patterns, "potato\n").expect("written");
    let (_, stderr) =
        run(&["analyze", "--input", str(folder), "--patterns-file", str(&patterns)], 2);
    assert!(stderr.contains(&format!("{}:1: \"potato\"", str(&patterns))), "{stderr}");
}

#[test]
fn check_counts_by_thresholds() {
    let target = demo();
    let pid = target.pid().to_string();
    let check = |more: &[&str], code| json(&[&["check", "--pid", &pid], more].concat(), code);
    assert_eq!(check(&["--fail-on", "never"], 0)["level"], "normal");
    let low =
        ["--goroutines-moderate", "2", "--goroutines-high", "4", "--goroutines-critical", "8"];
    let critical = check(&low, 1);
    assert_eq!(critical["level"], "critical");
    assert!(critical["health"].as_u64() < Some(100), "{}", critical["health"]);
    run(&["check", "--pid", &pid, "--goroutines-moderate", "9", "--goroutines-high", "8"], 2);
}

#[test]
fn monitor_writes_a_line_a_look_and_the_report_where_it_is_told() {
    let target = demo();
    let pid = target.pid().to_string();
    let folder = scratch("reports");
    let (stdout, stderr) = run(
        &[
            "monitor",
            "--pid",
            &pid,
            "--interval",
            "500ms",
            "--duration",
            LONG,
            "--format",
            "json",
            "--reports",
            str(&folder),
        ],
        1,
    );
    let looks: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(looks.len() > 2, "{stdout}");
    let events = looks.iter().flat_map(|look| look["events"].as_array().expect("events"));
    assert!(events.clone().any(|event| event["event"] == "appeared"), "{stdout}");
    let name = fs::read_dir(&folder).expect("there").flatten().next().expect("a report").path();
    assert!(stderr.contains(str(&name)), "{stderr}");
    let report: Value = serde_json::from_slice(&fs::read(name).expect("read")).expect("JSON");
    assert_eq!(report["window"]["observations"], looks.len());
}

#[test]
fn monitor_tells_people_when_a_finding_appears() {
    let target = demo();
    let pid = target.pid().to_string();
    let (stdout, _) = run(&["monitor", "--pid", &pid, "--interval", "1s", "--duration", LONG], 1);
    let appeared = stdout.lines().filter(|line| line.starts_with("  + ") && line.contains(LEAK));
    assert_eq!(appeared.count(), 1, "{stdout}");
}

#[test]
fn monitor_keeps_a_dump_when_a_finding_reaches_the_level() {
    let target = demo();
    let pid = target.pid().to_string();
    let folder = scratch("kept").join("dumps");
    let to = ["--save-on", "likely", "--save-dir", str(&folder)];
    let sampling = ["monitor", "--pid", &pid, "--interval", "1s", "--duration", LONG];
    let (_, stderr) = run(&[&sampling[..], &to[..]].concat(), 1);
    let said: Vec<&str> = stderr.lines().filter(|line| line.starts_with("dump: ")).collect();
    assert!(said.iter().any(|line| line.contains("(channel-send) is ")), "{stderr}");
    // Other findings may reach the level in other samples.
    let files = fs::read_dir(&folder).expect("made").count();
    assert_eq!(files, said.len() * 2, "{stderr}");
    // Both forms are read as what they are, and have the leak.
    let shown = json(&["filter", "--input", str(&folder), "--func", LEAK], 0);
    let shown = shown.as_array().expect("a series of each form");
    assert_eq!(shown.len(), 2);
    for one in shown {
        assert!(one["totals"]["goroutines"].as_u64() > Some(10), "{one}");
        assert_eq!(one["groups"][0]["blocked_at"]["function"], LEAK);
    }
    let unused = [&sampling[..], &["--save-dir", str(&folder)][..]].concat();
    let (_, stderr) = run(&unused, 2);
    assert!(stderr.contains("--save-on"), "{stderr}");
}

#[test]
fn until_found_ends_as_soon_as_something_is_found() {
    let target = demo();
    let pid = target.pid().to_string();
    let found = ["analyze", &pid, "--until-found", "--duration", "10m", "--max-pause", PAUSE];
    let (stdout, stderr) = run(&[&found[..], &["--format", "json"]].concat(), 1);
    assert!(stderr.starts_with("sampling until something is found"), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("one JSON document");
    assert_eq!(report["findings"][0]["verdict"], "proven");
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("ended early, as --until-found asks"), "{notes}");
}

#[test]
fn compare_saved_inputs_and_now_with_after_a_command() {
    let Recorded { folder, report, .. } = recorded();
    let same = json(&["compare", "--before", str(report), "--after", str(folder)], 0);
    assert_eq!(same["groups"], Value::Array(Vec::new()));
    let target = demo();
    let pid = target.pid().to_string();
    let grown = json(&["compare", "--pid", &pid, "--wait", "1s"], 0);
    let leak = |grown: &Value| {
        let groups = grown["groups"].as_array().expect("groups").clone();
        let mut leak = groups.into_iter().filter(|group| group["blocked_at"]["function"] == LEAK);
        leak.find(|group| group["wait_class"] == "chan send").expect("it leaks")
    };
    assert!(leak(&grown)["after"].as_u64() > leak(&grown)["before"].as_u64(), "{grown}");
    // Goroutines that pile up take stacks.
    let stacks = |moment: &str| grown[moment]["memory"]["stacks_bytes"].as_u64();
    assert!(stacks("before") > Some(0) && stacks("after") >= stacks("before"), "{grown}");
    let (stdout, stderr) = run(
        &["compare", "--pid", &pid, "--format", "json", "--", "sh", "-c", "sleep 1; echo potato"],
        0,
    );
    let grown: Value = serde_json::from_str(&stdout).expect("the difference alone");
    assert_eq!(leak(&grown)["change"], "grown");
    assert!(stderr.contains("potato"), "{stderr}");
    // What is new or has grown is held against --fail-on, and nothing else is.
    let saved = ["compare", "--before", str(report), "--after", str(folder)];
    run(&[&saved[..], &["--fail-on", "suspect"]].concat(), 0);
    let empty = folder.with_file_name("empty.json");
    let mut none: Value =
        serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    (none["groups"], none["findings"]) = (Value::Array(Vec::new()), Value::Array(Vec::new()));
    fs::write(&empty, none.to_string()).expect("written");
    for after in [str(report), str(folder)] {
        let saved = ["compare", "--before", str(&empty), "--after", after, "--fail-on", "likely"];
        run(&saved, 1);
        run(&[&saved[..], &["--exclude", "priceList"]].concat(), 0);
    }
    run(&["compare", "--before", str(report)], 2);
    run(&["compare", "--pid", &pid, "--", "/no/such/command"], 2);
    let (_, stderr) = run(&["compare", "--pid", &pid], 2);
    assert!(stderr.contains("standard input has ended"), "{stderr}");
    let older = folder.with_file_name("older.json");
    let mut before: Value =
        serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    before["window"]["last"] = "2001-01-01T00:00:00.000Z".into();
    before["target"]["exe"] = "potato".into();
    fs::write(&older, before.to_string()).expect("written");
    let (_, stderr) = run(&["compare", "--before", str(report), "--after", str(&older)], 0);
    assert!(stderr.contains("swapped?") && stderr.contains("different programs"), "{stderr}");
}

#[test]
fn views_show_less_and_count_all() {
    let Recorded { folder, live, .. } = recorded();
    let all = live["groups"].as_array().expect("groups").len();
    let leaked = live["findings"][0]["count"].to_string();
    let input = ["--input", str(folder)];
    let view = |args: &[&str], code| {
        let report = json(&[args, &input].concat(), code);
        assert_eq!(report["totals"], live["totals"]);
        report["groups"].as_array().expect("groups").clone()
    };
    let channels = view(&["channels", "--threshold", &leaked], 1);
    assert!(!channels.is_empty() && channels.len() < all);
    assert!(channels.iter().all(|group| group["wait_class"] == "chan send"));
    let patterns = view(&["patterns", "--threshold", "1"], 1);
    assert!(!patterns.is_empty() && patterns.len() < all);
    assert!(patterns.iter().all(|group| group["stuck"].as_u64() >= Some(1)));
    let filtered = view(&["filter", "--func", "priceList"], 0);
    assert!(!filtered.is_empty() && filtered.len() < all);
    run(&["filter", "--input", str(folder)], 2);
    for nothing in [&["patterns", "--threshold", "1000000"][..], &["filter", "--func", "potato"]] {
        let (stdout, stderr) = run(&[nothing, &input].concat(), 2);
        assert!(stdout.is_empty(), "{stdout}");
        assert!(stderr.contains("0 of ") && stderr.contains("goroutines match"), "{stderr}");
    }
    let (stdout, _) = run(&[&["filter", "--package", "main"], &input[..]].concat(), 0);
    assert!(stdout.contains("filtered: "), "{stdout}");
    // A gate does not pass for want of anything to judge.
    run(&[&["check", "--exclude", "."], &input[..]].concat(), 2);
}

#[test]
fn a_file_of_flags_gives_way_to_what_is_typed() {
    let Recorded { folder, .. } = recorded();
    let file = folder.with_file_name("flags.toml");
    let text = format!("input = {:?}\nformat = \"json\"\nfail-on = \"never\"\n", str(folder));
    fs::write(&file, text).expect("written");
    let config = ["analyze", "--config", str(&file)];
    let (stdout, _) = run(&config, 0);
    assert!(stdout.starts_with('{'), "{stdout}");
    run(&[&config[..], &["--fail-on", "likely"]].concat(), 1);
    // Another target than the file's.
    run(&[&config[..], &["--pid", "4194305"]].concat(), 3);
    fs::write(&file, "intervall = 3\n").expect("written");
    let (_, stderr) = run(&config, 2);
    assert!(stderr.contains("intervall") && stderr.contains("interval ="), "{stderr}");
    for (text, said) in [
        ("top = 1\ninterval = \"soon\"\n", ":2:12: interval: \"soon\": a time is written like"),
        ("interval = 2s\n", ":1:12: interval = 2s: a text is put in quotes"),
    ] {
        fs::write(&file, text).expect("written");
        let (_, stderr) = run(&config, 2);
        assert!(stderr.contains(&format!("{}{said}", str(&file))), "{stderr}");
    }
}
