//! The binary as a user meets it: output, exit codes, and what it says to bad input.
#![allow(clippy::expect_used)]

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::{env, fs};

use leak_agent_tests::{Scratch, Target, agent, target};
use serde_json::Value;

const GO: &str = "1.26.6";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// Runs the agent, which must end in this code, never in a panic.
fn run(args: &[&str], code: i32) -> (String, String) {
    ended(agent::run(args).expect("agent"), args, code)
}

fn ended(output: Output, args: &[&str], code: i32) -> (String, String) {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    (stdout, stderr)
}

/// Among its goroutines some wait for ever, on nil channels and in an empty select: findings.
fn states() -> Target {
    Target::start(GO, "exe", "states").expect("target")
}

/// A process that is not Go, ended with the test.
struct Other(Child);

impl Other {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().expect("sleep"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_limit_of_file_size_is_an_error_and_leaves_nothing_behind() {
    let (target, scratch) = (states(), Scratch::new("cli-size"));
    let report = scratch.0.join("report.html");
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -f 1 && exec \"$@\"", "sh"])
        .arg(agent::binary().expect("agent"))
        .args(["check", "--format", "html", "--pid", &target.pid().to_string(), "--output"])
        .arg(&report)
        .output()
        .expect("a shell");
    let (_, stderr) = ended(output, &["check"], 4);
    assert!(stderr.contains("cannot write the report") && stderr.contains("too large"), "{stderr}");
    assert_eq!(fs::read_dir(&scratch.0).expect("a folder").count(), 0);
}

#[test]
fn a_closed_pipe_keeps_the_exit_code_of_the_verdict() {
    let target = states();
    let pid = target.pid().to_string();
    for (redirect, args) in [
        ("", &["check"][..]),
        ("", &["check", "--format", "json"]),
        ("2>&1", &["analyze", "--duration", "1s"]),
        ("", &["monitor", "--interval", "100ms", "--duration", "1s"]),
        ("", &["--interval", "100ms", "--duration", "1s"]),
    ] {
        // What reads the pipe is gone before the agent starts.
        let script = format!("exec 3>&1; {{ sleep 0.3; \"$@\" {redirect}; echo $? >&3; }} | true");
        let output = Command::new("/bin/sh")
            .args(["-c", &script, "sh"])
            .arg(agent::binary().expect("agent"))
            .args(args)
            .args(["--pid", &pid])
            .output()
            .expect("a shell");
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(stdout, "1\n", "{args:?}: {stderr}");
        assert!(!stderr.contains("error"), "{args:?}: {stderr}");
    }
}

#[test]
fn what_cannot_be_written_is_said_before_time_is_spent() {
    let (target, scratch) = (states(), Scratch::new("cli-first"));
    let pid = target.pid().to_string();
    let file = scratch.0.join("file");
    fs::write(&file, "kept").expect("written");
    let (file, folder) = (file.to_str().expect("text"), scratch.0.to_str().expect("text"));
    for (flag, path) in [
        ("--output", "/no/such/folder/report"),
        ("--output", folder),
        ("--reports", file),
        ("--save", file),
    ] {
        // It would not end for a day.
        let (stdout, stderr) = run(&["analyze", "--duration", "24h", "--pid", &pid, flag, path], 4);
        assert!(stdout.is_empty() && stderr.contains(path), "{flag}: {stdout}{stderr}");
    }
    // Nor does trying touch what is there.
    run(&["check", "--pid", "4194305", "--output", file], 3);
    assert_eq!(fs::read_to_string(file).expect("still there"), "kept");
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 1);
    run(&["report", "--input", "/no/such/folder"], 2);
}

#[test]
fn list_names_go_processes_only() {
    let (target, other) = (states(), Other::start());
    let (stdout, _) = run(&["--list"], 0);
    let line = |pid: u32| {
        let pid = pid.to_string();
        stdout
            .lines()
            .find(|line| line.split_whitespace().any(|word| word == pid))
            .map(str::to_owned)
    };
    let listed = line(target.pid()).expect("the target is listed");
    assert!(listed.contains("states") && listed.contains("go1.26.6"), "{listed}");
    assert_eq!(line(other.0.id()), None, "{stdout}");
}

