//! `[[response]]`: what is done when a finding reaches a level, by a process of the agent's own.
#![allow(clippy::expect_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use leak_agent_tests::{Scratch, Target, agent, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getuid};
use serde_json::Value;

const GO: &str = "1.26.6";

/// A monitor of a leaking program by a configuration of responses, with a folder that everybody may use.
struct Monitored {
    scratch: Scratch,
    target: Target,
    agent: Child,
}

impl Monitored {
    /// `{dir}` in the configuration is the folder.
    fn start(name: &str, responses: &str) -> Self {
        let scratch = Scratch::new(name);
        let dir = Path::new(&scratch.file("x")).parent().expect("a folder").to_owned();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).expect("its own folder");
        let target = Target::start(GO, "exe", "demo").expect("target");
        let agent = Self::agent(&scratch, &dir, &target, responses);
        Self { scratch, target, agent }
    }

    fn agent(scratch: &Scratch, dir: &Path, target: &Target, responses: &str) -> Child {
        let config = configuration(scratch, dir, responses);
        let said = fs::File::create(scratch.file("said")).expect("a file");
        // With a descriptor that is not meant for what the agent starts.
        Command::new("/bin/sh")
            .args(["-c", "exec 9</dev/null; exec \"$0\" \"$@\""])
            .arg(agent::binary().expect("agent"))
            .args(["monitor", "--pid", &target.pid().to_string(), "--interval", "300ms"])
            .args(["--probes", "off", "--config", &config])
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("it starts")
    }

    /// Another agent in place of the one that there was.
    fn restart(&mut self, responses: &str) {
        self.end();
        let dir = self.path("");
        self.agent = Self::agent(&self.scratch, Path::new(&dir), &self.target, responses);
    }

    fn path(&self, name: &str) -> String {
        self.scratch.file(name).trim_end_matches('/').to_owned()
    }

    /// What the log has of what was done, as soon as it is like this.
    fn log(&mut self, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let mut entries = entries(&self.path("state/responses/audit.jsonl"));
            entries.retain(|entry| entry["ok"] != Value::Null);
            if is(&entries) {
                return entries;
            }
            assert!(self.agent.try_wait().expect("a child").is_none(), "{}", self.said());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    /// Processes that the agent has started.
    fn children(&self) -> Vec<i32> {
        let pid = self.agent.id();
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        list.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    fn runner(&self) -> Option<i32> {
        let is_it = |pid: &i32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|it| it == "leak-agent-act\n")
        };
        self.children().into_iter().find(is_it)
    }

    fn end(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.agent.id()).expect("a pid"));
        _ = kill(pid, Signal::SIGINT);
        self.agent.wait().expect("it ends");
    }
}

/// A configuration file; `{dir}` in it is the folder.
fn configuration(scratch: &Scratch, dir: &Path, responses: &str) -> String {
    let dir = dir.to_str().expect("text");
    let text = format!("state = \"{dir}/state\"\n{}", responses.replace("{dir}", dir));
    scratch.write("config.toml", &text)
}

