//! Stores of profiles: exchanges that were recorded, as `fixtures/stores/README.md` says, are replayed.
#![allow(clippy::expect_used)]

use leak_agent_tests::agent;
use leak_agent_tests::recorded::{Exchange, Recorded, exchanges};
use serde_json::Value;

/// The time that was recorded.
const RANGE: [&str; 6] =
    ["--from", "2026-11-29T08:15:40Z", "--until", "2026-11-29T08:17:10Z", "--step", "10s"];

/// How profiles are asked for of the instance that is named in it.
const SELECTED: &str = "%7Binstance%3D%22127.0.0.1%3A6071%22%2C";

/// What a run of the agent came to.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str]) -> Ran {
    let output = agent::run(args).expect("agent");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect(&self.stderr)
    }
}

fn version(instance: &Value) -> &str {
    instance["labels"]["version"].as_str().expect("a version")
}

fn parca() -> Vec<Exchange> {
    exchanges("stores/parca.json").expect("recorded")
}

fn pyroscope() -> Vec<Exchange> {
    exchanges("stores/pyroscope.json").expect("recorded")
}

/// Asks Parca with a selector and the recorded time.
fn ask(server: &Recorded, command: &str, query: &str, more: &[&str]) -> Ran {
    ask_of("--parca", server, command, query, more)
}

fn ask_of(store: &str, server: &Recorded, command: &str, query: &str, more: &[&str]) -> Ran {
    let url = server.url();
    let ran = run(&[&[command, store, &url, "--query", query], &RANGE[..], more].concat());
    assert_eq!(server.unknown(), <[String; 0]>::default(), "{}", ran.stderr);
    ran
}

#[test]
fn an_instance_in_parca_is_judged_by_its_profiles() {
    let server = Recorded::start(parca()).expect("server");
    let ran = ask(&server, "analyze", r#"{instance="127.0.0.1:6071"}"#, &["--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let report = ran.json();
    assert_eq!(report["target"]["kind"], "parca");
    assert_eq!(report["target"]["exe"], "shop");
    let source = format!("{}/ {{job=\"shop\", instance=\"127.0.0.1:6071\"}}", server.url());
    assert_eq!(report["target"]["source"], source);
    assert_eq!(report["window"]["observations"], 9);
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["class"], "channel-send");
    assert_eq!(findings[0]["verdict"], "likely");
    assert_eq!(findings[0]["blocked_at"]["function"], "main.deliver");
    let notes = report["coverage"]["notes"].to_string();
    assert!(
        notes.contains("9 of 18 stored profiles were read, at most one in each 10.0s"),
        "{notes}"
    );
}

