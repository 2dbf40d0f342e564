//! `[[alert]]`: what receivers are told, and what becomes of it when they are not well. Alertmanager and the SMTP server
//! are real ones; the others are servers of the test's own, which fail on purpose.
#![allow(clippy::expect_used)]

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use leak_agent::report::schema::{AlertDoc, AlertEventKind};
use leak_agent_tests::replay::{Replay, Request};
use leak_agent_tests::{Scratch, Target, agent, skip};
use sha2::Sha256;

/// Longer than anything here takes on a slow machine; nothing is told by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Debian's own Python, for which Debian's package of the SMTP server is.
const PYTHON: &str = "/usr/bin/python3";

/// Where the program leaks, as the alert says it.
const LEAK: &str = "main.(*priceList).quote";

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn test_alert(config: &str, name: &str) -> Output {
    let mut command = Command::new(agent::binary().expect("agent"));
    command.args(["alert", "test", name, "--config", config]);
    command.env("TEST_SECRET", "hush-hush").output().expect("agent")
}

/// Monitors a program with a configuration, until it is over or killed.
fn monitor(pid: u32, config: &str, state: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(agent::binary().expect("agent"));
    command.args(["monitor", "--pid", &pid.to_string(), "--interval", "500ms", "--probes", "off"]);
    command.args(["--config", config, "--state", state]).args(flags);
    command.env("TEST_SECRET", "hush-hush").stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn alerts(heard: &[Request]) -> Vec<AlertDoc> {
    heard.iter().map(|it| serde_json::from_slice(&it.body).expect("an alert")).collect()
}

/// `[[alert]]` of a webhook that waits for nothing.
fn webhook(name: &str, address: &str) -> String {
    format!(
        "[[alert]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"http://{address}/hook\"\ngroup-wait = \"0s\"\n\
         timeout = \"2s\"\n"
    )
}

#[test]
fn a_webhook_is_sent_what_its_schema_says_and_can_tell_who_sent_it() {
    let server = Replay::start(|_, _| ("202 Accepted", "text/plain", b"thanks".to_vec()));
    let server = server.expect("a server");
    let scratch = Scratch::new("alerts-webhook");
    let extra = "key-env = \"TEST_SECRET\"\nheaders = [\"X-Team: payments\"]\ntitle = \"{{{service}}} {class}\"\n";
    let config =
        scratch.write("config.toml", &(webhook("own", &server.address.to_string()) + extra));
    let output = test_alert(&config, "own");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(
        text,
        "appeared: answered 202: \"thanks\"\nworsened: answered 202: \"thanks\"\nended: answered 202: \"thanks\"\n"
    );
    let heard = server.heard();
    let kinds: Vec<_> = alerts(&heard).iter().map(|alert| alert.events[0].event).collect();
    assert_eq!(kinds, [AlertEventKind::Appeared, AlertEventKind::Worsened, AlertEventKind::Ended]);
    for (request, alert) in heard.iter().zip(alerts(&heard)) {
        assert!(alert.test && alert.title == "{example} channel-send", "{alert:?}");
        assert!(
            request.has("x-team: payments")
                && request.has(&format!("x-leak-agent-id: {}", alert.id))
        );
        let header = |name: &str| {
            let line = request.head.lines().find_map(|line| line.strip_prefix(name));
            line.expect("a header").to_owned()
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(b"hush-hush").expect("a key");
        mac.update(header("x-leak-agent-timestamp: ").as_bytes());
        mac.update(b".");
        mac.update(&request.body);
        let mut hex = String::from("v1=");
        for byte in mac.finalize().into_bytes() {
            write!(hex, "{byte:02x}").expect("text");
        }
        assert_eq!(header("x-leak-agent-signature: "), hex);
    }
}

#[test]
fn secrets_are_in_no_message_even_if_the_server_repeats_them() {
    let server = Replay::start(|_, request| {
        let path = request.head.split(' ').nth(1).unwrap_or_default().to_owned();
        ("404 Not Found", "text/plain", format!("Cannot POST {path}").into_bytes())
    });
    let server = server.expect("a server");
    let scratch = Scratch::new("alerts-secret");
    let url = format!("http://{}/services/T000/B000/hush-hush", server.address);
    let file = scratch.write("url", &url);
    let alert = format!("[[alert]]\nname = \"team\"\nkind = \"slack\"\nurl-file = \"{file}\"\n");
    let config = scratch.write("config.toml", &alert);
    let output = test_alert(&config, "team");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("answered 404 Not Found") && text.contains("(secret)"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    let sent = String::from_utf8_lossy(&server.heard()[0].body).into_owned();
    assert!(sent.contains("\"blocks\":[") && !sent.contains("hush"), "{sent}");
}

#[test]
fn pagerduty_is_triggered_and_resolved_by_one_key() {
    let server = Replay::start(|_, _| {
        ("202 Accepted", "application/json", br#"{"status":"success"}"#.to_vec())
    });
    let server = server.expect("a server");
    let scratch = Scratch::new("alerts-pagerduty");
    let alert = format!(
        "[[alert]]\nname = \"pager\"\nkind = \"pagerduty\"\nurl = \"http://{}\"\nrouting-key-env = \"TEST_SECRET\"\n",
        server.address
    );
    let output = test_alert(&scratch.write("config.toml", &alert), "pager");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let sent: Vec<serde_json::Value> = server
        .heard()
        .iter()
        .map(|request| {
            assert!(request.head.starts_with("POST /v2/enqueue HTTP/1.1\r\n"), "{}", request.head);
            serde_json::from_slice(&request.body).expect("JSON")
        })
        .collect();
    let actions: Vec<_> = sent.iter().map(|it| it["event_action"].as_str()).collect();
    assert_eq!(actions, [Some("trigger"), Some("trigger"), Some("resolve")]);
    assert!(sent.iter().all(|it| it["dedup_key"] == sent[0]["dedup_key"]), "{sent:?}");
    assert!(sent.iter().all(|it| it["routing_key"] == "hush-hush"), "{sent:?}");
    assert_eq!(
        (&sent[0]["payload"]["severity"], &sent[1]["payload"]["severity"]),
        (&"warning".into(), &"error".into())
    );
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn mail_is_sent_over_tls_to_a_server_that_wants_a_login() {
    let is_there =
        Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    if !is_there.is_ok_and(|status| status.success()) {
        return skip("there is no aiosmtpd (cargo xtask servers brings it)");
    }
    let scratch = Scratch::new("alerts-mail");
    let (certificate, key) = (scratch.file("cert.pem"), scratch.file("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .args(["-keyout", &key, "-out", &certificate])
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/receivers/smtp.py");
    let folder = scratch.0.to_str().expect("text").to_owned();
    let server = Command::new(PYTHON)
        .args([script, &folder, &certificate, &key, "me", "hush-hush"])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Running(server.expect("python3"));
    let mut ready = String::new();
    let out = server.0.stdout.as_mut().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut ready).expect("READY");
    let port = ready.trim().strip_prefix("READY ").expect("READY and a port");
    let alert = |more: &str| {
        let alert = format!(
            "[[alert]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost:{port}\"\nuser = \"me\"\n\
             from = \"leak-agent <agent@example.org>\"\nto = [\"Ops <ops@example.org>\", \"b@example.org\"]\n{more}"
        );
        scratch.write("config.toml", &alert)
    };
    let trusted = format!("password-env = \"TEST_SECRET\"\nca-file = \"{certificate}\"\n");
    let output = test_alert(&alert(&trusted), "mail");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("appeared: answered 250 kept as 1\n"), "{text}");
    let mail = fs::read_to_string(scratch.file("2.eml")).expect("a mail");
    for part in [
        "From: leak-agent <agent@example.org>",
        "To: Ops <ops@example.org>, b@example.org",
        "Subject: example: channel-send worsened (likely, high)",
        "Content-Type: multipart/alternative",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "Message-ID: <",
    ] {
        assert!(mail.contains(part), "{part}\n{mail}");
    }
    assert!(fs::metadata(scratch.file("4.eml")).is_err());
    // Nobody whom the machine trusts has signed its certificate.
    let output = test_alert(&alert("password-env = \"TEST_SECRET\"\n"), "mail");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("certificate"), "{}", said(&output));
    // A wrong password is not told.
    let wrong = scratch.write("wrong", "potato-potato\n");
    let output = test_alert(
        &alert(&format!("password-file = \"{wrong}\"\nca-file = \"{certificate}\"\n")),
        "mail",
    );
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("535") && !text.contains("potato"), "{text}");
    // Without TLS the server takes nothing, and no password is sent there but on this machine.
    let output = test_alert(&alert(&format!("encryption = \"tls\"\n{trusted}")), "mail");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}

#[test]
fn alertmanager_shows_what_stands_and_what_is_over() {
    let Some(binary) = alertmanager() else {
        return skip("there is no prometheus-alertmanager (cargo xtask servers brings it)");
    };
    let scratch = Scratch::new("alerts-alertmanager");
    let address =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let config = scratch.write("am.yml", "route:\n  receiver: none\nreceivers:\n  - name: none\n");
    let server = Command::new(binary)
        .args([
            format!("--config.file={config}"),
            format!("--storage.path={}", scratch.file("data")),
        ])
        .args([format!("--web.listen-address={address}"), "--cluster.listen-address=".to_owned()])
        .stderr(Stdio::null())
        .spawn();
    let _server = Running(server.expect("alertmanager"));
    let ask = || -> Option<Vec<serde_json::Value>> {
        let mut stream = TcpStream::connect(address).ok()?;
        let request = "GET /api/v2/alerts HTTP/1.0\r\nHost: am\r\n\r\n";
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    };
    until("it serves", || ask().is_some());
    let alert = format!(
        "[[alert]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"http://{address}\"\nlabels = [\"team=a\"]\n\
         group-wait = \"0s\"\nresolve-wait = \"1s\"\nresend = \"1s\"\n"
    );
    let config = scratch.write("config.toml", &alert);
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let mut agent = Running(
        monitor(target.pid(), &config, &scratch.file("state"), &[]).spawn().expect("agent"),
    );
    until("the leak is an alert", || ask().is_some_and(|alerts| !alerts.is_empty()));
    let alerts = ask().expect("alerts");
    let labels = alerts[0]["labels"].as_object().expect("labels");
    assert_eq!((&labels["alertname"], &labels["service_name"]), (&"GoLeak".into(), &"demo".into()));
    assert_eq!((&labels["team"], &labels["alert"]), (&"a".into(), &"am".into()));
    for changing in ["pid", "verdict", "severity", "class"] {
        assert!(!labels.contains_key(changing), "{labels:?}");
    }
    assert!(alerts.iter().any(|it| it["annotations"]["description"].to_string().contains(LEAK)));
    // It is sent again, and so ends later and later.
    let ends = |alerts: &[serde_json::Value]| alerts[0]["endsAt"].as_str().map(str::to_owned);
    let before = ends(&alerts);
    until("it is sent again", || ask().is_some_and(|alerts| ends(&alerts) > before));
    // With its process it is over, and Alertmanager lists active ones alone.
    drop(target);
    until("the agent ends with the program", || agent.0.try_wait().expect("a child").is_some());
    until("it is over", || ask().is_some_and(|alerts| alerts.is_empty()));
}

fn alertmanager() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut paths = std::env::split_paths(&folders).map(|it| it.join("prometheus-alertmanager"));
    paths.find(|path| path.is_file())
}

#[test]
fn a_server_that_fails_in_every_way_gets_each_message_once_and_in_order() {
    // Each answer to a connection, before all is well.
    let failures = Arc::new(Mutex::new(vec![
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nboom",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "\x15\x03\x01\x00\x02\x02\x28",
        "",
    ]));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let taken = Arc::new(Mutex::new(Vec::<AlertDoc>::new()));
    thread::spawn({
        let taken = Arc::clone(&taken);
        move || {
            for mut stream in listener.incoming().flatten() {
                let Some(body) = body(&mut stream) else { continue };
                let mut failures = failures.lock().expect("unbroken");
                if failures.is_empty() {
                    taken
                        .lock()
                        .expect("unbroken")
                        .push(serde_json::from_slice(&body).expect("an alert"));
                    _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                } else {
                    _ = stream.write_all(failures.remove(0).as_bytes());
                }
            }
        }
    });
    // One that takes connections and says nothing stops nobody.
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hangs = hanging.local_addr().expect("an address").to_string();
    let scratch = Scratch::new("alerts-fails");
    let config =
        scratch.write("config.toml", &(webhook("fails", &address) + &webhook("hangs", &hangs)));
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let mut agent =
        monitor(target.pid(), &config, &scratch.file("state"), &[]).spawn().expect("agent");
    until("it is told", || !taken.lock().expect("unbroken").is_empty());
    drop(target);
    let mut stderr = String::new();
    agent.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    agent.wait().expect("a child");
    let taken = taken.lock().expect("unbroken");
    assert!(taken[0].events.iter().any(|event| event.text.contains(LEAK)), "{taken:?}");
    let mut told: Vec<_> = taken
        .iter()
        .flat_map(|alert| alert.events.iter().map(|event| (event.fingerprint.clone(), event.event)))
        .collect();
    // Appeared, perhaps worsened, and at last over with its process: each once, in this order.
    assert_eq!(told.first().map(|it| it.1), Some(AlertEventKind::Appeared));
    assert_eq!(told.last().map(|it| it.1), Some(AlertEventKind::Ended), "{told:?}");
    // What had worsened may worsen again; the others happen once.
    told.retain(|(_, event)| *event != AlertEventKind::Worsened);
    let of_each = told.len();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), of_each, "{told:?}");
    assert_eq!(
        stderr.matches("warning: alert fails is not taken, and tried again: ").count(),
        1,
        "{stderr}"
    );
    assert!(stderr.contains("answered 500 Internal Server Error: \"boom\""), "{stderr}");
    assert!(stderr.contains("\nalert fails is taken again\n"), "{stderr}");
    assert!(stderr.contains("warning: alert hangs is not taken, and tried again: "), "{stderr}");
    assert!(stderr.contains("\nalert hangs: 0 sent, "), "{stderr}");
    drop(hanging);
}

