//! `--url`: programs that serve their own profiles, in each way in which programs do. See targets/endpoint.
#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{fs, thread};

use leak_agent_tests::{Scratch, Target, agent, each_version};
use serde_json::{Value, json};

each_version!(the_blocked_sender_is_named);
each_version!(what_is_only_counted_is_found_by_its_growth);
each_version!(who_waits_for_whom_is_counted);
each_version!(collections_tell_what_waits_for_them_from_what_leaks);

const GO: &str = "1.27.3";
/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that serves, and where.
struct Served {
    _target: Target,
    address: String,
}

impl Served {
    fn start(version: &str, args: &[&str]) -> Self {
        let mut target = Target::start_with(version, "exe", "endpoint", args).expect("target");
        let address = target.command("address").expect("an address");
        Self { _target: target, address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The report of a short analysis.
fn analyze(url: &str, flags: &[&str]) -> Value {
    let mut line = vec!["analyze", "--url", url, "--format", "json"];
    line.extend(["--duration", "7s", "--interval", "500ms"]);
    line.extend(flags);
    report(&agent::run(&line).expect("agent"))
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// What the agent says on standard error of what it cannot ask, and how it ends.
fn refused(url: &str, flags: &[&str]) -> String {
    let mut line = vec!["check", "--url", url];
    line.extend(flags);
    let output = agent::run(&line).expect("agent");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether one sample comes through.
fn passes(url: &str, flags: &[&str]) -> Output {
    let mut line = vec!["check", "--url", url];
    line.extend(flags);
    let output = agent::run(&line).expect("agent");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("endpoint"), "{output:?}");
    output
}

/// The line of the target's source that holds a text.
fn line_of(text: &str) -> u64 {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/endpoint/main.go");
    let source = fs::read_to_string(source).expect("the target's source");
    source.lines().position(|line| line.contains(text)).expect("it is there") as u64 + 1
}

fn sender(report: &Value, verdicts: &[&str]) {
    let findings = report["findings"].as_array().expect("findings");
    let [finding] = findings.as_slice() else { panic!("one leak is one finding: {report:#}") };
    let verdict = finding["verdict"].as_str().expect("a verdict");
    assert!(verdicts.contains(&verdict), "{finding:#}");
    assert_eq!(finding["class"], "channel-send", "{finding:#}");
    assert_eq!(finding["caused_at"]["function"], "main.deliver", "{finding:#}");
    assert_eq!(finding["caused_at"]["line"], line_of("results <- 1"), "{finding:#}");
}

fn the_blocked_sender_is_named(version: &str) {
    let served = Served::start(version, &[]);
    let report = analyze(&served.address, &[]);
    sender(&report, &["likely", "proven"]);
    assert_eq!(report["target"]["kind"], "url");
    assert_eq!(report["target"]["source"], served.url("/debug/pprof/"));
    assert_eq!(report["target"]["exe"], "endpoint");
    assert_eq!(report["coverage"]["profile"]["form"], "dump", "{:#}", report["coverage"]);
    // Nobody knows the time of a wait better than the runtime of Go 1.27, which proves it.
    if version.starts_with("1.27") {
        let check = agent::run(&["check", "--url", &served.address, "--format", "json"]);
        sender(&self::report(&check.expect("agent")), &["proven"]);
    }
}

fn what_is_only_counted_is_found_by_its_growth(version: &str) {
    let few = ["--dump-limit", "1"];
    let forbidden = Served::start(version, &["-no-dumps"]);
    let bare = Served::start(version, &["-no-index", "-no-dumps"]);
    let idle = Served::start(version, &["-idle"]);
    thread::scope(|scope| {
        let [forbidden, bare, idle] = [&forbidden, &bare, &idle].map(|it| it.address.as_str());
        for (address, flags) in [(forbidden, &[][..]), (bare, &[]), (forbidden, &few)] {
            scope.spawn(move || {
                let report = analyze(address, flags);
                sender(&report, &["likely"]);
                assert_ne!(report["coverage"]["profile"]["form"], "dump");
                let notes = report["coverage"]["notes"].to_string();
                assert!(notes.contains("wait times are not known"), "{notes}");
            });
        }
        scope.spawn(move || {
            // The goroutine that answers runs at every sample, and is no loop.
            for flags in [&few[..], &[]] {
                let report = analyze(idle, flags);
                assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report:#}");
            }
        });
    });
}

/// What a program says of forced collections, of its goroutines and of its heap.
fn collected(report: &Value) -> (&Value, [Option<&str>; 2]) {
    let forced = &report["forced_collections"];
    let bands = ["goroutines", "heap_bytes"].map(|what| forced[what]["band"].as_str());
    (forced, bands)
}

fn collections_tell_what_waits_for_them_from_what_leaks(version: &str) {
    let cleaned = Served::start(version, &["-cleaned"]);
    let leaking = Served::start(version, &[]);
    let idle = Served::start(version, &["-idle"]);
    let addresses = [&cleaned, &leaking, &idle].map(|served| served.address.as_str());
    let [cleaned, leaking, idle] = thread::scope(|scope| {
        addresses
            .map(|address| scope.spawn(move || analyze(address, &["--force-gc"])))
            .map(|report| report.join().expect("a report"))
    });

    let (said, bands) = collected(&cleaned);
    assert_eq!(bands, [Some("cleanup-delay"); 2], "{said:#}");
    assert_eq!(said["asked"], 4, "{said:#}");
    assert!(said["seen"].as_u64() >= Some(4), "{said:#}");
    let findings = cleaned["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|it| it["verdict"] == "suspect"), "{findings:#?}");

    let (said, bands) = collected(&leaking);
    assert_eq!(bands[0], Some("confirmed-leak"), "{said:#}");
    sender(&leaking, &["likely", "proven"]);
    let evidence = leaking["findings"][0]["evidence"].to_string();
    assert!(evidence.contains("confirmed leak"), "{evidence}");

    let (said, bands) = collected(&idle);
    // Profiles that are asked for make garbage too.
    assert!(matches!(bands, [None, None | Some("cleanup-delay")]), "{said:#}");
    let text = said["text"].to_string();
    assert!(text.contains("none was forced") || text.contains("too little had piled up"), "{text}");
}

fn who_waits_for_whom_is_counted(version: &str) {
    let crowded = Served::start(version, &["-crowded"]);
    let report = analyze(&crowded.address, &[]);
    let contention = &report["contention"];
    for (kind, line) in [("waits", "turn.Lock()"), ("releases", "turn.Unlock()")] {
        let lines = contention[kind].as_array().expect("lines");
        let at =
            |it: &&Value| it["at"]["function"] == "main.queue" && it["at"]["line"] == line_of(line);
        let found = lines.iter().find(at).unwrap_or_else(|| panic!("{kind}: {contention:#}"));
        assert!(found["count"].as_u64() > Some(0), "{found:#}");
        assert!(found["count_within"].as_u64() > Some(0), "{found:#}");
        assert!(found["delay_within_seconds"].as_f64() <= found["delay_seconds"].as_f64());
        assert!(contention[format!("{kind}_within_seconds")].as_f64() >= Some(5.0));
        if kind == "waits" {
            assert!((1..8).contains(&found["waiting"].as_u64().expect("a number")), "{found:#}");
        }
    }
    assert!(report["contention"]["waits_over_seconds"].is_null(), "{contention:#}");
}

/// Of a program that serves what it holds, the findings about memory in a window long enough for more than a suspicion;
/// and the same of what was saved of it.
fn heap_of(version: &str, flags: &[&str]) -> [(Vec<Value>, Value); 2] {
    let served = Served::start(version, flags);
    let scratch = Scratch::new(&format!("heap{}-{version}", flags.concat()));
    let saved = scratch.file("saved.jsonl");
    let live = ["--url", &served.address, "--duration", "24s", "--save", &saved];
    [&live[..], &["--input", &saved]].map(|of| {
        let args = [&["analyze", "--format", "json"], of].concat();
        let report = report(&agent::run(&args).expect("agent"));
        let findings = report["findings"].as_array().expect("findings");
        let of_memory = findings.iter().filter(|it| it["subject"] == "memory");
        (of_memory.cloned().collect(), report)
    })
}

/// The heap that grows is found, with the line that allocated it; what is filled again and again is not.
fn the_heap_is_judged(version: &str) {
    thread::scope(|scope| {
        scope.spawn(|| {
            for (found, report) in heap_of(version, &["-hoard"]) {
                let [finding] = &found[..] else { panic!("{version}: {report:#}") };
                assert_eq!(finding["class"], "heap-growth", "{finding:#}");
                // Of forty samples one half of the window may have many more than the other, by chance.
                let verdict = finding["verdict"].as_str();
                assert!(matches!(verdict, Some("likely" | "suspect")), "{finding:#}");
                let line = &finding["allocated_at"][0];
                assert_eq!(line["function"], "main.login", "{finding:#}");
                assert_eq!(line["line"], line_of("data: make([]byte, 20<<10)"), "{finding:#}");
                assert!(line["grown_bytes"].as_u64() > Some(8 << 20), "{finding:#}");
                let heap = &report["memory"]["heap"];
                assert_eq!((&heap["served"], &heap["gc_percent"]), (&true.into(), &Value::Null));
                assert!(heap["collections"].as_u64() > Some(5), "{heap:#}");
            }
        });
        scope.spawn(|| {
            for (found, report) in heap_of(version, &["-cached"]) {
                // An estimate of so few samples may rise by chance.
                let is_sure = |it: &Value| it["verdict"] != "suspect";
                assert!(!found.iter().any(is_sure), "{version}: {report:#}");
            }
        });
    });
}

#[test]
fn the_heap_is_judged_of_go1_21() {
    the_heap_is_judged("1.21.13");
}

#[test]
fn the_heap_is_judged_of_go1_27() {
    the_heap_is_judged(GO);
}

#[test]
fn of_a_heap_that_nobody_samples_it_is_said_that_nothing_is_known() {
    for (flag, why) in [("-unsampled", "runtime.MemProfileRate"), ("-no-heap", "404")] {
        let served = Served::start(GO, &["-hoard", flag]);
        let report = analyze(&served.address, &[]);
        assert_eq!(report["memory"], Value::Null, "{report:#}");
        let notes = report["coverage"]["notes"].to_string();
        assert!(notes.contains("nothing is known of the heap") && notes.contains(why), "{notes}");
    }
}

/// One sample of the memory alone: figures, and who allocated what is in use.
#[test]
fn memory_shows_what_a_server_says_of_its_own() {
    let served = Served::start(GO, &["-hoard"]);
    let read = |flags: &[&str]| {
        agent::run(&[&["memory", "--url", &served.address], flags].concat()).expect("agent")
    };
    let start = Instant::now();
    let (report, line) = loop {
        let report = report(&read(&["--format", "json"]));
        let lines = report["allocated"]["lines"].as_array().cloned().unwrap_or_default();
        let line = lines.iter().find(|it| it["function"] == "main.login");
        if let Some(line) = line.filter(|it| it["in_use"]["bytes"].as_u64() > Some(1 << 20)) {
            break (report, line.clone());
        }
        assert!(start.elapsed() < PATIENCE, "{report:#}");
        thread::sleep(Duration::from_millis(500));
    };
    let total = &report["allocated"];
    assert_eq!(total["rate_bytes"], 524_288, "{total:#}");
    assert!(line["in_use"]["bytes"].as_u64() <= total["in_use"]["bytes"].as_u64(), "{total:#}");
    let text = String::from_utf8(read(&[]).stdout).expect("UTF-8");
    assert!(text.contains("\nallocated  ") && text.contains("main.login ("), "{text}");
    for (flags, said) in [
        (&["--retained"][..], "--retained means nothing with --url"),
        (&["--save-profile", "x"], "--save-profile means nothing with --url"),
    ] {
        let output = read(flags);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains(said), "{text}");
    }
    // Nobody who looks at memory alone asks for a dump.
    let judged = analyze(&served.address, &["--memory-only"]);
    let heap = &judged["memory"]["heap"];
    assert!(heap["in_use_bytes"].as_u64() > Some(1 << 20), "{judged:#}");
    assert!(judged["groups"].as_array().is_none_or(Vec::is_empty), "{judged:#}");
    // And nobody who looks at goroutines alone for a heap profile.
    let judged = analyze(&served.address, &["--goroutines-only"]);
    assert_eq!((&judged["memory"], &judged["subjects"]), (&Value::Null, &json!(["goroutines"])));
    assert!(judged["groups"].as_array().is_some_and(|groups| !groups.is_empty()), "{judged:#}");
}

#[test]
fn memory_that_a_server_says_nothing_of_is_no_empty_report() {
    let served = Served::start(GO, &["-no-heap"]);
    let output = agent::run(&["memory", "--url", &served.address]).expect("agent");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && output.stdout.is_empty(), "{output:?}");
    assert!(text.contains("nothing is known of its memory") && text.contains("404"), "{text}");
}

#[test]
fn collections_that_do_not_come_are_told() {
    let deaf = Served::start(GO, &["-no-gc"]);
    let bare = Served::start(GO, &["-no-heap"]);
    for (served, expected) in [
        (&deaf, "the server ignores gc=1: 3 collections were asked for"),
        (&bare, "heap?debug=1 is not served"),
    ] {
        let report = analyze(&served.address, &["--force-gc"]);
        let (said, bands) = collected(&report);
        assert!(said["text"].to_string().contains(expected), "{said:#}");
        assert_eq!(bands, [None; 2], "{said:#}");
    }
    for (line, expected) in [
        (
            &["monitor", "--url", &deaf.address, "--force-gc"][..],
            "--force-gc: it collects at the end",
        ),
        (&["analyze", "--pid", "1", "--force-gc"], "--force-gc means nothing with --pid"),
        (&["check", "--url", &deaf.address, "--force-gc"], "check does not take --force-gc"),
    ] {
        let output = agent::run(line).expect("agent");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{line:?}: {said}");
    }
}

#[test]
fn it_is_found_below_any_path() {
    let plain = Served::start(GO, &[]);
    for path in ["", "/", "/debug", "/debug/pprof", "/debug/pprof/goroutine?debug=2", "/any/where"]
    {
        passes(&plain.url(path), &[]);
    }
    let group = Served::start(GO, &["-prefix", "/admin/v1"]);
    for path in ["/admin/v1", "/admin/v1/debug/pprof/", "/admin/v1/things/"] {
        passes(&group.url(path), &[]);
    }
    let said = refused(&group.url("/admin"), &[]);
    for tried in ["/admin/debug/pprof/", "/admin/pprof/", "/admin/", " /debug/pprof/"] {
        assert!(said.contains(&format!("{tried} (answered 404 Not Found")), "{tried}: {said}");
    }
    let packed = Served::start(GO, &["-gzip"]);
    passes(&packed.address, &[]);
    passes(&packed.address, &["--dump-limit", "1"]);
}

#[test]
fn what_is_no_profile_is_told_in_words() {
    let login = Served::start(GO, &["-answer", "login"]);
    let said = refused(&login.address, &[]);
    assert!(said.contains("it is not the index of profiles"), "{said}");
    let busy = Served::start(GO, &["-answer", "unavailable"]);
    let said = refused(&busy.address, &[]);
    assert!(said.contains("503 Service Unavailable: \"no healthy upstream\""), "{said}");
    let address = busy.address.clone();
    drop(busy);
    let said = refused(&address, &[]);
    assert!(said.contains("connection refused"), "{said}");
}

#[test]
fn who_asks_is_told_to_the_server_and_to_nobody_else() {
    let scratch = Scratch::new("endpoint-secrets");
    let pair = scratch.write("pair", "shop:turnip\n");
    let token = scratch.write("token", "potato\n");
    let basic = Served::start(GO, &["-basic", "shop:turnip"]);
    let bearer = Served::start(GO, &["-bearer", "potato"]);
    let said = refused(&basic.address, &[]);
    assert!(said.contains("401 Unauthorized: \"who are you?\""), "{said}");
    passes(&basic.address, &["--basic-auth-file", &pair]);
    passes(&bearer.address, &["--bearer-token-file", &token]);
    let inside = format!("http://shop:turnip@{}", basic.address);
    let saved = scratch.file("saved");
    let outputs = [
        passes(&inside, &["--save", &saved, "--format", "json"]),
        agent::run(&["report", "--input", &saved, "--all"]).expect("agent"),
    ];
    let by_variable = Command::new(agent::binary().expect("agent"))
        .args(["check", "--url", &bearer.address])
        .env("LEAK_AGENT_BEARER_TOKEN", "potato")
        .output()
        .expect("agent");
    assert!(by_variable.status.code() < Some(2), "{by_variable:?}");
    for output in &outputs {
        let text = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&text).contains("turnip"), "{output:?}");
    }
    // Whom the server sends to is another.
    let other = Served::start(GO, &["-redirect", &basic.url("")]);
    let said = refused(&other.address, &["--basic-auth-file", &pair]);
    assert!(said.contains("401 Unauthorized"), "{said}");
    let open = Served::start(GO, &[]);
    let other = Served::start(GO, &["-redirect", &open.url("")]);
    passes(&other.address, &["--basic-auth-file", &pair]);
}

#[test]
fn servers_are_who_they_say() {
    let scratch = Scratch::new("endpoint-tls");
    let folder = scratch.0.display().to_string();
    let served = Served::start(GO, &["-tls", &folder, "-mutual"]);
    let url = format!("https://{}", served.address);
    let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| scratch.file(name));
    let said = refused(&url, &["--client-cert", &cert, "--client-key", &key]);
    assert!(said.contains("nobody whom this machine trusts has signed"), "{said}");
    let said = refused(&url, &["--ca-file", &ca]);
    assert!(said.contains("wants a certificate of who asks"), "{said}");
    let who = ["--client-cert", &cert, "--client-key", &key];
    passes(&url, &[&["--ca-file", &ca][..], &who].concat());
    let insecure = passes(&url, &[&["--insecure"][..], &who].concat());
    let said = String::from_utf8_lossy(&insecure.stderr).into_owned();
    assert!(said.contains("warning: --insecure"), "{said}");
    assert!(String::from_utf8_lossy(&insecure.stdout).contains("was not checked"));
    let said = refused(&served.url(""), &[]);
    assert!(said.contains("400 Bad Request: \"Client sent an HTTP request to an HTTPS"), "{said}");
    let plain = Served::start(GO, &[]);
    let said = refused(&format!("https://{}", plain.address), &[]);
    assert!(said.contains("does not speak TLS"), "{said}");
}

#[test]
fn a_program_that_is_started_anew_is_another() {
    // What follows is for the agent that runs, not for one that is still built.
    agent::binary().expect("the agent");
    let served = Served::start(GO, &[]);
    let address = served.address.clone();
    let watching = thread::spawn({
        let address = address.clone();
        move || analyze(&address, &[])
    });
    thread::sleep(Duration::from_secs(2));
    drop(served);
    thread::sleep(Duration::from_secs(1));
    let again = Served::start(GO, &["-listen", &address]);
    let report = watching.join().expect("a report");
    assert_eq!(again.address, address);
    assert_eq!(report["target"]["generation"], 1, "{report:#}");
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("not answered"), "{notes}");
}

