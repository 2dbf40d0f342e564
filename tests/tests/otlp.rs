//! What is sent by OTLP, as a real OpenTelemetry collector receives it, and what becomes of it when a server is not well.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use leak_agent_tests::replay::Replay;
use leak_agent_tests::{Scratch, Target, agent, server, skip};
use prost::Message as _;
use serde_json::Value;

const GO: &str = "1.26.6";

/// A collector that keeps all that it receives.
struct Collector {
    child: Child,
    grpc: String,
    http: String,
    metrics: String,
    logs: String,
}

impl Collector {
    /// `None` where it was not built.
    fn start(scratch: &Scratch) -> Option<Self> {
        let program = server::path("otelcol").ok()?;
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let [grpc, http] = [free(), free()].map(|it| it.expect("a port").to_string());
        let [metrics, logs] = ["metrics.jsonl", "logs.jsonl"].map(|name| scratch.file(name));
        let pipeline = |name| format!("{name}: {{receivers: [otlp], exporters: [file/{name}]}}");
        let kept = |name, path| format!("file/{name}: {{path: {path}, flush_interval: 50ms}}");
        let config = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: {grpc}}}, http: {{endpoint: {http}}}}}}}}}\n\
             exporters: {{{}, {}}}\nservice: {{pipelines: {{{}, {}}}}}\n",
            kept("metrics", &metrics),
            kept("logs", &logs),
            pipeline("metrics"),
            pipeline("logs"),
        );
        let config = scratch.write("config.yaml", &config);
        let child = Command::new(program).args(["--config", &config]).spawn().expect("it starts");
        let mut collector = Self { child, grpc, http, metrics, logs };
        while [&collector.grpc, &collector.http].iter().any(|it| TcpStream::connect(it).is_err()) {
            assert!(collector.child.try_wait().expect("a child").is_none(), "it ended");
            thread::sleep(Duration::from_millis(50));
        }
        Some(collector)
    }

    /// Ends it, which writes what it holds; the parts of all requests.
    fn end(mut self, list: &str) -> Vec<Value> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is there");
        self.child.wait().expect("it ends");
        [&self.metrics, &self.logs].into_iter().flat_map(|file| parts(file, list)).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What a file has under `resourceMetrics` or `resourceLogs`.
fn parts(file: &str, list: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.flat_map(|line| line[list].as_array().cloned().unwrap_or_default()).collect()
}