/// What was sent; `None` where it was cut.
fn body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).ok().filter(|&read| read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if bytes.len() >= end + 4 + length.parse::<usize>().ok()? {
            return Some(bytes.split_off(end + 4));
        }
    }
}

#[test]
fn killed_in_an_outage_the_next_agent_sends_what_waits_and_nothing_twice() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let scratch = Scratch::new("alerts-killed");
    let config = scratch.write("config.toml", &webhook("ops", &gone.to_string()));
    let state = scratch.file("state");
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let mut first = Running(monitor(target.pid(), &config, &state, &[]).spawn().expect("agent"));
    let waiting = Path::new(&state).join("alerts/waiting/ops");
    let told = Path::new(&state).join("alerts/told.json");
    until("it waits on disk", || {
        fs::read_dir(&waiting).is_ok_and(|mut files| files.next().is_some()) && told.exists()
    });
    // While it runs, nobody else has its folder.
    let second = monitor(target.pid(), &config, &state, &[]).output().expect("agent");
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    assert!(said(&second).contains("another leak-agent has it"), "{}", said(&second));
    first.0.kill().expect("SIGKILL");
    first.0.wait().expect("a child");
    // The program was not harmed, and leaks on. Now the receiver is there.
    let server =
        Replay::start_at(gone, |_, _| ("200 OK", "text/plain", Vec::new())).expect("a server");
    let output =
        monitor(target.pid(), &config, &state, &["--duration", "10s"]).output().expect("agent");
    let text = said(&output);
    let is_sum = |line: &str| line.starts_with("alert ops: ") && line.ends_with(" sent");
    assert!(text.lines().any(is_sum), "{text}");
    let again =
        monitor(target.pid(), &config, &state, &["--duration", "10s"]).output().expect("agent");
    let mut appeared: Vec<_> = alerts(&server.heard())
        .into_iter()
        .flat_map(|alert| alert.events)
        .filter(|event| event.event == AlertEventKind::Appeared)
        .map(|event| event.fingerprint)
        .collect();
    assert!(!appeared.is_empty(), "{text}{}", said(&again));
    let count = appeared.len();
    appeared.sort();
    appeared.dedup();
    assert_eq!(appeared.len(), count, "{text}{}", said(&again));
}

#[test]
fn what_is_wrong_in_the_configuration_is_said_before_anything_starts() {
    let scratch = Scratch::new("alerts-config");
    let alert = "[[alert]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://h\"\n";
    for (more, said_of_it) in [
        ("verdit = \"likely\"\n", ":5:1: an alert of kind webhook has no verdit"),
        ("key-env = \"NO_SUCH_VARIABLE\"\n", ":5:11: the variable NO_SUCH_VARIABLE is not set"),
        ("", ":1:1: alerts need a folder that keeps what was told"),
    ] {
        let config = scratch.write("config.toml", &format!("{alert}{more}"));
        let output = agent::run(&["monitor", "--pid", "1", "--config", &config]).expect("agent");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(said_of_it), "{}", said(&output));
    }
    // For other commands they are not meant.
    let output =
        agent::run(&["--list", "--config", &scratch.write("config.toml", alert)]).expect("agent");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = agent::run(&["alert", "test", "potato", "--config", &scratch.file("config.toml")])
        .expect("agent");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("no alert is called potato\n  try: one of ops"),
        "{}",
        said(&output)
    );
}