#[test]
fn every_command_takes_it() {
    let served = Served::start(GO, &[]);
    let url = served.address.as_str();
    let scratch = Scratch::new("endpoint-commands");
    let saved = scratch.file("saved");
    let short = ["--duration", "3s", "--interval", "500ms"];
    for (line, expected) in [
        (vec!["check", "--url", url], "main.deliver"),
        (vec!["monitor", "--url", url, "--fail-on", "never"], "main.deliver"),
        (vec!["compare", "--url", url, "--wait", "1s"], "main.deliver"),
        (vec!["patterns", "--url", url, "--threshold", "1", "--fail-on", "never"], "main.deliver"),
        (vec!["channels", "--url", url, "--threshold", "1", "--fail-on", "never"], "main.deliver"),
        (vec!["filter", "--url", url, "--func", "deliver"], "main.deliver"),
        (vec!["--url", url, "--save", &saved, "--fail-on", "never"], "main.deliver"),
        (vec!["report", "--input", &saved], "main.deliver"),
    ] {
        let takes_one = ["check", "compare", "filter", "report"].contains(&line[0]);
        let line = if takes_one { line } else { [&line[..], &short].concat() };
        let output = agent::run(&line).expect("agent");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{line:?}: {output:?}");
    }
    for (flags, said) in [
        (["--probes", "all"], "--probes means nothing with --url"),
        (["--pid", "1"], "cannot be used with"),
    ] {
        let output = agent::run(&["analyze", "--url", url, flags[0], flags[1]]).expect("agent");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains(said), "{text}");
    }
}
