//! A Go program that starts the agent as its own child (`agent/go/leakagent`), as an ordinary user.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use leak_agent_tests::target::path;
use leak_agent_tests::{Scratch, Target, agent};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// `nobody`: it has no capability.
const NOBODY: u32 = 65534;
/// What has not been said by then never will be.
const SILENCE: Duration = Duration::from_secs(90);

/// A program and what it says of its agent.
struct Embedded {
    target: Target,
    said: Receiver<String>,
    _scratch: Scratch,
}

impl Embedded {
    fn start(version: &str, name: &str, flags: &[&str]) -> Self {
        let scratch = Scratch::new(name);
        let (program, agent) = (scratch.file("embedded"), scratch.file("leak-agent"));
        fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::copy(path(version, "exe", "embedded").expect("the target"), &program).expect("a copy");
        fs::copy(agent::binary().expect("agent"), &agent).expect("a copy");
        let mut command = Command::new(program);
        command.arg(agent).args(flags).uid(NOBODY).gid(NOBODY).stderr(Stdio::piped());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1").env("OWN", "kept");
        let (mut target, (sender, said)) =
            (Target::start_command(&mut command).expect("target"), mpsc::channel());
        let stderr = target.stderr().expect("a pipe");
        thread::spawn(move || {
            // Whoever listens no more wants no more lines.
            BufReader::new(stderr).lines().map_while(Result::ok).all(|it| sender.send(it).is_ok())
        });
        Self { target, said, _scratch: scratch }
    }

    fn says(&self, start: &str) -> String {
        loop {
            let line = self.said.recv_timeout(SILENCE).expect("it says no more");
            if line.starts_with(start) {
                return line;
            }
        }
    }
}

fn agents_of(pid: u32) -> Vec<Pid> {
    let children = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flat_map(|task| {
        let children = task.expect("a task").path().join("children");
        fs::read_to_string(children)
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    children.filter_map(|pid| pid.trim().parse().ok()).map(Pid::from_raw).collect()
}

fn a_program_finds_its_own_leak_without_any_capability(version: &str) {
    let mut embedded =
        Embedded::start(version, &format!("embedded-{version}"), &["--interval", "1s"]);
    let event = embedded.says("EVENT appeared channel-receive");
    assert!(event.ends_with(" main.leak"), "{event}");
    let agents = agents_of(embedded.target.pid());
    let environment = fs::read(format!("/proc/{}/environ", agents[0])).expect("it runs");
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("OWN=kept") && !environment.contains("OTEL_"), "{environment}");
    embedded.target.command("stop").expect("it stops");
    assert_eq!(embedded.says("ENDED"), "ENDED <nil>");
    assert!(embedded.target.command("alive").is_ok(), "it ended with its agent");
}

#[test]
fn a_program_of_go1_21_finds_its_own_leak() {
    a_program_finds_its_own_leak_without_any_capability("1.21.13");
}

#[test]
fn a_program_of_go1_27_finds_its_own_leak() {
    a_program_finds_its_own_leak_without_any_capability("1.27.3");
}

#[test]
fn what_the_agent_cannot_do_the_program_is_told() {
    let embedded = Embedded::start("1.27.3", "embedded-flag", &["--nonsense"]);
    let ended = embedded.says("ENDED");
    assert!(ended.contains("--nonsense"), "{ended}");
    let mut command = Command::new(path("1.27.3", "exe", "embedded").expect("the target"));
    let mut target =
        Target::start_command(command.arg("/nonexistent").stderr(Stdio::null())).expect("target");
    assert!(target.command("alive").is_ok(), "it needs an agent");
}

#[test]
fn neither_takes_the_other_along_and_the_agent_does_not_stay() {
    let mut embedded = Embedded::start("1.27.3", "embedded-end", &["--interval", "1s"]);
    let agents = agents_of(embedded.target.pid());
    assert_eq!(agents.len(), 1, "{agents:?}");
    kill(agents[0], Signal::SIGKILL).expect("it is there");
    let ended = embedded.says("ENDED");
    assert!(ended.contains("killed"), "{ended}");
    assert!(embedded.target.command("alive").is_ok(), "it ended with its agent");

    let embedded = Embedded::start("1.27.3", "embedded-gone", &["--interval", "1s"]);
    let agents = agents_of(embedded.target.pid());
    drop(embedded.target);
    // One that nobody has waited for yet has no command line.
    let is_gone =
        || fs::read(format!("/proc/{}/cmdline", agents[0])).unwrap_or_default().is_empty();
    assert!((0..1000).any(|_| is_gone() || {
        thread::sleep(Duration::from_millis(20));
        false
    }));
}
