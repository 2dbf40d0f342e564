//! `leak-agent simulate`: what it is told to leak is what the agent finds.
#![allow(clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use leak_agent_tests::agent;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A simulation that runs, until this is dropped.
struct Simulation {
    agent: Child,
    pid: String,
}

impl Simulation {
    fn start(args: &[&str]) -> Self {
        let mut agent = command(args).stderr(Stdio::piped()).spawn().expect("the agent");
        let mut said = BufReader::new(agent.stderr.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("text");
        let pid = line.split(' ').skip_while(|word| *word != "process").nth(1);
        let pid = pid.unwrap_or_else(|| panic!("{args:?}: {line}")).to_owned();
        // Nobody stops for a pipe that is full.
        thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Self { agent, pid }
    }

    /// The report of this long.
    fn report(&self, seconds: &str) -> Value {
        let args = ["analyze", &self.pid, "--duration", seconds, "--format", "json"];
        let output = agent::run(&args).expect("agent");
        serde_json::from_slice(&output.stdout).expect("one JSON document")
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let pid = i32::try_from(self.agent.id()).expect("a pid");
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        let _ = self.agent.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut agent = Command::new(agent::binary().expect("agent"));
    agent.arg("simulate").args(args);
    // The tests' own Go, where there is one.
    agent.args(env::var("GO").iter().flat_map(|go| ["--go", go]));
    agent
}

/// The classes of what is at least likely.
fn likely(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let likely = findings.filter(|finding| finding["verdict"] != "suspect");
    likely.map(|finding| finding["class"].as_str().expect("a class")).collect()
}

#[test]
fn what_it_leaks_is_found_by_its_class() {
    let kinds = [
        ("goroutine", "channel-send"),
        ("mutex", "mutex"),
        ("select", "select"),
        ("context", "context-not-cancelled"),
        ("network", "network-io"),
        ("memory", "heap-growth"),
        ("cycle", "finalizer-cycle"),
    ];
    let one = |(kind, class): (&str, &str)| {
        let args: &[&str] = match class {
            "heap-growth" | "finalizer-cycle" => &["--type", kind, "--growth", "4MiB/s"],
            _ => &["--type", kind, "--rate", "20/s"],
        };
        let simulation = Simulation::start(args);
        let report = simulation.report(if matches!(class, "heap-growth" | "finalizer-cycle") {
            "40s"
        } else {
            "12s"
        });
        assert_eq!(likely(&report), [class], "{kind}: {}", report["findings"]);
    };
    thread::scope(|scope| kinds.into_iter().for_each(|kind| drop(scope.spawn(move || one(kind)))));
}

#[test]
fn what_goes_up_and_down_is_no_leak() {
    let simulation = Simulation::start(&["--pattern", "oscillating", "--rate", "20/s"]);
    assert_eq!(likely(&simulation.report("25s")), Vec::<&str>::new());
}

/// How a quantity goes.
fn trend<'a>(report: &'a Value, quantity: &str) -> &'a Value {
    let trends = report["trends"].as_array().expect("trends");
    let named = trends.iter().find(|trend| trend["quantity"] == quantity);
    named.unwrap_or_else(|| panic!("{quantity}: {trends:#?}"))
}

fn number(of: &Value) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

#[test]
fn a_leak_is_forecast_with_its_threshold_and_how_far_off_that_was() {
    let simulation = Simulation::start(&["--type", "network", "--rate", "10/s"]);
    let report = simulation.report("20s");
    let goroutines = trend(&report, "goroutines");
    assert!(number(&goroutines["per_second"]) > 8.0, "{goroutines:#}");
    let outlook = &goroutines["outlook"];
    let threshold = &outlook["threshold"];
    assert_eq!(threshold["at"], 1_000, "{goroutines:#}");
    let [earliest, likely, latest] =
        ["reached_in_seconds", "reached_in_seconds_likely", "reached_in_seconds_at_most"]
            .map(|key| number(&threshold[key]));
    assert!(earliest <= likely && likely <= latest, "{threshold}");
    let hindsight = &outlook["hindsight"];
    let (foretold, came) = (number(&hindsight["foretold"]["likely"]), number(&hindsight["came"]));
    assert!((foretold - came).abs() < came / 10.0, "{hindsight}");
    // Each of its goroutines holds a connection.
    let of = |relation: &&Value| {
        let both = [&relation["leads"], &relation["follows"]];
        ["goroutines", "descriptors"].iter().all(|one| both.iter().any(|it| *it == one))
    };
    let relations = report["relations"].as_array().expect("relations");
    assert!(relations.iter().any(|it| of(&it)), "{relations:#?} {:#}", report["trends"]);
}

#[test]
fn a_wave_is_told_with_its_period_and_is_no_growth() {
    let simulation = Simulation::start(&["--pattern", "oscillating", "--rate", "20/s"]);
    let report = simulation.report("75s");
    let goroutines = trend(&report, "goroutines");
    let period = number(&goroutines["season"]["period_seconds"]);
    assert!((period - 20.0).abs() < 3.0, "{goroutines:#}");
    assert_eq!(goroutines["no_outlook"], "wave");
    assert_eq!(likely(&report), Vec::<&str>::new());
}

#[test]
fn it_ends_when_its_time_is_over_and_with_whoever_started_it() {
    let status = command(&["--duration", "1s", "--rate", "5"]).status().expect("the agent");
    assert!(status.success(), "{status}");
    let simulation = Simulation::start(&["--type", "busy", "--objects", "1"]);
    let place = format!("/proc/{}/exe", simulation.pid);
    assert!(std::fs::read_link(&place).is_ok());
    drop(simulation);
    assert!(std::fs::read_link(&place).is_err(), "it runs on");
}

#[test]
fn without_a_go_and_of_nonsense_it_says_so() {
    let failed = |args: &[&str], code: i32| {
        let mut agent = Command::new(agent::binary().expect("agent"));
        let output = agent.arg("simulate").args(args).output().expect("the agent");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(failed(&["--go", "/nonexistent/go"], 4).contains("cannot run /nonexistent/go"));
    assert!(failed(&["--go", "/bin/false"], 4).contains("build ended with exit status: 1"));
    assert!(failed(&["--rate", "fast"], 2).contains("a rate is written like 10/s"));
    assert!(failed(&["--type", "file", "--growth", "1MB/s"], 2).contains("only memory and cycle"));
    let cycle = ["--type", "cycle", "--pattern", "oscillating"];
    assert!(failed(&cycle, 2).contains("never freed"));
}
