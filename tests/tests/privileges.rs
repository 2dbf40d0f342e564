//! What the agent keeps of its rights, and what it does with few or none: the whole program, as a user starts it.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::host::probes::uprobe_multi;
use leak_agent::host::{Capabilities, Capability};
use leak_agent_tests::code::Code;
use leak_agent_tests::probed::breakpoints;
use leak_agent_tests::{Target, agent, target};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const GO: &str = "1.26.6";

/// This machine's build of the targets.
const MODE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "exe" };

/// Whatever does not come in this time never does.
const PATIENCE: Duration = Duration::from_secs(240);

/// An ordinary user.
const NOBODY: u32 = 65534;

const THREE: [Capability; 3] = [Capability::SysPtrace, Capability::Bpf, Capability::Perfmon];

fn churn() -> Target {
    Target::start(GO, MODE, "churn").expect("target")
}

/// A folder that every user may look into, gone when the test is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("leak-agent-privileges-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("scratch folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        Self(path)
    }

    /// A copy that others may run: where this test was built, they may not look.
    fn copy(&self, from: &Path, name: &str) -> PathBuf {
        let to = self.0.join(name);
        fs::copy(from, &to).expect("copy");
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).expect("permissions");
        to
    }

    fn agent(&self) -> PathBuf {
        self.copy(&agent::binary().expect("agent"), "leak-agent")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Words that start a program as an ordinary user, with these capabilities alone.
fn as_nobody(capabilities: &[Capability]) -> Vec<String> {
    let names = capabilities.iter().map(|it| it.name().trim_start_matches("CAP_").to_lowercase());
    let set = names.fold("-all".to_owned(), |set, name| format!("{set},+{name}"));
    let mut words: Vec<String> = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        &format!("--inh-caps={set}"),
        &format!("--ambient-caps={set}"),
    ]
    .map(str::to_owned)
    .into();
    // File capabilities are cut down to the bounding set.
    if !capabilities.is_empty() {
        words.push(format!("--bounding-set={set}"));
    }
    words
}

fn command(before: &[String], program: &Path, args: &[&str]) -> Command {
    let mut words = before.iter().map(Into::into).chain([program.as_os_str().to_owned()]);
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).args(args).current_dir("/").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> Output {
    target::start(command).expect("start").wait_with_output().expect("output")
}

/// A watching agent that has looked at least once.
struct Watching {
    agent: Child,
    stdout: BufReader<ChildStdout>,
}