#[test]
fn check_prints_one_json_document() {
    let mut target = states();
    let pid = target.pid().to_string();
    let (stdout, _) = run(&["check", "--pid", &pid, "--format", "json"], 1);
    let report: Value = serde_json::from_str(&stdout).expect("one JSON document");
    assert_eq!(report["schema"], "leak-agent/report/v1");
    assert_eq!(report["target"]["pid"], target.pid());
    assert_eq!(report["target"]["go_version"], "go1.26.6");
    let findings = report["findings"].as_array().expect("findings").iter();
    let lines: Vec<_> = findings.map(|finding| &finding["blocked_at"]["function"]).collect();
    for function in ["main.receiveNil", "main.sendNil", "main.emptySelect"] {
        assert!(lines.iter().any(|&line| line == function), "{function}: {lines:?}");
    }
    let groups = report["groups"].as_array().expect("groups");
    let sum: u64 = groups.iter().filter_map(|group| group["count"].as_u64()).sum();
    assert_eq!(Some(sum), report["totals"]["goroutines"].as_u64());
    assert!(sum >= target.dump().expect("dump").goroutines.len() as u64);
    let by_wait = report["totals"]["by_wait"].as_object().expect("by_wait");
    assert_eq!(by_wait.values().filter_map(Value::as_u64).sum::<u64>(), sum);

    let senders = groups
        .iter()
        .find(|group| group["blocked_at"]["function"] == "main.sendUnbuffered")
        .expect("the group of senders");
    assert_eq!(senders["count"], 3);
    assert_eq!(senders["wait_class"], "chan send");
    assert_eq!(senders["created_by"]["function"], "main.startChannels");
    assert!(
        senders["blocked_at"]["file"].as_str().is_some_and(|f| f.ends_with("/states/channels.go"))
    );
    assert!(senders["stack"].as_array().is_some_and(|stack| stack.len() >= 3));
    assert!(senders["goids_sample"].as_array().is_some_and(|goids| goids.len() == 3));
}

#[test]
fn check_is_readable_without_a_terminal() {
    let target = states();
    let (stdout, _) = run(&["check", "--groups", "--pid", &target.pid().to_string()], 1);
    assert!(stdout.contains("main.sendUnbuffered"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "colours where there is no terminal: {stdout:?}");
}

#[test]
fn a_deleted_binary_is_still_read() {
    let scratch = Scratch::new("cli-deleted");
    let copy = scratch.0.join("gone");
    fs::copy(target::path(GO, "stripped", "states").expect("target"), &copy).expect("copy");
    let target = Target::start_at(copy.clone(), &[] as &[&str]).expect("target");
    fs::remove_file(&copy).expect("remove");
    let (stdout, _) = run(&["check", "--groups", "--pid", &target.pid().to_string()], 1);
    assert!(stdout.contains("main.sendUnbuffered"), "{stdout}");
}

#[test]
fn a_replaced_binary_is_read_as_it_was() {
    let scratch = Scratch::new("cli-replaced");
    let copy = scratch.0.join("states");
    fs::copy(target::path(GO, "exe", "states").expect("target"), &copy).expect("copy");
    let target = Target::start_at(copy.clone(), &[] as &[&str]).expect("target");
    fs::remove_file(&copy).expect("remove");
    fs::write(&copy, b"\x7fELF and then nothing of the kind").expect("write");
    let (stdout, _) = run(&["check", "--groups", "--pid", &target.pid().to_string()], 1);
    assert!(stdout.contains("main.sendUnbuffered"), "{stdout}");
}

#[test]
fn no_such_process() {
    // One above the largest pid that Linux gives out.
    let (stdout, stderr) = run(&["check", "--pid", "4194305"], 3);
    assert!(stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("4194305"), "{stderr}");
}

#[test]
fn a_process_that_is_not_go() {
    let other = Other::start();
    let (_, stderr) = run(&["check", "--pid", &other.0.id().to_string()], 3);
    assert!(stderr.contains("Go"), "{stderr}");
}

#[test]
fn a_process_that_is_dead_already() {
    let mut child = Command::new("true").spawn().expect("true");
    let pid = child.id().to_string();
    // Not waited for: it stays as a zombie until it is.
    while !fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat").contains(") Z ") {}
    let (_, stderr) = run(&["check", "--pid", &pid], 3);
    assert!(stderr.contains(&pid), "{stderr}");
    child.wait().expect("wait");
}

#[test]
fn a_kernel_thread() {
    if fs::read_to_string("/proc/2/comm").ok().as_deref() != Some("kthreadd\n") {
        leak_agent_tests::skip("pid 2 is no kernel thread here (a container?)");
        return;
    }
    let (_, stderr) = run(&["check", "--pid", "2"], 3);
    assert!(stderr.contains("kernel"), "{stderr}");
}