/// Attributes as texts.
fn attributes(of: &Value) -> BTreeMap<String, String> {
    let pair = |it: &Value| {
        let value = it["value"].as_object().expect("a value").values().next().expect("one");
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (it["key"].as_str().expect("a key").to_owned(), value)
    };
    of["attributes"].as_array().into_iter().flatten().map(pair).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Monitors a program that ends while it is watched.
fn monitored(target: Target, flags: &[&str], variables: &[(&str, &str)]) -> (Output, u32) {
    let pid = target.pid();
    let mut command = Command::new(agent::binary().expect("agent"));
    command.args(["monitor", "--pid", &pid.to_string(), "--interval", "500ms", "--probes", "off"]);
    command.args(["--duration", "10s", "--format", "json", "--otlp-every", "1s"]).args(flags);
    command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    (command.spawn().expect("it starts").wait_with_output().expect("it ends"), pid)
}

/// What a collector has of the demo by one of the protocols is what monitor's own lines say.
fn is_received(protocol: &str) {
    let scratch = Scratch::new(&format!("otlp-{}", protocol.len()));
    let Some(collector) = Collector::start(&scratch) else {
        return skip("otelcol was not built: cargo xtask servers");
    };
    let target = Target::start(GO, "exe", "demo").expect("target");
    let endpoint = match protocol {
        "grpc" => format!("http://{}", collector.grpc),
        _ => collector.http.clone(),
    };
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
    let (output, pid) = monitored(target, &[], &variables);
    let stderr = said(&output);
    assert!(stderr.contains("batches of metrics pushed\n"), "{stderr}");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (metrics, logs) = (collector.metrics.clone(), collector.logs.clone());
    collector.end("resourceMetrics");

    let measured = parts(&metrics, "resourceMetrics");
    assert!(measured.len() > 3, "{measured:#?}");
    for part in &measured {
        let resource = attributes(&part["resource"]);
        let is = |name: &str, value: &str| resource.get(name).is_some_and(|it| it == value);
        assert!(is("service.name", "demo") && is("process.pid", &pid.to_string()), "{resource:?}");
        assert!(is("process.runtime.version", "go1.26.6"), "{resource:?}");
        assert!(resource.contains_key("host.name") && resource.contains_key("service.instance.id"));
        let metrics = part["scopeMetrics"][0]["metrics"].as_array().expect("metrics");
        let named = |name: &str| metrics.iter().find(|it| it["name"] == name);
        let goroutines = named("go.goroutine.count").expect("goroutines");
        assert_eq!(goroutines["unit"], "{goroutine}");
        let count = &goroutines["sum"]["dataPoints"][0]["asInt"];
        let count: u64 = count.as_str().expect("a number").parse().expect("whole");
        assert!(lines.iter().any(|line| line["goroutines"] == count), "{count}");
        let allocated = &named("go.memory.allocated").expect("allocated")["sum"];
        assert_eq!(
            (&allocated["isMonotonic"], &allocated["aggregationTemporality"]),
            (&true.into(), &2.into())
        );
        assert!(named("process.memory.usage").is_some() && named("leak_agent.samples").is_some());
    }

    let events = lines.iter().flat_map(|line| line["events"].as_array().expect("events"));
    let appeared: Vec<&Value> = events.filter(|event| event["event"] == "appeared").collect();
    assert!(!appeared.is_empty());
    let logged = parts(&logs, "resourceLogs");
    let records = logged.iter().flat_map(|part| part["scopeLogs"][0]["logRecords"].as_array());
    let records: Vec<&Value> = records.flatten().collect();
    for event in appeared {
        let is_of = |record: &&&Value| {
            record["eventName"] == "leak_agent.finding.appeared"
                && attributes(record)["leak_agent.finding.id"] == event["finding"]["id"]
        };
        let record = records.iter().find(is_of).expect("a record of it");
        let told = attributes(record);
        assert_eq!(told["leak_agent.finding.verdict"], event["finding"]["verdict"]);
        assert_eq!(told["code.line.number"], event["finding"]["at"]["line"].to_string());
        assert_eq!(record["severityText"], event["finding"]["severity"]);
        let body = record["body"]["stringValue"].as_str().expect("a text");
        let cause = event["finding"]["cause"].as_str().expect("a cause");
        assert!(body.contains(cause), "{body}");
    }
}

#[test]
fn a_collector_receives_what_monitor_says_by_http() {
    is_received("http/protobuf");
}

#[test]
fn a_collector_receives_what_monitor_says_by_grpc() {
    is_received("grpc");
}

#[test]
fn findings_of_a_program_that_ends_are_told_to_be_over() {
    let scratch = Scratch::new("otlp-ends");
    let Some(collector) = Collector::start(&scratch) else {
        return skip("otelcol was not built: cargo xtask servers");
    };
    let target = Target::start(GO, "exe", "demo").expect("target");
    let endpoint = format!("http://{}", collector.http);
    let logs = collector.logs.clone();
    let mut agent = Command::new(agent::binary().expect("agent"))
        .args(["monitor", "--pid", &target.pid().to_string(), "--interval", "300ms"])
        .args(["--probes", "off", "--otlp-endpoint", &endpoint])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    while !fs::read_to_string(&logs).is_ok_and(|text| text.contains("finding.appeared")) {
        assert!(agent.try_wait().expect("a child").is_none(), "it ended");
        thread::sleep(Duration::from_millis(100));
    }
    drop(target);
    agent.wait().expect("it ends");
    let logged = collector.end("resourceLogs");
    let records = logged.iter().flat_map(|part| part["scopeLogs"][0]["logRecords"].as_array());
    let mut open = BTreeMap::new();
    for record in records.flatten() {
        let id = attributes(record)["leak_agent.finding.id"].clone();
        match record["eventName"].as_str().expect("a name") {
            "leak_agent.finding.ended" => {
                assert_eq!(record["severityNumber"], 9);
                assert!(open.remove(&id).is_some(), "{id} ended that was not there");
            }
            _ => drop(open.insert(id, ())),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// As far as it is counted: which parts a request has.
#[derive(prost::Message)]
struct Export {
    #[prost(bytes = "vec", repeated, tag = "1")]
    parts: Vec<Vec<u8>>,
}

/// The answer of a server that has taken a part.
fn partial(rejected: u8, why: &str) -> Vec<u8> {
    let text = [&[0x08, rejected, 0x12, why.len() as u8], why.as_bytes()].concat();
    [&[0x0a, text.len() as u8], &text[..]].concat()
}

#[test]
fn an_outage_loses_nothing_and_what_is_taken_in_part_is_not_sent_again() {
    let metrics = AtomicUsize::new(0);
    let store = Replay::start(move |_, request| {
        let is_metrics = request.head.starts_with("POST /otel/v1/metrics");
        let number = if is_metrics { metrics.fetch_add(1, Ordering::Relaxed) } else { usize::MAX };
        match number {
            0 | 1 => ("503 Service Unavailable", "text/plain", b"starting up".to_vec()),
            3 => ("200 OK", "application/x-protobuf", partial(2, "too old")),
            _ => ("200 OK", "application/x-protobuf", Vec::new()),
        }
    });
    let store = store.expect("a server");
    let endpoint = format!("http://{}/otel/", store.address);
    let target = Target::start(GO, "exe", "demo").expect("target");
    let flags = ["--otlp-endpoint", &endpoint, "--otlp-header", "X-Scope-OrgID: acme"];
    let (output, _) = monitored(target, &flags, &[("OTEL_EXPORTER_OTLP_HEADERS", "a=b")]);
    let stderr = said(&output);
    let heard = store.heard();
    let of = |path: &str| heard.iter().filter(|it| it.head.starts_with(path)).collect::<Vec<_>>();
    let sent = of("POST /otel/v1/metrics");
    for request in &sent {
        let head = request.head.to_ascii_lowercase();
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        assert!(head.contains("x-scope-orgid: acme") && !head.contains("\na: b"), "{head}");
        assert_eq!(Export::decode(&*request.body).expect("OTLP").parts.len(), 1);
    }
    // What was not taken is sent again as it was, and before all that came later.
    assert!(sent[0].body == sent[1].body && sent[1].body == sent[2].body);
    assert!(sent[2].body != sent[3].body && sent[3].body != sent[4].body);
    assert!(!of("POST /otel/v1/logs").is_empty());
    assert!(stderr.contains("OTLP takes no batches of metrics, and is tried again"), "{stderr}");
    assert!(stderr.contains("OTLP takes batches of metrics again; none was lost"), "{stderr}");
    assert!(stderr.contains("2 data points: too old"), "{stderr}");
    let pushed = format!("OTLP: {} batches of metrics pushed, 1 refused", sent.len() - 3);
    assert!(stderr.contains(&pushed), "{pushed} {stderr}");
}

#[test]
fn what_cannot_be_sent_to_is_said_before_time_is_spent() {
    for (flags, named) in [
        (&["--otlp-endpoint", "ftp://x"][..], "--otlp-endpoint"),
        (&["--otlp-endpoint", "x:1", "--otlp-protocol", "http/json"], "http/protobuf or grpc"),
    ] {
        let mut command = Command::new(agent::binary().expect("agent"));
        let output = command.args(["monitor", "--pid", "1"]).args(flags).output().expect("agent");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(named), "{}", said(&output));
    }
}

#[test]
fn what_is_wrong_in_opentelemetrys_variables_is_told_and_stops_nothing() {
    let target = Target::start(GO, "exe", "demo").expect("target");
    let mut command = Command::new(agent::binary().expect("agent"));
    command.args(["monitor", "--pid", &target.pid().to_string(), "--duration", "1s"]);
    command.args(["--probes", "off"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "://");
    let output = command.output().expect("agent");
    let stderr = said(&output);
    assert!(stderr.contains("warning: OTEL_EXPORTER_OTLP_ENDPOINT: "), "{stderr}");
    assert_ne!(output.status.code(), Some(2), "{stderr}");
    assert!(!stderr.contains("OTLP: "), "{stderr}");
}