#[test]
fn which_goroutines_stayed_is_not_told_by_counts() {
    let server = Recorded::start(parca()).expect("server");
    let ran = ask(&server, "patterns", r#"{instance="127.0.0.1:6071"}"#, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("do not tell which goroutines stayed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("leak-agent analyze"), "{}", ran.stderr);
}

#[test]
fn the_instances_of_a_fleet_are_told_apart_and_those_that_leak_named() {
    let server = Recorded::start(parca()).expect("server");
    let ran = ask(&server, "fleet", "{}", &["--threshold", "100", "--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let fleet = ran.json();
    let instances = fleet["instances"].as_array().expect("instances");
    let mut versions: Vec<_> = instances.iter().map(version).collect();
    versions.sort_unstable();
    assert_eq!(versions, ["1.3", "1.4", "1.4"]);
    let worst = &fleet["groups"][0];
    assert_eq!(worst["blocked_at"]["function"], "main.deliver", "{fleet:#}");
    assert_eq!((&worst["affected"], &worst["instances"]), (&2.into(), &2.into()));
    assert_eq!(worst["only_where"][0]["label"], "version");
    assert_eq!(worst["only_where"][0]["values"][0], "1.4");
}

/// Of the program's own labels (`handler`) one instance has two series, and of Pyroscope's types one is meant.
#[test]
fn instances_in_pyroscope_are_judged_by_their_profiles() {
    let server = Recorded::start(pyroscope()).expect("server");
    let shop = r#"{service_name="shop"}"#;
    let ran = ask_of("--pyroscope", &server, "analyze", shop, &["--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let reports = ran.json();
    let [first, second] = &reports.as_array().expect("reports")[..] else { panic!("{reports:#}") };
    assert_eq!(first["target"]["kind"], "pyroscope");
    let source = format!("{}/ {{service_name=\"shop\", pod=\"web-1\"}}", server.url());
    assert_eq!(first["target"]["source"], source);
    assert_eq!(first["window"]["observations"], 9);
    let findings = first["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{first:#}");
    assert_eq!(findings[0]["class"], "channel-send");
    assert_eq!(findings[0]["verdict"], "likely");
    let notes = first["coverage"]["notes"].to_string();
    assert!(notes.contains("9 of 18 stored profiles were read"), "{notes}");
    assert_eq!(second["findings"].as_array().map(Vec::len), Some(0));

    let fleet = ["--threshold", "100", "--format", "json"];
    let fleet = ask_of("--pyroscope", &server, "fleet", shop, &fleet).json();
    let instances = fleet["instances"].as_array().expect("instances");
    let of = |pod: &str| instances.iter().find(|it| it["name"].to_string().contains(pod));
    assert_eq!(of("web-1").map(version), Some("1.4"), "{fleet:#}");
    assert_eq!(of("web-2").map(version), Some("1.3"), "{fleet:#}");
    assert_eq!(fleet["groups"][0]["affected"], 1);

    let other = ask_of("--pyroscope", &server, "check", r#"{service_name="other"}"#, &[]);
    assert_eq!((other.code, &*other.stdout), (Some(3), ""));
    let said =
        "it has no profiles of goroutines:goroutine:count:goroutine:count{service_name=\"other\"}";
    assert!(other.stderr.contains(said), "{}", other.stderr);
}

#[test]
fn other_commands_take_what_a_store_has() {
    let server = Recorded::start(parca()).expect("server");
    let instance = r#"{instance="127.0.0.1:6073"}"#;
    let ran = ask(&server, "check", instance, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = ask(&server, "compare", r#"{instance="127.0.0.1:6071"}"#, &["--all"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("main.deliver"), "{}", ran.stdout);
    let ran = ask(&server, "export", instance, &["--format", "debug1"]);
    assert!(ran.stdout.starts_with("goroutine profile: total 4\n"), "{}", ran.stdout);
}

#[test]
fn no_profiles_are_an_error_and_no_all_clear() {
    let server = Recorded::start(parca()).expect("server");
    let ran = ask(&server, "check", r#"{instance="elsewhere"}"#, &[]);
    assert_eq!((ran.code, &*ran.stdout), (Some(3), ""));
    let said =
        "it has no profiles of goroutine:goroutine:count:goroutine:count{instance=\"elsewhere\"}";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let ran = ask(&server, "check", "memory:a:b:c:d{}", &[]);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.contains("it has goroutine:goroutine:count:goroutine:count"),
        "{}",
        ran.stderr
    );
    let ran = ask(&server, "check", "{instance=potato}", &[]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("failed to parse query"), "{}", ran.stderr);
}

/// What servers answer that are asked in vain.
#[test]
fn errors_say_what_the_server_answered() {
    let all = |status: u16, content: &str, answer: &str| {
        let other = |it: Exchange| Exchange {
            status,
            content: content.to_owned(),
            answer: answer.to_owned(),
            ..it
        };
        parca().into_iter().map(other).collect::<Vec<_>>()
    };
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    for (exchanges, said) in [
        (all(401, "text/plain", "who are you?"), "answered 401 Unauthorized: \"who are you?\""),
        (all(503, "text/plain", "later"), "answered 503 Service Unavailable: \"later\""),
        (all(200, "text/html", page), "this is no Parca, or it is below another path"),
        (all(404, "text/plain", "404 page not found"), "this is no Parca"),
        (all(200, "application/json", ""), "cannot be understood: EOF while parsing a value"),
        (all(200, "application/json", "{\"types\": [{"), "cannot be understood: EOF"),
        (all(200, "application/json", "{\"types\": []}"), "it has none of anything in this time"),
    ] {
        let server = Recorded::start(exchanges).expect("server");
        let ran = ask(&server, "check", r#"{instance="127.0.0.1:6071"}"#, &[]);
        assert_eq!((ran.code, &*ran.stdout), (Some(3), ""), "{said}\n{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{said}\n{}", ran.stderr);
    }
}

/// The tenant of a Pyroscope of several is told by a header, and its error said.
#[test]
fn pyroscopes_own_errors_are_said() {
    let said = r#"{"code":"unauthenticated","message":"no org id"}"#;
    let refused = |it: Exchange| Exchange { status: 401, answer: said.to_owned(), ..it };
    let server = Recorded::start(pyroscope().into_iter().map(refused).collect()).expect("server");
    let ran = ask_of("--pyroscope", &server, "check", "{}", &["--header", "X-Scope-OrgID: shop"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(3), ""));
    assert!(
        ran.stderr.contains("401 Unauthorized") && ran.stderr.contains("no org id"),
        "{}",
        ran.stderr
    );
    let missing = |it: Exchange| Exchange { status: 404, answer: String::new(), ..it };
    let server = Recorded::start(pyroscope().into_iter().map(missing).collect()).expect("server");
    let ran = ask_of("--pyroscope", &server, "check", "{}", &[]);
    assert!(ran.stderr.contains("this is no Pyroscope"), "{}", ran.stderr);
}

/// Of profiles that cannot be read, one is missed, and three in a row are the end.
#[test]
fn profiles_that_cannot_be_read_are_counted() {
    let spoilt = |which: &[usize]| {
        let mut exchanges = parca();
        let mut profiles: Vec<_> = exchanges
            .iter_mut()
            .filter(|it| it.asked.contains("/query?") && it.asked.contains(SELECTED))
            .collect();
        profiles.sort_by_key(|it| it.asked.split("single.time").nth(1).map(str::to_owned));
        for &at in which {
            let half = profiles[at].answer.len() / 2;
            profiles[at].answer.truncate(half);
        }
        exchanges
    };
    let instance = r#"{instance="127.0.0.1:6071"}"#;
    for which in [[2], [8]] {
        let server = Recorded::start(spoilt(&which)).expect("server");
        let ran = ask(&server, "analyze", instance, &["--format", "json"]);
        let report = ran.json();
        assert_eq!(report["window"]["observations"], 8, "{}", ran.stderr);
        let notes = report["coverage"]["notes"].to_string();
        assert!(notes.contains("1 stored profile could not be read"), "{notes}");
    }
    let server = Recorded::start(spoilt(&[6, 7, 8])).expect("server");
    let ran = ask(&server, "analyze", instance, &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stdout.contains("LIKELY"), "what was found until then is said: {}", ran.stdout);
    assert!(
        ran.stderr.contains("3 profiles could not be read, one after the other"),
        "{}",
        ran.stderr
    );
    let server = Recorded::start(spoilt(&[0, 1, 2])).expect("server");
    assert_eq!(ask(&server, "analyze", instance, &[]).code, Some(3));
}
