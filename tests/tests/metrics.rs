//! The metrics that `monitor` serves and keeps, as Prometheus and its tools read them.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Scratch, Target, agent, dashboards, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const GO: &str = "1.26.6";

/// A monitor of a leaking program, and where its metrics are.
struct Monitored {
    target: Target,
    agent: Child,
    lines: BufReader<ChildStdout>,
    endpoint: Endpoint,
    address: String,
}

impl Monitored {
    fn start(args: &[&str]) -> Self {
        let target = Target::start(GO, "exe", "demo").expect("target");
        let mut agent = Command::new(agent::binary().expect("agent"))
            .args(["monitor", "--pid", &target.pid().to_string(), "--interval", "1s"])
            .args(["--format", "json", "--metrics-listen", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(agent.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.starts_with("leak-agent: metrics: ") && !line.starts_with("metrics: ") {
            line.clear();
            assert!(said.read_line(&mut line).expect("a line") > 0, "it ended");
        }
        // What is said later goes nowhere.
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let url = line.trim().rsplit(' ').next().expect("a URL").to_owned();
        let address = url.trim_start_matches("http://").trim_end_matches("/metrics").to_owned();
        let endpoint = Endpoint::of(&format!("http://{address}/")).expect("a URL");
        let lines = BufReader::new(agent.stdout.take().expect("a pipe"));
        Self { target, agent, lines, endpoint, address }
    }

    /// The next line of monitor's own.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        self.endpoint.read("metrics", &mut text).expect("an answer");
        String::from_utf8(text).expect("UTF-8")
    }

    /// Ctrl-C, and how it ends.
    fn end(mut self) -> std::process::ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.agent.id()).expect("a pid"));
        kill(pid, Signal::SIGINT).expect("it is there");
        thread::spawn(move || std::io::copy(&mut self.lines, &mut std::io::sink()));
        self.agent.wait().expect("it ends")
    }
}

/// Figures by name and those labels that are not the target's.
fn figures(text: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let own = labels.trim_end_matches('}').split("\",").filter(|label| {
            !["host=", "pid=", "service_name=", "container_id=", "pod_uid=", "basis="]
                .iter()
                .any(|name| label.starts_with(name))
        });
        let own: Vec<&str> = own.map(|label| label.trim_end_matches('"')).collect();
        (
            format!("{name} {}", own.join(",")).trim_end().to_owned(),
            value.parse().expect("a number"),
        )
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}

#[test]
fn metrics_are_the_figures_of_the_same_sample() {
    let scratch = Scratch::new("metrics");
    let file = scratch.file("leak_agent.prom");
    let mut monitored = Monitored::start(&["--metrics-file", &file]);
    let mut lines = vec![monitored.line()];
    let mut compared = 0;
    while compared < 5 {
        lines.push(monitored.line());
        let text = monitored.text();
        let figures = figures(&text);
        let samples = figures["leak_agent_samples_total"] as usize;
        // The sink of the metrics may be a sample behind the one of lines, or ahead of it.
        let Some(line) = lines.get(samples - 1) else { continue };
        compared += 1;
        assert_eq!(line["goroutines"], figures["go_goroutines"] as u64, "{line} {text}");
        assert_eq!(line["health"], figures["leak_agent_health"] as u64, "{line} {text}");
        for finding in line["findings"].as_array().expect("findings") {
            let id = finding["id"].as_str().expect("an id");
            let count = figures[&format!("leak_agent_finding_goroutines id=\"{id}")];
            assert_eq!(finding["count"], count as u64, "{line} {text}");
        }
    }
    let waiting: f64 = figures(&monitored.text())
        .iter()
        .filter(|it| it.0.starts_with("leak_agent_goroutines wait_class"))
        .map(|it| it.1)
        .sum();
    assert!(waiting > 40.0, "{waiting}");
    let kept = fs::read_to_string(&file).expect("a file");
    assert!(kept.contains("\ngo_goroutines{") && kept.ends_with('\n'), "{kept}");
    assert!(monitored.end().code().is_some());
}

/// Whether Debian's prometheus is installed.
fn has_prometheus() -> bool {
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    is_there("prometheus") && is_there("promtool")
}