impl Watching {
    fn start(mut command: Command) -> Self {
        let mut agent = target::start(&mut command).expect("agent");
        let mut stdout = BufReader::new(agent.stdout.take().expect("stdout"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let mut watching = Self { agent, stdout };
        if line.is_empty() {
            let (_, stderr) = watching.end(None);
            panic!("the watch ended at once: {stderr}");
        }
        watching
    }

    fn pid(&self) -> u32 {
        self.agent.id()
    }

    /// A field of every thread's status; all must have the same.
    fn status(&self, key: &str) -> String {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("tasks");
        let mut values: Vec<String> = tasks
            .map(|task| fs::read_to_string(task.expect("task").path().join("status")))
            .map(|status| value(&status.expect("status"), key))
            .collect();
        assert!(values.len() > 1, "a watching agent has threads");
        values.dedup();
        assert_eq!(values.len(), 1, "{key} differs between threads: {values:?}");
        values.remove(0)
    }

    /// Waits for the agent, after a signal if one is given; gives its exit code and what it said.
    fn end(&mut self, signal: Option<Signal>) -> (Option<i32>, String) {
        if let Some(signal) = signal {
            let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a pid"));
            kill(pid, signal).expect("kill");
        }
        let (mut rest, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).expect("stdout");
        let mut pipe = self.agent.stderr.take().expect("stderr");
        pipe.read_to_string(&mut stderr).expect("stderr");
        assert!(!stderr.contains("panicked"), "{stderr}");
        (self.agent.wait().expect("wait").code(), stderr)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

fn value(status: &str, key: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.expect("the kernel says so").trim().to_owned()
}

fn mask(capabilities: &[Capability]) -> String {
    let mask = capabilities.iter().fold(0_u64, |mask, it| mask | 1 << *it as u8);
    format!("{mask:016x}")
}

/// What the agent of root keeps while it watches.
fn kept_by_root() -> Vec<Capability> {
    let mut kept = THREE.to_vec();
    kept.push(Capability::DacReadSearch);
    if uprobe_multi().is_no() {
        kept.push(Capability::SysAdmin);
    }
    kept
}

fn read(report: &Path) -> Value {
    serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON")
}

/// The state of each probe. In a burst it is attached too: which of the two it is when the report is
/// made hangs on how busy the machine is.
fn states(report: &Value) -> BTreeMap<&str, &str> {
    let probes = report["coverage"]["probes"].as_array().expect("probes");
    let state = |probe: &'_ Value| match probe["state"].as_str().expect("state") {
        "burst" | "attached" => "attached",
        "shed" => "shed",
        _ => "unavailable",
    };
    probes.iter().map(|it| (it["event"].as_str().expect("event"), state(it))).collect()
}

/// Waits until so many of a target's instructions are probed.
fn until_probed(target: &Target, what: &str, is: impl Fn(usize) -> bool) {
    let code = Code::read(target.path()).expect("code");
    let start = Instant::now();
    while !is(breakpoints(target, &code).expect("breakpoints").len()) {
        assert!(start.elapsed() < PATIENCE, "the probes were never {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn root_keeps_what_it_needs_and_everything_works() {
    let mut target = churn();
    let scratch = Scratch::new("root");
    let report = scratch.0.join("report.json");
    let (pid, path) = (target.pid().to_string(), report.to_str().expect("UTF-8"));
    let args = [
        "--pid",
        &pid,
        "--interval",
        "100ms",
        "--budget",
        "5%",
        "--format",
        "json",
        "--output",
        path,
    ];
    let mut watching = Watching::start(command(&[], &agent::binary().expect("agent"), &args));

    let kept = mask(&kept_by_root());
    for set in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(watching.status(set), kept, "{set}");
    }
    for set in ["CapInh", "CapAmb"] {
        assert_eq!(watching.status(set), mask(&[]), "{set}");
    }
    assert_eq!(watching.status("NoNewPrivs"), "1");
    assert_eq!(watching.status("Seccomp"), "2");

    // Attached, shed, and attached again: long after the rights were given up.
    until_probed(&target, "attached", |count| count == 5);
    target.command("start 2").expect("start");
    // Nothing is opened, and no large object allocated, so that these stay.
    until_probed(&target, "shed", |count| count == 2);
    // What was overspent until then is earned back in a moment by a busy target; by one at rest, which
    // earns a hundredth of a tenth of a core, in a minute if the machine was busy.
    thread::sleep(Duration::from_secs(4));
    target.command("stop").expect("stop");
    until_probed(&target, "attached again", |count| count == 5);
    // The next samples see it.
    thread::sleep(Duration::from_millis(500));
    let (code, stderr) = watching.end(Some(Signal::SIGINT));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("warning"), "{stderr}");
    let report = read(&report);
    let events = ["create", "exit", "park", "open", "allocate"];
    let attached = BTreeMap::from(events.map(|event| (event, "attached")));
    assert_eq!(states(&report), attached, "{}", report["coverage"]);
    assert!(report["sites"].as_array().is_some_and(|sites| !sites.is_empty()), "{report}");
}

#[test]
fn what_needs_no_probes_keeps_less() {
    let target = churn();
    let pid = target.pid().to_string();
    let args = ["--pid", &pid, "--probes", "off", "--interval", "100ms"];
    let watching = Watching::start(command(&[], &agent::binary().expect("agent"), &args));
    let kept = mask(&[Capability::SysPtrace, Capability::DacReadSearch]);
    assert_eq!(watching.status("CapEff"), kept);
}

#[test]
fn a_report_goes_into_another_users_folder() {
    let target = churn();
    let scratch = Scratch::new("elsewhere");
    // One folder is somebody's own; in the other each may remove only their own files.
    let (home, shared) = (scratch.0.join("home"), scratch.0.join("shared"));
    for (folder, mode) in [(&home, 0o755), (&shared, 0o1777)] {
        fs::create_dir(folder).expect("folder");
        chown(folder, Some(NOBODY), Some(NOBODY)).expect("chown");
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("permissions");
    }
    for folder in [&home, &shared] {
        let path = folder.join("report.json");
        fs::write(&path, "old").expect("an old report");
        chown(&path, Some(NOBODY), Some(NOBODY)).expect("chown");
        let path = path.to_str().expect("UTF-8");
        let pid = target.pid().to_string();
        let args = ["check", "--pid", &pid, "--format", "json", "--output", path];
        let output = run(&mut command(&[], &agent::binary().expect("agent"), &args));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(read(Path::new(path))["target"]["pid"], target.pid());
        let left = fs::read_dir(folder).expect("folder").count();
        assert_eq!(left, 1, "nothing but the report is left in {}", folder.display());
    }
}

#[test]
fn what_was_given_up_is_refused() {
    let program = Path::new(env!("CARGO_BIN_EXE_refused"));
    let answers = |args: &[&str]| -> BTreeMap<String, i32> {
        let output = run(&mut command(&[], program, args));
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let pairs = text.lines().map(|line| line.rsplit_once(' ').expect("a call and a number"));
        pairs.map(|(call, errno)| (call.to_owned(), errno.parse().expect("a number"))).collect()
    };
    let allowed = ["kill itself with nothing", "setpriority of itself", "getppid", "fork"];
    let (before, after) = (answers(&["all"]), answers(&[]));
    assert!(after.len() > 40, "{after:?}");
    for (call, errno) in &after {
        let is_allowed = allowed.iter().any(|it| call.ends_with(it));
        assert_eq!(*errno, if is_allowed { 0 } else { libc::EPERM }, "{call}");
        // Root may do all of it: it is the agent who refuses.
        assert_ne!(before[call], libc::EPERM, "{call}");
    }
}

#[test]
fn an_ordinary_user_needs_three_capabilities() {
    if !uprobe_multi().is_yes() {
        leak_agent_tests::skip(
            "this kernel has no uprobe_multi, and perf events need CAP_SYS_ADMIN",
        );
        return;
    }
    let scratch = Scratch::new("three");
    probes_with(&as_nobody(&THREE), &scratch.agent());
}

/// A program that gains capabilities from its file is not dumpable: its own files in /proc are root's.
#[test]
fn file_capabilities_do_as_well() {
    if !uprobe_multi().is_yes() {
        leak_agent_tests::skip(
            "this kernel has no uprobe_multi, and perf events need CAP_SYS_ADMIN",
        );
        return;
    }
    let scratch = Scratch::new("file");
    let agent = scratch.agent();
    // The very command that the agent tells people.
    let setcap = Command::new("setcap")
        .arg("cap_bpf,cap_perfmon,cap_sys_ptrace+ep")
        .arg(&agent)
        .output()
        .expect("setcap");
    assert!(setcap.status.success(), "{setcap:?}");
    probes_with(&as_nobody(&[]), &agent);
}

/// Nor do they let whoever may run the agent read files through it that only others may.
#[test]
fn file_capabilities_open_no_file_that_a_flag_names() {
    let scratch = Scratch::new("secret");
    let agent = scratch.agent();
    let setcap = Command::new("setcap")
        .arg("cap_dac_read_search,cap_sys_ptrace+ep")
        .arg(&agent)
        .output()
        .expect("setcap");
    assert!(setcap.status.success(), "{setcap:?}");
    let secret = scratch.0.join("secret");
    fs::write(&secret, "potato\n").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("root's alone");
    let path = secret.to_str().expect("text");
    for flag in ["--config", "--patterns-file", "--baseline"] {
        let args = ["check", "--pid", "1", flag, path];
        let output = run(&mut command(&as_nobody(&[]), &agent, &args));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("Permission denied") && !stderr.contains("potato"), "{stderr}");
    }
}

/// Watches another user's program with three capabilities: everything works.
fn probes_with(before: &[String], agent: &Path) {
    let mut target = churn();
    let pid = target.pid().to_string();
    let args = ["--pid", &pid, "--interval", "100ms", "--format", "json"];
    let mut command = command(before, agent, &args);
    // JSON on standard output sends the lines to standard error.
    command.stderr(Stdio::null());
    let mut child = target::start(&mut command).expect("agent");
    until_probed(&target, "attached", |count| count == 5);
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("status");
    target.command("leak 5").expect("leak");
    thread::sleep(Duration::from_millis(500));
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("kill");
    let mut text = String::new();
    child.stdout.take().expect("stdout").read_to_string(&mut text).expect("UTF-8");
    assert_eq!(child.wait().expect("wait").code(), Some(0));

    assert_eq!(value(&status, "CapEff"), mask(&THREE));
    assert_eq!(value(&status, "Uid").split_whitespace().next(), Some("65534"));
    assert_eq!((value(&status, "NoNewPrivs"), value(&status, "Seccomp")), ("1".into(), "2".into()));
    let report: Value = serde_json::from_str(&text).expect("one JSON document");
    assert!(states(&report).values().all(|state| *state == "attached"), "{}", report["coverage"]);
    let site = report["sites"]
        .as_array()
        .expect("sites")
        .iter()
        .find(|site| site["created_by"]["function"] == "main.twig");
    assert_eq!(site.expect("the creations were seen")["created"], 5);
}

#[test]
fn without_a_capability_ones_own_programs_can_be_looked_at() {
    let scratch = Scratch::new("none");
    let program = scratch.copy(&target::path(GO, MODE, "churn").expect("target"), "churn");
    let mut words = as_nobody(&[]);
    let launcher = PathBuf::from("/usr/bin").join(words.remove(0));
    words.push(program.to_str().expect("UTF-8").to_owned());
    let target = Target::start_inside(launcher, &words).expect("target");
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    if !["", "0"].contains(&scope.trim()) {
        leak_agent_tests::skip(format_args!(
            "Yama lets only CAP_SYS_PTRACE or a parent read (ptrace_scope {})",
            scope.trim()
        ));
        return;
    }
    let pid = target.pid().to_string();
    let args = ["--groups", "--pid", &pid, "--duration", "1s", "--interval", "200ms"];
    let output = run(&mut command(&as_nobody(&[]), &scratch.agent(), &args));
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    assert!(stdout.contains("main.main"), "the snapshot itself: {stdout}");
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = words.matches("setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep").count();
    assert_eq!(said, 1, "what would grant probes is said once: {stdout}\n{stderr}");
    assert!(stdout.contains("snapshots alone"), "{stdout}");
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(!stderr.contains("panicked"), "{stderr}");
    (stdout, stderr)
}

#[test]
fn another_users_program_is_refused_with_what_would_grant_it() {
    let target = churn();
    let scratch = Scratch::new("other");
    let pid = target.pid().to_string();
    let output = run(&mut command(&as_nobody(&[]), &scratch.agent(), &["--pid", &pid]));
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(3), "{stdout}\n{stderr}");
    assert!(stdout.is_empty(), "{stdout}");
    for said in ["uid 65534", "CAP_SYS_PTRACE", "sudo leak-agent --pid"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}

#[test]
fn without_bpf_there_are_snapshots_alone() {
    let mut target = churn();
    target.command("leak 5").expect("leak");
    for (errno, said) in [(libc::ENOSYS, "this kernel has no eBPF"), (libc::EPERM, "setcap")] {
        let before = [env!("CARGO_BIN_EXE_without_bpf").to_owned(), errno.to_string()];
        let pid = target.pid().to_string();
        let args = ["--pid", &pid, "--duration", "1s", "--format", "json"];
        let output = run(&mut command(&before, &agent::binary().expect("agent"), &args));
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("one JSON document");
        let coverage = &report["coverage"];
        assert!(states(&report).values().all(|state| *state == "unavailable"), "{coverage}");
        assert!(coverage["goroutines_read"].as_u64() > Some(5), "{coverage}");
        let reason = coverage["probes"][0]["reason"].as_str().expect("a reason");
        assert!(reason.contains(said), "{errno}: {reason}");
        assert!(coverage["notes"][0].as_str().is_some_and(|note| note.contains("snapshots alone")));
    }
}

#[test]
fn doctor_says_what_is_held_and_what_for() {
    let doctor = |before: &[String], agent: &Path| -> Value {
        let output = run(&mut command(before, agent, &["doctor", "--format", "json"]));
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        serde_json::from_str(&stdout).expect("one JSON document")
    };
    let scratch = Scratch::new("doctor");
    let agent = scratch.agent();

    let root = doctor(&[], &agent);
    let held: Capabilities = kept_by_root().into_iter().collect();
    let privileges = &root["privileges"];
    for (at, capability) in Capability::ALL.into_iter().enumerate() {
        let said = &privileges["capabilities"][at];
        assert_eq!(said["capability"], capability.name());
        assert_eq!(
            (&said["given"], &said["held"]),
            (&Value::Bool(true), &Value::Bool(held.has(capability)))
        );
        assert_eq!(said["why"].is_string(), held.has(capability), "{said}");
    }
    assert_eq!(privileges["others_held"], 0);
    assert!(privileges["others_given_up"].as_u64() > Some(0), "{privileges}");
    assert_eq!(
        (&privileges["no_new_privileges"], &privileges["seccomp"]),
        (&Value::Bool(true), &"filter".into())
    );
    assert_eq!(
        (&privileges["problem"], &root["missing"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );

    let nobody = doctor(&as_nobody(&[]), &agent);
    assert_eq!(nobody["privileges"]["problem"], Value::Null, "{nobody}");
    let commands: Vec<&str> = nobody["missing"]
        .as_array()
        .expect("missing")
        .iter()
        .filter_map(|missing| missing["remedies"].as_array()?.last()?["command"].as_str())
        .collect();
    // By setcap, or in a container by docker.
    let names_bpf = |it: &&str| it.to_lowercase().contains("bpf");
    assert!(commands.iter().any(names_bpf) && commands.len() >= 3, "{commands:?}");
}