/// All lines of a log.
fn entries(log: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

impl Drop for Monitored {
    fn drop(&mut self) {
        _ = self.agent.kill();
        _ = self.agent.wait();
    }
}

#[test]
fn evidence_is_kept_and_a_command_reads_the_findings_as_its_own_user() {
    if !getuid().is_root() {
        return skip("only root can have another user run a command");
    }
    let responses = "[[response]]\nname = \"all\"\nseverity = \"low\"\nverdict = \"suspect\"\n\
        keep = [\"snapshot\", \"html\", \"pprof\", \"dump\"]\nuser = \"nobody\"\ndry-run = false\n\
        command = [\"/bin/sh\", \"-c\", \"cat > {dir}/heard; id -un; id -G; grep SigBlk /proc/self/status; \
        for fd in /proc/self/fd/*; do echo fd${fd##*/}; done\"]\n";
    let mut monitored = Monitored::start("responses-all", responses);
    let log = monitored.log(|entries| entries.len() >= 2);
    let [kept, ran] = &log[..2] else { panic!("two") };
    assert_eq!((&kept["action"], &ran["action"]), (&"keep".into(), &"command".into()));
    assert!(kept["ok"] == true && ran["ok"] == true, "{log:#?}");
    let result = ran["result"].as_str().expect("a text");
    assert!(result.contains("has ended well: nobody"), "{result}");
    // Not the agent's groups, descriptors, and signals that are blocked.
    assert!(!result.contains("nobody 0") && !result.contains("fd9"), "{result}");
    assert!(result.contains("fd2") && result.contains("0000000000000000"), "{result}");
    let heard = fs::read_to_string(monitored.path("heard")).expect("the command wrote it");
    let heard: Value = serde_json::from_str(&heard).expect("JSON");
    assert_eq!((&heard["schema"], &heard["alert"]), (&"leak-agent/alert/v1".into(), &"all".into()));
    assert_eq!(heard["target"]["pid"], monitored.target.pid());
    let told = &heard["events"][0]["finding"];
    assert_eq!(told["id"], ran["findings"][0]);
    let files: Vec<&str> =
        kept["result"].as_str().expect("a text")["kept ".len()..].split(", ").collect();
    let ends = [".json", ".html", ".pb.gz", ".txt"];
    assert_eq!(files.len(), 4);
    for (file, end) in files.iter().zip(ends) {
        assert!(file.ends_with(end) && fs::metadata(file).is_ok_and(|it| it.len() > 100), "{file}");
        let mode = |path: &Path| fs::metadata(path).expect("kept").permissions().mode() & 0o777;
        let folder = Path::new(file).parent().expect("a folder");
        assert!(folder.ends_with("responses/evidence/all"), "{file}");
        assert_eq!((mode(Path::new(file)), mode(folder)), (0o600, 0o700), "{file}");
    }
    let report: Value =
        serde_json::from_str(&fs::read_to_string(files[0]).expect("kept")).expect("JSON");
    let has = |finding: &Value| finding["id"] == told["id"];
    assert!(report["findings"].as_array().is_some_and(|all| all.iter().any(has)), "{report:#}");
    monitored.end();
}

#[test]
fn the_process_that_acts_has_no_more_than_it_needs_and_ends_with_the_agent() {
    if !getuid().is_root() {
        return skip("an ordinary user has nothing to give up");
    }
    let responses = "[[response]]\nname = \"slow\"\nseverity = \"low\"\nverdict = \"suspect\"\n\
        signal = \"WINCH\"\ncommand = [\"/bin/sleep\", \"1000\"]\nuser = \"root\"\ntimeout = \"10m\"\ndry-run = false\n\
        [[response]]\nname = \"dry\"\ncommand = [\"/bin/true\"]\nuser = \"nobody\"\n";
    let mut monitored = Monitored::start("responses-least", responses);
    let command = loop {
        let runner = monitored.runner().map(|pid| format!("/proc/{pid}/task/{pid}/children"));
        let list = runner.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        if let Some(pid) = list.split_whitespace().next() {
            break pid.to_owned();
        }
        assert!(monitored.agent.try_wait().expect("a child").is_none(), "{}", monitored.said());
        thread::sleep(Duration::from_millis(50));
    };
    let runner = monitored.runner().expect("it runs");
    let status = fs::read_to_string(format!("/proc/{runner}/status")).expect("it runs");
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).trim().to_owned()
    };
    // To send signals; no command becomes anybody else.
    assert_eq!((line("CapEff:"), line("NoNewPrivs:")), ("0000000000000020".into(), "1".into()));
    // A signal that the agent's own terminal or service manager would send.
    kill(Pid::from_raw(runner), Signal::SIGTERM).expect("it runs");
    monitored.agent.kill().expect("it runs");
    monitored.agent.wait().expect("it ends");
    for pid in [runner.to_string(), command] {
        while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|it| !it.contains(") Z ")) {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn what_fails_or_takes_too_long_is_said_and_nothing_is_done_twice() {
    let response = |name: &str, command: &str, more: &str| {
        format!(
            "[[response]]\nname = \"{name}\"\nseverity = \"low\"\nverdict = \"suspect\"\ndry-run = false\n\
             command = [\"/bin/sh\", \"-c\", \"{command}\"]\n{more}\n"
        )
    };
    let responses = [
        response("fails", "echo oh no >&2; exit 3", ""),
        response("slow", "echo here; sleep 1000 & sleep 1000", "timeout = \"300ms\""),
        response("leaves", "echo first; sleep 1000 & echo $! last", ""),
        response(
            "strays",
            "echo first; setsid sh -c 'echo $$ last; sleep 1000; true' & sleep 0.3",
            "",
        ),
        response("deaf", "exec <&-; head -c 1000000 /dev/zero | tr '\\\\0' x", ""),
    ]
    .concat();
    let mut monitored = Monitored::start("responses-fail", &responses);
    let log = monitored.log(|entries| entries.len() >= 5);
    let of = |name: &str| log.iter().find(|entry| entry["response"] == name).expect(name);
    let result = |name: &str| of(name)["result"].as_str().expect("a text").to_owned();
    assert_eq!(result("fails"), "/bin/sh has ended with status 3: oh no");
    assert_eq!(result("slow"), "/bin/sh took too long and was killed: here");
    assert!(result("deaf").starts_with("/bin/sh has ended well: xxx"), "{}", result("deaf"));
    // What it wrote last is there, and who would have gone on is not.
    for name in ["leaves", "strays"] {
        let left = result(name);
        let left = left.strip_prefix("/bin/sh has ended well: first").expect("its output").trim();
        let pid = left.strip_suffix(" last").expect("all of it");
        let state = fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(
            state.is_ok_and(|it| it.contains(") Z ")) || !Path::new("/proc").join(pid).exists()
        );
    }
    assert_eq!((&of("fails")["ok"], &of("deaf")["ok"]), (&false.into(), &true.into()));
    assert!(monitored.said().contains("warning: response fails: "), "{}", monitored.said());
    // Another agent finds the same, within the pause.
    monitored.restart(&responses);
    let log =
        monitored.log(|entries| entries.iter().filter(|it| it["action"] == "none").count() >= 5);
    assert_eq!(log.iter().filter(|entry| entry["action"] == "command").count(), 5, "{log:#?}");
    monitored.end();
}

#[test]
fn a_dry_run_only_says_what_would_be_done_and_starts_nobody() {
    let responses = "[[response]]\nname = \"dry\"\nseverity = \"low\"\nverdict = \"suspect\"\nsignal = \"KILL\"\n\
        keep = \"dump\"\ncommand = [\"/bin/sh\", \"-c\", \"touch {dir}/touched\"]\n";
    let mut monitored = Monitored::start("responses-dry", responses);
    let log = monitored.log(|entries| entries.len() >= 3);
    assert!(log.iter().all(|entry| entry["dry_run"] == true), "{log:#?}");
    assert!(log[2]["result"] == "would send SIGKILL", "{log:#?}");
    assert_eq!(monitored.runner(), None);
    assert!(!Path::new(&monitored.path("touched")).exists());
    assert!(!Path::new(&monitored.path("state/responses/evidence")).exists());
    assert!(monitored.said().contains("response dry: a dry run"), "{}", monitored.said());
    assert_eq!(monitored.target.ended().expect("its state"), None);
    monitored.end();
}

#[test]
fn a_signal_reaches_the_program_itself() {
    let responses = "[[response]]\nname = \"end\"\nseverity = \"low\"\nverdict = \"suspect\"\nsignal = \"SIGKILL\"\n\
        dry-run = false\n";
    let mut monitored = Monitored::start("responses-signal", responses);
    while monitored.target.ended().expect("its state").is_none() {
        thread::sleep(Duration::from_millis(50));
    }
    monitored.agent.wait().expect("it ends");
    let text = fs::read_to_string(monitored.path("state/responses/audit.jsonl")).expect("a log");
    assert!(text.contains("SIGKILL was sent"), "{text}");
}

#[test]
fn a_recording_is_kept_of_but_nothing_is_done_to_who_has_the_id_now() {
    let scratch = Scratch::new("responses-recording");
    let dir = Path::new(&scratch.file("x")).parent().expect("a folder").to_owned();
    let mut target = Target::start(GO, "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let monitor = |args: &[&str]| agent::run(&[&["monitor"], args].concat()).expect("agent");
    let time = ["--interval", "300ms", "--duration", "8s", "--probes", "off"];
    let responses = "[[response]]\nname = \"end\"\nseverity = \"low\"\nverdict = \"suspect\"\nsignal = \"KILL\"\n\
        keep = \"dump\"\ncommand = [\"/bin/sh\", \"-c\", \"touch {dir}/touched\"]\ndry-run = false\n";
    let config = configuration(&scratch, &dir, responses);
    // Where the machine was too busy for the target to run, nothing is found in what was recorded.
    let mut log = Vec::new();
    for attempt in 0..10 {
        let recording = scratch.file(&format!("recording-{attempt}"));
        monitor(&[&["--pid", &pid, "--save", &recording][..], &time].concat());
        monitor(&["--input", &recording, "--config", &config]);
        log = entries(&scratch.file("state/responses/audit.jsonl"));
        if !log.is_empty() {
            break;
        }
    }
    let done = |action: &str, result: &str| {
        let is_it = |entry: &&Value| entry["action"] == action && entry["ok"] == true;
        let entry = log.iter().find(is_it).unwrap_or_else(|| panic!("{action}: {log:#?}"));
        assert!(entry["result"].as_str().expect("a text").starts_with(result), "{entry:#}");
    };
    done("keep", "kept ");
    done("command", "would run /bin/sh");
    done("signal", "would send SIGKILL");
    assert!(!dir.join("touched").exists());
    assert_eq!(target.ended().expect("its state"), None);
}

#[test]
fn what_cannot_be_logged_is_not_done() {
    if !getuid().is_root() {
        return skip("a command takes the log away");
    }
    let response = |name: &str, command: &str| {
        format!(
            "[[response]]\nname = \"{name}\"\nseverity = \"low\"\nverdict = \"suspect\"\ndry-run = false\n\
             user = \"root\"\ncommand = [\"/bin/sh\", \"-c\", \"{command}\"]\n"
        )
    };
    let takes = "cp {dir}/state/responses/audit.jsonl {dir}/before; rm -r {dir}/state/responses; \
                 touch {dir}/state/responses";
    let responses = [response("takes", takes), response("then", "touch {dir}/touched")].concat();
    let mut monitored = Monitored::start("responses-unlogged", &responses);
    while !monitored.said().contains("did not run /bin/sh: the log cannot be written") {
        assert!(monitored.agent.try_wait().expect("a child").is_none(), "{}", monitored.said());
        thread::sleep(Duration::from_millis(50));
    }
    // Of the first there was a line before it was run.
    let before = entries(&monitored.path("before"));
    let [begun] = &before[..] else { panic!("{before:#?}") };
    assert_eq!((&begun["action"], &begun["ok"]), (&"command".into(), &Value::Null));
    assert!(!Path::new(&monitored.path("touched")).exists());
    monitored.end();
}