#[test]
fn prometheus_takes_them_and_its_linter_finds_nothing() {
    if !has_prometheus() {
        return skip("prometheus and promtool are not installed");
    }
    let mut monitored = Monitored::start(&[]);
    while monitored.line()["findings"].as_array().is_none_or(Vec::is_empty) {}
    let mut lint = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    lint.stdin.take().expect("a pipe").write_all(monitored.text().as_bytes()).expect("it reads");
    let lint = lint.wait_with_output().expect("it ends");
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));

    let scratch = Scratch::new("prometheus");
    let (config, data) = (scratch.file("prometheus.yml"), scratch.file("data"));
    let scrape = format!(
        "scrape_configs:\n- job_name: x\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  static_configs:\n  - targets: ['{}']\n",
        monitored.address
    );
    fs::write(&config, scrape).expect("it can be written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let mut server = Command::new("prometheus")
        .args([format!("--config.file={config}"), format!("--storage.tsdb.path={data}")])
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus");
    let api = Endpoint::of(&format!("http://{address}/api/v1/")).expect("a URL");
    let ask = |query: &str| -> Option<f64> {
        let mut answer = Vec::new();
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        api.read(&format!("query?query={query}"), &mut answer).ok()?;
        let answer: Value = serde_json::from_slice(&answer).ok()?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    };
    let mut found = None;
    for _ in 0..300 {
        found = ask("leak_agent_findings_likely").filter(|found| *found > 0.0);
        if found.is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let goroutines = ask("go_goroutines");
    let pid = monitored.target.pid();
    // Every panel of a dashboard shows something; of a rule, what it compares is there.
    let chosen = |query: &str| query.replace("$service_name", "demo").replace("$host", ".*");
    let compared = |query: &str| query.split(['<', '>']).next().expect("a part").to_owned();
    let is_rule = |name: &str| dashboards::RULES.iter().any(|rule| rule.alert == name);
    let asked: Vec<_> = dashboards::queries()
        .map(|(name, query)| {
            let query = if is_rule(&name) { compared(query) } else { chosen(query) };
            (name, query)
        })
        .collect();
    let mut unanswered: Vec<_> = asked.iter().collect();
    for _ in 0..200 {
        unanswered.retain(|(_, query)| ask(query).is_none());
        if unanswered.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    let by_service = ask("count(leak_agent_finding_score{service_name=\"demo\"})");
    server.kill().expect("it is there");
    server.wait().expect("it ends");
    assert!(unanswered.is_empty() && asked.len() > 30, "no data: {unanswered:#?}");
    assert_eq!(found, Some(1.0), "{pid}");
    assert!(goroutines.is_some_and(|count| count > 40.0), "{goroutines:?}");
    assert_eq!(by_service, Some(1.0));
    monitored.end();
}

#[test]
fn dashboards_and_rules_name_only_metrics_that_there_are() {
    for (name, query) in dashboards::queries() {
        assert_eq!(dashboards::unknown_metrics(query), [""; 0], "{name}");
    }
    assert_eq!(dashboards::unknown_metrics("sum(go_goroutine) / go_goroutines"), ["go_goroutine"]);
}

#[test]
fn rules_hold_when_they_should_and_not_else() {
    if !has_prometheus() {
        return skip("prometheus and promtool are not installed");
    }
    let scratch = Scratch::new("rules");
    for file in dashboards::files().expect("JSON") {
        if let Some((_, name)) = file.path.split_once("prometheus/") {
            fs::write(scratch.file(name), file.text).expect("it can be written");
        }
    }
    for (what, file) in [("check", "leak-agent.rules.yml"), ("test", "leak-agent.rules.test.yml")] {
        let tool = Command::new("promtool").args([what, "rules", &scratch.file(file)]).output();
        let tool = tool.expect("promtool");
        let said = String::from_utf8_lossy(&tool.stdout).into_owned()
            + &String::from_utf8_lossy(&tool.stderr);
        assert!(tool.status.success() && said.contains("SUCCESS"), "{said}");
    }
}

#[test]
fn what_cannot_be_served_or_kept_is_said_before_time_is_spent() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let target = Target::start(GO, "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    for (flag, value, said) in [
        ("--metrics-listen", address.as_str(), "in use"),
        ("--metrics-listen", "nonsense", "an IP address"),
        ("--metrics-file", "/nonexistent/folder/x.prom", "/nonexistent/folder/x.prom"),
    ] {
        let output = agent::run(&["monitor", "--pid", &pid, flag, value]).expect("agent");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() >= Some(2) && stderr.contains(said), "{flag} {stderr}");
    }
}