#[test]
fn usage_errors() {
    for args in [
        &["check", "--pid", "abc"][..],
        &["check", "--pid", "-1"],
        &["check", "--pid", "99999999999999999999"],
        &["check", "--pid"],
        &["check"],
        &["no-such-command"],
        &["--no-such-flag"],
        &["check", "--pid", "1", "--format", "no-such-format"],
    ] {
        let (stdout, stderr) = run(args, 2);
        assert!(stdout.is_empty(), "{args:?}: {stdout}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn what_a_command_cannot_honour_is_refused_before_anything_is_done() {
    for (args, said) in [
        (&["check", "--pid", "4194305", "--interval", "5s"][..], "check does not take --interval"),
        (&["--pid", "4194305", "--duration", "5s", "check"], "check does not take --duration"),
        (&["compare", "--pid", "4194305", "--format", "html"], "[possible values: terminal, json]"),
        (&["--format", "html", "compare", "--pid", "4194305"], "compare is not written as html"),
        (&["filter", "--func", "x", "--probes", "all"], "filter does not take --probes"),
        (&["report", "--pid", "4194305"], "report does not take --pid"),
        (&["doctor", "--fail-on", "low"], "doctor does not take --fail-on"),
        (&["--list", "--reports", "/no/such"], "--list does not take --reports"),
        (&["analyze", "--input", "/no/such", "--interval", "1s"], "nothing with --input"),
        (&["compare", "--before", "a", "--after", "b", "--save", "c"], "nothing with --before"),
        (&["compare", "--after", "b"], "--after needs --before"),
        (
            &["analyze", "--pid", "4194305", "--interval", "auto"],
            "--interval auto needs the command monitor",
        ),
    ] {
        let (stdout, stderr) = run(args, 2);
        assert!(stdout.is_empty() && stderr.contains(said), "{args:?}: {stdout}{stderr}");
    }
}

#[test]
fn variables_are_for_the_commands_that_take_them_and_are_named_when_they_are_wrong() {
    let target = states();
    let pid = target.pid().to_string();
    let with = |args: &[&str], code| {
        let mut command = Command::new(agent::binary().expect("agent"));
        command.args(args).env("LEAK_AGENT_INTERVAL", "soon").env("LEAK_AGENT_PID", &pid);
        ended(command.output().expect("agent"), args, code)
    };
    with(&["check"], 1);
    let (_, stderr) = with(&["monitor", "--duration", "1s"], 2);
    let said = "error: LEAK_AGENT_INTERVAL: interval: \"soon\": a time is written like";
    assert!(stderr.starts_with(said), "{stderr}");
}

#[test]
fn a_pattern_file_that_vanishes_while_watching_costs_nothing() {
    let (target, scratch) = (states(), Scratch::new("cli-patterns"));
    let (patterns, output) = (scratch.0.join("patterns"), scratch.0.join("report.json"));
    fs::write(&patterns, "safe main.receiveNil # by design\n").expect("written");
    let mut agent = Command::new(agent::binary().expect("agent"))
        .args(["analyze", "--interval", "200ms", "--duration", "2s", "--format", "json"])
        .args(["--pid", &target.pid().to_string(), "--patterns-file"])
        .arg(&patterns)
        .arg("--output")
        .arg(&output)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agent");
    // Its first line says that it has attached.
    let mut stderr = std::io::BufReader::new(agent.stderr.take().expect("stderr"));
    std::io::BufRead::read_line(&mut stderr, &mut String::new()).expect("a line");
    fs::remove_file(&patterns).expect("it is there");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut rest).expect("UTF-8");
    assert_eq!(agent.wait().expect("agent").code(), Some(1), "{rest}");
    let report = fs::read(&output).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert!(report["idle"].to_string().contains("by design"), "{rest}");
}

#[test]
fn completions_and_the_manual_page_know_every_command() {
    for (args, of) in [
        (&["completions", "bash"][..], "complete -F"),
        (&["completions", "zsh"], "#compdef leak-agent"),
        (&["completions", "fish"], "complete -c leak-agent"),
        (&["man"], ".TH leak-agent"),
    ] {
        let (stdout, stderr) = run(args, 0);
        assert!(stdout.contains(of) && stdout.contains("analyze"), "{args:?}: {stderr}");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    let _ = fs::remove_dir_all(&folder);
    run(&["man", folder.to_str().expect("a path of text")], 0);
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect("a page");
    assert!(page("leak-agent.1").contains("leak\\-agent\\-check(1)"), "{}", page("leak-agent.1"));
    let check = page("leak-agent-check.1");
    // What a command does not take, its page does not show.
    assert!(check.contains("fail\\-on") && !check.contains("\\-\\-duration"), "{check}");
}

#[test]
fn a_target_that_exits_ends_the_watch_with_a_report() {
    let target = states();
    let mut agent = Command::new(agent::binary().expect("agent"))
        .args(["--groups", "--pid", &target.pid().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agent");
    // Its first line says that it has attached.
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(agent.stdout.take().expect("stdout"));
    std::io::BufRead::read_line(&mut stdout, &mut first).expect("a line");
    assert!(!first.is_empty(), "the watch ended at once");
    drop(target);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).expect("UTF-8");
    let (_, stderr) = ended(agent.wait_with_output().expect("wait"), &["--pid"], 1);
    assert!(rest.contains("main.sendUnbuffered"), "{first}{rest}{stderr}");
}

#[test]
fn no_permission_names_what_is_missing() {
    if fs::metadata("/proc/self").map(|meta| std::os::unix::fs::MetadataExt::uid(&meta)).ok()
        != Some(0)
    {
        leak_agent_tests::skip("only root can start a target that another user may not read");
        return;
    }
    let target = states();
    // Where this test was built, others may not look.
    let scratch = Scratch::new("cli-nobody");
    let copy = scratch.0.join("leak-agent");
    fs::copy(agent::binary().expect("agent"), &copy).expect("copy");
    let pid = target.pid().to_string();
    let mut command = Command::new(&copy);
    command.args(["check", "--pid", &pid]).current_dir("/").uid(65534).gid(65534);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = target::start(&mut command).expect("agent");
    let output = child.wait_with_output().expect("agent");
    let (_, stderr) = ended(output, &["check as nobody"], 3);
    assert!(stderr.contains("CAP_SYS_PTRACE") && stderr.contains("sudo"), "{stderr}");
}
