//! `monitor --push-...`: what a store of profiles is sent, and what becomes of it when the store is not well. The
//! stores here are servers of the test's own, which read what they get as the real ones define it.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::read::GzDecoder;
use leak_agent_tests::replay::Replay;
use leak_agent_tests::{Target, agent};
use prost::Message as _;
use serde_json::Value;

const LEAK: &str = "main.(*priceList).quote.func1";

/// Monitors the demo for a while with these flags and variables.
fn monitor(flags: &[&str], variables: &[(&str, &str)]) -> (Output, u32) {
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let mut command = Command::new(agent::binary().expect("agent"));
    command.args(["monitor", "--pid", &pid, "--interval", "500ms", "--duration", "8s"]);
    command.args(["--push-every", "1s"]).args(flags);
    for (name, value) in variables {
        command.env(name, value);
    }
    (command.output().expect("agent"), target.pid())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("push").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What the agent itself makes of profiles that were pushed.
fn shows_the_leak(profiles: &[Vec<u8>], folder: &Path) {
    for (number, profile) in profiles.iter().enumerate() {
        fs::write(folder.join(format!("{number}.pb.gz")), profile).expect("written");
    }
    let path = folder.to_str().expect("text");
    let output = agent::run(&["filter", "--input", path, "--func", LEAK, "--format", "json"]);
    let output = output.expect("agent");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["groups"][0]["blocked_at"]["function"], LEAK, "{report:#}");
    // What the agent itself has come to is no label of the program's when it is read again.
    let mut texts = Vec::new();
    let last = profiles.last().expect("profiles");
    GzDecoder::new(last.as_slice()).read_to_end(&mut texts).expect("gzip");
    let has = |text: &str| memchr::memmem::find(&texts, text.as_bytes()).is_some();
    assert!(has("verdict") && has("finding") && (has("likely") || has("proven")), "{report:#}");
}

/// push/v1/push.proto and types/v1/types.proto of Pyroscope.
#[derive(prost::Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    series: Vec<RawProfileSeries>,
}

#[derive(prost::Message)]
struct RawProfileSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<LabelPair>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<RawSample>,
}

#[derive(prost::Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(prost::Message)]
struct RawSample {
    #[prost(bytes = "vec", tag = "1")]
    raw_profile: Vec<u8>,
}

