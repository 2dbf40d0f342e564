//! `daemon`: Go programs of this machine as they come and go, told of once, over a restart, within what it may.
#![allow(clippy::expect_used)]

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use leak_agent::report::schema::{AlertDoc, AlertEventKind, DaemonDoc, TargetState};
use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::replay::Replay;
use leak_agent_tests::{Scratch, Target, agent, target};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const GO: &str = "1.26.6";

/// Longer than anything here takes on a slow machine; nothing is told by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A daemon of this test's own programs, which are called by its prefix.
struct Daemon<'s> {
    scratch: &'s Scratch,
    child: Child,
    said: String,
}

impl<'s> Daemon<'s> {
    fn start(scratch: &'s Scratch, run: &str) -> Self {
        Self::start_with(scratch, run, &[])
    }

    fn start_with(scratch: &'s Scratch, run: &str, flags: &[&str]) -> Self {
        let said = scratch.file(&format!("{run}.log"));
        let log = fs::File::create(&said).expect("a file");
        let mut command = Command::new(agent::binary().expect("agent"));
        command.args(["daemon", "--config", &scratch.file("config.toml")]);
        command.args(["--state", &scratch.file("state"), "--off-file", &scratch.file("run/off")]);
        command.args(["--metrics-listen", "0"]).args(flags);
        command.env("NOTIFY_SOCKET", scratch.file("notify")).env("WATCHDOG_USEC", "30000000");
        command.stdout(Stdio::null()).stderr(log);
        Self { scratch, child: command.spawn().expect("agent"), said }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.said).expect("text")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        kill(Pid::from_raw(pid), signal).expect("it is there");
    }

    /// `daemon off`, `on` and so on.
    fn order(&self, words: &[&str]) -> Output {
        let off_file = self.scratch.file("run/off");
        let args = [&["daemon"], words, &["--off-file", &off_file]].concat();
        agent::run(&args).expect("agent")
    }

    /// What it watches, once it has said so.
    fn status(&self) -> Option<DaemonDoc<'static>> {
        let output = self.order(&["status", "--format", "json"]);
        let status: DaemonDoc<'static> = serde_json::from_slice(&output.stdout).ok()?;
        (status.pid == self.child.id()).then_some(status)
    }

    /// The state of each target, by the end of its name, and its samples.
    fn states(&self) -> Vec<(String, TargetState, u64)> {
        let status = self.status();
        let of = |it: leak_agent::report::schema::DaemonTargetDoc<'_>| {
            let name = it.name.rsplit('-').next().unwrap_or_default().to_owned();
            (name, it.state, it.samples)
        };
        let mut states: Vec<_> = status.into_iter().flat_map(|it| it.targets).map(of).collect();
        states.sort();
        states
    }

    fn is(&self, name: &str, state: TargetState) -> bool {
        self.states().iter().any(|(other, is, _)| other == name && *is == state)
    }

    fn metrics(&self) -> String {
        self.read("metrics: ", "metrics")
    }

    /// A page of a server whose address was said after these words.
    fn read(&self, words: &str, page: &str) -> String {
        String::from_utf8(self.read_bytes(words, page)).expect("UTF-8")
    }

    fn read_bytes(&self, words: &str, page: &str) -> Vec<u8> {
        let said = self.said();
        let url = said.lines().find_map(|line| line.strip_prefix(words)).expect("a URL");
        let endpoint = Endpoint::of(url.trim_end_matches("metrics")).expect("a URL");
        let mut text = Vec::new();
        endpoint.read(page, &mut text).expect("an answer");
        text
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What receivers were told: which program, what, of which finding.
fn told(server: &Replay) -> Vec<(String, AlertEventKind, String)> {
    let alerts = server.heard();
    let alerts = alerts.iter().map(|it| serde_json::from_slice(&it.body).expect("an alert"));
    let events = alerts.flat_map(|AlertDoc { target, events, .. }| {
        let name = target.name.rsplit('-').next().unwrap_or_default().to_owned();
        events.into_iter().map(move |it| (name.clone(), it.event, it.fingerprint))
    });
    events.filter(|(_, event, _)| *event != AlertEventKind::Worsened).collect()
}

fn has(server: &Replay, name: &str, event: AlertEventKind) -> bool {
    told(server).iter().any(|(of, it, _)| of == name && *it == event)
}

#[test]
fn leaks_are_told_once_over_a_restart_and_what_is_off_or_cannot_be_read_is_left_alone() {
    let scratch = Scratch::new("daemon");
    let notified = UnixDatagram::bind(scratch.file("notify")).expect("a socket");
    let manager = Arc::new(Mutex::new(String::new()));
    thread::spawn({
        let manager = Arc::clone(&manager);
        move || {
            let mut message = [0; 256];
            while let Ok(length) = notified.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                manager.lock().expect("unbroken").push_str(&text);
            }
        }
    });
    let server = Replay::start(|_, _| ("200 OK", "text/plain", Vec::new())).expect("a server");
    let prefix = format!("d{}", std::process::id());
    // All are one program, by names of their own, but for one that says that an old Go has built it.
    let demo = fs::read(target::path(GO, "exe", "demo").expect("target")).expect("a program");
    let mut old = demo.clone();
    for place in memchr::memmem::find_iter(&demo, b"go1.26.") {
        old[place..place + 7].copy_from_slice(b"go1.20.");
    }
    let program = |name: &str, bytes: &[u8]| {
        let path = scratch.0.join(format!("{prefix}-{name}"));
        fs::write(&path, bytes).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("it is ours");
        path
    };
    let start = |name: &str, bytes: &[u8]| {
        Target::start_at(program(name, bytes), &[] as &[&str]).expect("target")
    };
    let (one, two, old) = (start("one", &demo), start("two", &demo), start("old", &old));
    let short = program("short", &demo);
    let config = format!(
        "[daemon]\ninterval = \"500ms\"\nscan-interval = \"500ms\"\nmin-age = \"1s\"\nhost-budget = \"10000%\"\n\
         [[watch]]\nname = \"{prefix}-*\"\n\
         [[alert]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://{}/hook\"\nclass = \"channel-send\"\n\
         group-wait = \"0s\"\nresolve-wait = \"1s\"\n",
        server.address
    );
    let _ = scratch.write("config.toml", &config);
    let first = Daemon::start(&scratch, "first");
    // Ten that end before they are old enough to be looked at.
    for _ in 0..10 {
        let mut command = Command::new(&short);
        command.args(["-for", "100ms"]).stdout(Stdio::null());
        target::start(&mut command).expect("it starts").wait().expect("a child");
    }
    use AlertEventKind::{Appeared, Ended};
    until("both leaks are told", || has(&server, "one", Appeared) && has(&server, "two", Appeared));

    // Who cannot be read costs a line and a metric, and is not tried again.
    until("it is refused", || first.is("old", TargetState::Refused));
    let said = first.said();
    let line = format!("{prefix}-old (pid {}) is not watched: ", old.pid());
    assert_eq!(said.matches(&line).count(), 1, "{said}");
    assert!(said.contains("was built by go1.20."), "{said}");
    assert!(!said.contains("-short"), "{said}");
    let text = first.metrics();
    for line in [
        "leak_agent_targets{state=\"watched\"} 2\n",
        "leak_agent_targets{state=\"refused\"} 1\n",
        "leak_agent_refusals_total{reason=\"version\"} 1\n",
        "leak_agent_off 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let series = |text: &str, name: &str| {
        let service = format!("service_name=\"{prefix}-{name}\"");
        text.lines().any(|it| it.starts_with("go_goroutines{") && it.contains(&service))
    };
    assert!(series(&text, "one") && series(&text, "two") && !series(&text, "old"), "{text}");

    // One is switched off, then all, then nothing.
    let output = first.order(&["off", &format!("{prefix}-two")]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("off: {prefix}-two\n"));
    until("one is off", || first.is("two", TargetState::Off));
    until("its series are gone", || !series(&first.metrics(), "two"));
    assert!(first.is("one", TargetState::Watched) && series(&first.metrics(), "one"));
    fs::write(scratch.file("run/off"), "").expect("written");
    until("all is off", || {
        first.is("one", TargetState::Off) && first.metrics().contains("leak_agent_off 1\n")
    });
    assert_eq!(first.order(&["on"]).status.code(), Some(0));
    until("all is on", || {
        first.is("one", TargetState::Watched) && first.is("two", TargetState::Watched)
    });

    // A bad configuration is refused, a good one taken.
    let _ = scratch.write("config.toml", &config.replace("resolve-wait", "resolve-wate"));
    first.signal(Signal::SIGHUP);
    until("it is refused", || first.said().contains("has no resolve-wate"));
    assert!(first.said().contains("config.toml:14:1: "), "{}", first.said());
    let _ = scratch.write("config.toml", &format!("{config}[[ignore]]\nname = \"{prefix}-old\"\n"));
    first.signal(Signal::SIGHUP);
    until("it is let go", || first.states().len() == 2);
    assert!(first.said().contains("the configuration was read again: 1 alert, 0 responses\n"));

    // Killed. While nobody is there one program ends; the other is found again.
    first.signal(Signal::SIGKILL);
    drop(first);
    drop(one);
    let mut second = Daemon::start(&scratch, "second");
    until("its end is told", || has(&server, "one", Ended));
    until("the other is judged again", || {
        second.states().iter().any(|(name, _, samples)| name == "two" && *samples >= 8)
    });
    let status = second.status().expect("it runs");
    assert!(matches!(status.targets[0].findings, Some(1..)), "{status:?}");
    drop(two);
    until("its end is told too", || has(&server, "two", Ended));
    until("it is gone", || second.states().is_empty());
    second.signal(Signal::SIGTERM);
    let status = second.child.wait().expect("a child");
    assert_eq!(status.code(), Some(0), "{}", second.said());

    // Each once, and in this order.
    for name in ["one", "two"] {
        let of = |(it, event, _): (String, AlertEventKind, String)| (it == name).then_some(event);
        let events: Vec<_> = told(&server).into_iter().filter_map(of).collect();
        assert_eq!(events, [Appeared, Ended], "{name}: {:?}", told(&server));
    }
    assert_eq!(told(&server).len(), 4, "{:?}", told(&server));
    assert!(fs::read_dir(scratch.file("state/windows")).is_ok_and(|mut it| it.next().is_none()));

    // What the service manager was told.
    let manager = manager.lock().expect("unbroken").clone();
    for state in ["READY=1\n", "WATCHDOG=1\n", "RELOADING=1\nMONOTONIC_USEC=", "STOPPING=1\n"] {
        assert!(manager.contains(state), "{state}{manager}");
    }
    drop(old);
}