#[test]
fn pyroscope_is_sent_what_it_takes_and_what_it_missed_while_it_was_away() {
    // Connect's answer without content; the first request meets a server that is just starting.
    let store = Replay::start(|number, _| match number {
        0 => ("503 Service Unavailable", "text/plain", b"starting up".to_vec()),
        _ => ("200 OK", "application/proto", Vec::new()),
    });
    let store = store.expect("a server");
    let address = store.address.to_string();
    let tenant = "X-Scope-OrgID: acme";
    let flags = ["--push-pyroscope", &address, "--push-header", tenant];
    let labels = ["--push-label", "env=test", "--push-label", "host="];
    let variables =
        [("LEAK_AGENT_PUSH_BEARER_TOKEN", "mine"), ("LEAK_AGENT_BEARER_TOKEN", "other")];
    let (output, pid) = monitor(&[flags, labels].concat(), &variables);
    let stderr = said(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let heard = store.heard();
    let mut profiles = Vec::new();
    for request in &heard {
        let (head, body) = (&request.head, &request.body);
        assert!(head.starts_with("POST /push.v1.PusherService/Push HTTP/1.1\r\n"), "{head}");
        for line in
            ["content-type: application/proto", "authorization: Bearer mine", "x-scope-orgid: acme"]
        {
            assert!(request.has(line), "{head}");
        }
        let sent = PushRequest::decode(body.as_slice()).expect("the request");
        let [series] = sent.series.as_slice() else { panic!("{sent:?}") };
        let mut labels: Vec<String> =
            series.labels.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
        // In a container there are more.
        labels
            .retain(|label| !label.starts_with("container_id=") && !label.starts_with("pod_uid="));
        let own = format!("pid={pid}");
        assert_eq!(labels, ["__name__=goroutine", "env=test", &own, "service_name=demo"]);
        let [sample] = series.samples.as_slice() else { panic!("{sent:?}") };
        profiles.push(sample.raw_profile.clone());
    }
    // What failed was sent again.
    assert!(heard.len() > 2, "{stderr}");
    assert_eq!(profiles[0], profiles[1]);
    shows_the_leak(&profiles[1..], &scratch("pyroscope"));
    assert!(
        stderr.contains("warning: Pyroscope takes no profiles, and is tried again: http://")
            && stderr.contains("answered 503 Service Unavailable: \"starting up\""),
        "{stderr}"
    );
    assert!(stderr.contains("Pyroscope takes profiles again; none was lost\n"), "{stderr}");
    let sum = format!("Pyroscope: {} profiles pushed\n", heard.len() - 1);
    assert!(stderr.contains(&sum), "{stderr}");
    assert!(!stderr.contains("mine"), "{stderr}");
}

#[test]
fn parca_is_sent_what_it_takes_and_what_it_refuses_is_not_sent_again() {
    // As grpc-gateway answers, with its own form of errors.
    let refusal = br#"{"code":3,"message":"invalid profile"}"#;
    let store = Replay::start(|number, _| match number {
        0 => ("400 Bad Request", "application/json", refusal.to_vec()),
        _ => ("200 OK", "application/json", b"{}".to_vec()),
    });
    let store = store.expect("a server");
    let url = format!("http://me:secret@{}/store", store.address);
    let (output, pid) = monitor(&["--push-parca", &url], &[]);
    let stderr = said(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let heard = store.heard();
    let mut profiles = Vec::new();
    for request in &heard {
        let (head, body) = (&request.head, &request.body);
        assert!(head.starts_with("POST /store/api/profiles/writeraw HTTP/1.1\r\n"), "{head}");
        assert!(request.has("authorization: Basic bWU6c2VjcmV0"), "{head}");
        let sent: Value = serde_json::from_slice(body).expect("JSON");
        let series = &sent["series"][0];
        let labels = series["labels"]["labels"].as_array().expect("labels");
        let value = |name: &str| {
            let found = labels.iter().find(|label| label["name"] == name);
            found.and_then(|label| label["value"].as_str()).map(str::to_owned)
        };
        assert_eq!(value("__name__").as_deref(), Some("goroutine"));
        assert_eq!(value("service_name").as_deref(), Some("demo"));
        assert_eq!(value("pid"), Some(pid.to_string()));
        assert!(value("host").is_some());
        let profile = series["samples"][0]["rawProfile"].as_str().expect("a profile");
        profiles.push(
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, profile)
                .expect("base64"),
        );
    }
    assert!(heard.len() > 2, "{stderr}");
    assert_ne!(profiles[0], profiles[1]);
    shows_the_leak(&profiles[1..], &scratch("parca"));
    assert!(stderr.contains("warning: Parca has refused a profile: "), "{stderr}");
    let sum = format!("Parca: {} profiles pushed, 1 refused\n", heard.len() - 1);
    assert!(stderr.contains(&sum), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
}

#[test]
fn monitoring_goes_on_without_a_store() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let gone = gone.to_string();
    let folder = scratch("gone");
    let report = folder.join("report.json");
    let to = ["--format", "json", "--output", report.to_str().expect("text")];
    let (output, _) = monitor(&[&["--push-parca", &gone], &to[..]].concat(), &[]);
    let stderr = said(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.matches("takes no profiles").count(), 1, "{stderr}");
    let sums = stderr.lines().filter(|line| {
        line.starts_with("Parca: 0 profiles pushed, ") && line.ends_with(" not sent")
    });
    assert_eq!(sums.count(), 1, "{stderr}");
    let report: Value = serde_json::from_slice(&fs::read(report).expect("read")).expect("JSON");
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(report["window"]["observations"], lines);
    assert_eq!(report["findings"][0]["blocked_at"]["function"], LEAK);
}