#[test]
fn a_dashboard_shows_all_programs_and_proofs_are_made_one_at_a_time_where_they_are_asked_for() {
    let scratch = Scratch::new("daemon-board");
    let prefix = format!("b{}", std::process::id());
    let demo = target::path(GO, "exe", "demo").expect("target");
    let start = |name: &str| {
        let path = scratch.0.join(format!("{prefix}-{name}"));
        fs::copy(&demo, &path).expect("written");
        Target::start_at(path, &[] as &[&str]).expect("target")
    };
    let (one, two) = (start("one"), start("two"));
    let config = format!(
        "[daemon]\ninterval = \"500ms\"\nscan-interval = \"500ms\"\nmin-age = \"1s\"\nhost-budget = \"10000%\"\n\
         only = \"{prefix}-*\"\nno-token = true\n"
    );
    let _ = scratch.write("config.toml", &config);
    let flags = ["--dashboard-listen", "0", "--proof", "auto"];
    let daemon = Daemon::start_with(&scratch, "board", &flags);
    until("both are proven of", || {
        daemon.said().contains("dashboard: ") && {
            let metrics = daemon.metrics();
            let proven =
                metrics.lines().filter(|it| it.starts_with("leak_agent_goroutines_proven{"));
            proven.filter(|line| !line.ends_with(" 0")).count() == 2
        }
    });
    let board = daemon.read("dashboard: ", "");
    assert!(board.contains(&format!("{prefix}-one")) && board.contains(&format!("{prefix}-two")));
    let page = daemon.read("dashboard: ", &format!("process/{}", one.pid()));
    assert!(page.contains("proven"), "{page}");
    // Of the groups of the last sample.
    let profile =
        daemon.read_bytes("dashboard: ", &format!("process/{}/goroutines.pb.gz", one.pid()));
    let file = scratch.0.join("goroutines.pb.gz");
    fs::write(&file, profile).expect("written");
    let read = agent::run(&["check", "--input", file.to_str().expect("text")]).expect("agent");
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(said.contains("main.(*priceList).quote"), "{said}{:?}", read.stderr);
    drop(two);
    until("one has ended", || daemon.read("dashboard: ", "").contains("ended"));
    // What holds targets still cannot be started anew; all else goes on with it.
    let before = daemon.said().len();
    daemon.signal(Signal::SIGHUP);
    until("it was read again", || daemon.said()[before..].contains("was read again"));
    let three = start("three");
    until("the third is proven of", || {
        let metrics = daemon.metrics();
        let pid = format!("pid=\"{}\"", three.pid());
        let is_it =
            |it: &&str| it.starts_with("leak_agent_goroutines_proven{") && it.contains(&pid);
        metrics.lines().find(is_it).is_some_and(|line| !line.ends_with(" 0"))
    });
}

#[test]
fn responses_are_read_again_and_new_commands_wait_for_a_restart() {
    let scratch = Scratch::new("daemon-responses");
    let prefix = format!("r{}", std::process::id());
    let path = scratch.0.join(format!("{prefix}-leak"));
    fs::copy(target::path(GO, "exe", "demo").expect("target"), &path).expect("written");
    let leak = Target::start_at(path, &[] as &[&str]).expect("target");
    let user =
        nix::unistd::User::from_uid(nix::unistd::getuid()).expect("users").expect("this one");
    let response = |name: &str, service: &str, does: &str| {
        format!(
            "[[response]]\nname = \"{name}\"\nseverity = \"low\"\nverdict = \"suspect\"\nservice = \"{service}\"\n\
             user = \"{}\"\ndry-run = false\n{does}\n",
            user.name
        )
    };
    let known = "command = [\"/bin/echo\", \"as before\"]";
    let config = |responses: &str| {
        format!(
            "[daemon]\ninterval = \"300ms\"\nscan-interval = \"500ms\"\nmin-age = \"1s\"\nhost-budget = \"10000%\"\n\
             only = \"{prefix}-*\"\n{responses}"
        )
    };
    let _ = scratch.write("config.toml", &config(&response("first", "nobody", known)));
    let daemon = Daemon::start(&scratch, "responses");
    until("it is found", || {
        daemon.status().is_some_and(|it| it.targets.iter().any(|it| it.findings > Some(0)))
    });
    assert!(!daemon.said().contains("response first"), "{}", daemon.said());
    // It is for this program now; another does what the daemon was not started with.
    let both = [
        response("first", "*", known),
        response("second", "*", "keep = \"dump\"\ncommand = [\"/bin/echo\", \"new\"]"),
    ];
    let _ = scratch.write("config.toml", &config(&both.concat()));
    daemon.signal(Signal::SIGHUP);
    until("the known command is run", || daemon.said().contains("has ended well: as before"));
    until("the new one is not, and evidence is kept", || {
        let said = daemon.said();
        said.contains("did not run /bin/echo: the agent was not started with this command")
            && said.contains("response second: ")
            && said.contains(": kept ")
    });
    let said = daemon.said();
    assert!(said.contains("the configuration was read again: 0 alerts, 2 responses"), "{said}");
    assert!(
        said.contains("warning: response second: the agent was not started with this"),
        "{said}"
    );
    assert!(!said.contains("ended well: new"), "{said}");
    drop(leak);
}

#[test]
fn a_daemon_that_may_take_too_little_memory_says_so_and_finds_the_leak_nevertheless() {
    let scratch = Scratch::new("daemon-memory");
    let prefix = format!("m{}", std::process::id());
    let copy = |name: &str, of: &str, args: &[&str]| {
        let path = scratch.0.join(format!("{prefix}-{name}"));
        fs::copy(target::path(GO, "exe", of).expect("target"), &path).expect("written");
        Target::start_at(path, args).expect("target")
    };
    // More than are watched whatever they take; the one that leaks comes last.
    let idle: Vec<Target> =
        (1..=6).map(|number| copy(&format!("idle{number}"), "blocked", &["1", "3"])).collect();
    let leak = copy("leak", "demo", &[]);
    let config = format!(
        "[daemon]\ninterval = \"200ms\"\nmax-interval = \"400ms\"\nscan-interval = \"500ms\"\nmin-age = \"1s\"\n\
         host-budget = \"10000%\"\nonly = \"{prefix}-*\"\n"
    );
    let _ = scratch.write("config.toml", &format!("{config}max-memory = \"1MB\"\n"));
    let daemon = Daemon::start(&scratch, "memory");
    until("it says so", || {
        let said = daemon.said();
        said.contains("more than the 976.6 KiB that it may (--max-memory)")
            && said.contains("Go programs wait: the agent takes as much memory as it may")
    });
    let leaks = |status: &DaemonDoc<'_>| {
        status.targets.iter().any(|it| it.pid == leak.pid() && it.findings.is_some_and(|it| it > 0))
    };
    let mut most = 0;
    until("its turn has come, and it is found", || {
        let Some(status) = daemon.status() else { return false };
        let watched = status.targets.iter().filter(|it| it.state == TargetState::Watched).count();
        most = most.max(watched);
        leaks(&status)
    });
    assert!((3..=4).contains(&most), "{most}");
    let status = daemon.status().expect("it runs");
    assert_eq!((status.max_memory_bytes, status.window_samples), (1_000_000, 32));
    assert!(status.let_go > 0, "{status:?}");
    let waits = |it: &leak_agent::report::schema::DaemonTargetDoc<'_>| {
        it.state == TargetState::Waiting
            && it.why.as_deref().is_some_and(|why| why.contains("--max-memory"))
    };
    assert!(status.targets.iter().any(waits), "{status:?}");
    let metrics = daemon.metrics();
    assert!(metrics.contains("leak_agent_daemon_max_memory_bytes 1000000\n"), "{metrics}");
    assert!(metrics.contains("leak_agent_window_samples 32\n"), "{metrics}");
    // It may take enough from now on.
    let _ = scratch.write("config.toml", &format!("{config}max-memory = \"4GiB\"\n"));
    daemon.signal(Signal::SIGHUP);
    until("all are watched", || {
        let states = daemon.states();
        states.len() == 7 && states.iter().all(|(_, state, _)| *state == TargetState::Watched)
    });
    assert!(daemon.said().contains("takes no more memory than it may"), "{}", daemon.said());
    drop(idle);
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let scratch = Scratch::new("daemon-config");
    for (text, said_of_it) in [
        ("[[watch]]\nnam = \"x\"\n", ":2:1: [[watch]] has no nam"),
        ("[daemon]\nscan-intervall = \"1s\"\n", ":2:1: no flag is called scan-intervall"),
        ("[daemon]\nhost-budget = \"2\"\n", ":2:15: host-budget: \"2\": a share of one processor"),
        (
            "[daemon]\nmax-memory = \"lots\"\n",
            ":2:14: max-memory: \"lots\": a size is written like 150MB",
        ),
        (
            "[[alert]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://h\"\n",
            ":1:1: alerts need a folder",
        ),
    ] {
        let config = scratch.write("config.toml", text);
        let output = agent::run(&["daemon", "--config", &config]).expect("agent");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(said_of_it), "{said}");
    }
    let output = agent::run(&["daemon", "--pid", "1"]).expect("agent");
    assert_eq!(output.status.code(), Some(2));
    let off_file = scratch.file("off");
    let output = agent::run(&["daemon", "status", "--off-file", &off_file]).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("no daemon runs here"), "{said}");
}
