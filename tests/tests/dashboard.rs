//! The dashboard: who may look, what is to be seen, and that it goes on being so.
#![allow(clippy::expect_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use leak_agent_tests::browser::{self, Browser, Screen};
use leak_agent_tests::{Scratch, Target, agent, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const GO: &str = "1.26.6";
const TOKEN: &str = "a-token-for-the-tests";

/// An agent that shows targets.
struct Shown {
    agent: Child,
    address: String,
    /// What was printed behind the address.
    link: String,
}

impl Shown {
    fn start(args: &[&str]) -> Self {
        let mut agent = Command::new(agent::binary().expect("agent"))
            .args(["dashboard", "--listen", "127.0.0.1:0", "--interval", "500ms"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(agent.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("dashboard: http") {
            line.clear();
            assert!(said.read_line(&mut line).expect("a line") > 0, "it ended");
        }
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let (_, url) = line.trim().split_once("://").expect("a URL");
        let (address, link) = url.split_once('/').expect("a path");
        let (address, link) = (address.to_owned(), link.to_owned());
        Self { agent, address, link }
    }

    /// The status and all else of an answer.
    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let has_host = headers.iter().any(|header| header.starts_with("Host:"));
        let host = if has_host { String::new() } else { format!("Host: {}\r\n", self.address) };
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        (status, answer)
    }

    /// A page for who has the token.
    fn page(&self, path: &str) -> String {
        let (status, page) = self.ask("GET", path, &[&format!("Authorization: Bearer {TOKEN}")]);
        assert_eq!(status, 200, "{path} {page}");
        page
    }

    fn until(&self, path: &str, text: &str) {
        for _ in 0..600 {
            if self.page(path).contains(text) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{text} never is on {path}: {}", self.page(path));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.agent.id()).expect("a pid"));
        let _ = kill(pid, Signal::SIGINT);
        let _ = self.agent.wait();
    }
}

fn with_token(scratch: &Scratch, pids: &[u32]) -> Shown {
    let file = scratch.file("token");
    fs::write(&file, format!("{TOKEN}\n")).expect("it can be written");
    let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
    let args = ["--token-file", &file].into_iter().chain(pids.iter().map(String::as_str));
    Shown::start(&args.collect::<Vec<_>>())
}

#[test]
fn who_has_no_token_or_comes_from_another_site_sees_nothing() {
    let scratch = Scratch::new("dashboard-token");
    let target = Target::start(GO, "exe", "demo").expect("target");
    let shown = with_token(&scratch, &[target.pid()]);
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let wrong = format!("/?token={}", "x".repeat(TOKEN.len()));
    for (method, path, headers, expected) in [
        ("GET", "/", vec![], 401),
        ("GET", "/events", vec![], 401),
        ("GET", "/static/board.js", vec![], 401),
        ("GET", &wrong, vec![], 401),
        ("GET", "/", vec!["Cookie: leak_agent_token=x; other=y"], 401),
        ("POST", "/", vec![&bearer], 405),
        ("GET", "/", vec![&bearer, "Origin: http://evil.example"], 403),
        ("GET", "/", vec![&bearer, "Sec-Fetch-Site: cross-site"], 403),
        ("GET", "/nothing", vec![&bearer], 404),
        ("GET", "/process/1", vec![&bearer], 404),
        ("GET", "/process/%00%ff", vec![&bearer], 400),
        ("GET", "/", vec![&bearer], 200),
    ] {
        let (status, answer) = shown.ask(method, path, &headers);
        assert_eq!(status, expected, "{method} {path} {headers:?}: {answer}");
        assert!(answer.contains("default-src 'none'") && answer.contains("no-store"), "{answer}");
        assert!(status == 200 || !answer.contains("demo"), "{answer}");
    }
    let (status, answer) = shown.ask("GET", &format!("//evil.example/?token={TOKEN}"), &[]);
    assert_eq!(status, 303);
    assert!(answer.contains("location: /evil.example/\r\n"), "{answer}");
    assert!(answer.contains("HttpOnly; SameSite=Strict"), "{answer}");
    let nonsense: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut stream = TcpStream::connect(&shown.address).expect("it listens");
    let _ = stream.write_all(&nonsense);
    shown.page("/");
}

#[test]
fn without_a_token_only_this_machine_is_answered() {
    let target = Target::start(GO, "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let shown = Shown::start(&["--no-token", &pid]);
    assert_eq!(shown.link, "");
    assert_eq!(shown.ask("GET", "/", &[]).0, 200);
    let port = shown.address.rsplit(':').next().expect("a port");
    assert_eq!(shown.ask("GET", "/", &[&format!("Host: localhost:{port}")]).0, 200);
    // A name of somebody else's that was made to lead here.
    assert_eq!(shown.ask("GET", "/", &[&format!("Host: evil.example:{port}")]).0, 403);
    drop(shown);
    let short = Scratch::new("dashboard-short");
    let file = short.file("token");
    fs::write(&file, "short").expect("it can be written");
    for (args, said) in [
        (["--no-token", "--listen", "0.0.0.0:0"], "only a loopback address"),
        (["--token-file", &file, "--all-is-well"], "unexpected argument"),
        (["--token-file", &file, &pid], "at least 16 letters"),
        (["--token-file", "/nonexistent/token", &pid], "No such file"),
    ] {
        let output = agent::run(&[&["dashboard"][..], &args[..]].concat()).expect("agent");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{args:?} {stderr}");
    }
}

#[test]
fn fifty_that_look_and_some_that_do_not_read_hold_up_nobody() {
    let scratch = Scratch::new("dashboard-many");
    let target = Target::start(GO, "exe", "demo").expect("target");
    let other = Target::start(GO, "exe", "demo").expect("target");
    let shown = with_token(&scratch, &[target.pid(), other.pid()]);
    let process = format!("/process/{}", target.pid());
    shown.until("/", "demo");
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&shown.address).expect("it listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        stream
    };
    // They ask and never read.
    let deaf: Vec<_> = (0..20).map(|_| ask(&process)).collect();
    let mut looking: Vec<_> = (0..50).map(|_| BufReader::new(ask("/events"))).collect();
    for looks in &mut looking {
        let mut events = 0;
        let mut line = String::new();
        while events < 3 {
            line.clear();
            assert!(looks.read_line(&mut line).expect("a line") > 0, "it ended");
            events += u32::from(line.starts_with("event: sample"));
        }
    }
    let report = shown.page(&format!("{process}/report.json"));
    let (_, report) = report.split_once("\r\n\r\n").expect("a body");
    let report: Value = serde_json::from_str(report).expect("JSON");
    assert_eq!(report["schema"], "leak-agent/report/v1");
    assert!(shown.page(&format!("{process}/report.html")).contains("</html>"));
    assert!(shown.page(&format!("{process}/goroutines.pb.gz")).contains("attachment"));
    drop(deaf);
    drop(target);
    shown.until("/", "(ended)");
}

#[test]
fn two_moments_of_a_process_are_compared_at_an_address_that_has_both() {
    let scratch = Scratch::new("dashboard-compare");
    let target = Target::start(GO, "exe", "demo").expect("target");
    let shown = with_token(&scratch, &[target.pid()]);
    let process = format!("/process/{}", target.pid());
    let compare = format!("{process}/compare");
    shown.until("/", "demo");
    shown.until(&compare, "<td>grown</td>");
    let json = |query: &str| -> Value {
        let answer = shown.page(&format!("{compare}.json{query}"));
        serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
    };
    // The leak has grown from the first to the last.
    let whole = json("");
    assert_eq!(whole["schema"], "leak-agent/compare/v1");
    let leaked = |it: &&Value| it["blocked_at"]["function"] == "main.(*priceList).quote.func1";
    let leak =
        |of: &Value| of["groups"].as_array().and_then(|all| all.iter().find(leaked).cloned());
    let grown = leak(&whole).expect("it leaks");
    assert!(grown["after"].as_u64() > grown["before"].as_u64(), "{grown}");
    assert!(whole["after"]["memory"]["rss_bytes"].as_u64().is_some(), "{whole}");
    // By their own times, whichever comes first; and a moment differs in nothing from itself.
    let page = shown.page(&compare);
    let times: Vec<&str> =
        page.split("<option value=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    let (first, last) = (times[0], times[times.len() - 1]);
    let ordered = json(&format!("?before={first}&after={last}"));
    assert_eq!(ordered, json(&format!("?after={first}&before={last}")));
    assert_eq!(json(&format!("?before={last}&after={last}"))["groups"], serde_json::json!([]));
    let chosen = shown.page(&format!("{compare}?before={first}&after={last}"));
    assert!(chosen.contains(&format!("<option value=\"{first}\" selected>")), "{chosen}");
    assert!(!chosen.contains("Not every sample is kept"), "{chosen}");
    // What was never sampled is said to be near; what is no time is as if it were not there.
    let near = shown.page(&format!("{compare}?before=1000&after={last}"));
    assert!(near.contains("Not every sample is kept"), "{near}");
    shown.page(&format!("{compare}?before=99999999999999999999&after=%00x"));
    assert_eq!(shown.ask("GET", "/process/1/compare", &[]).0, 401);
}

#[test]
fn it_is_shown_by_tls_with_a_certificate_and_its_key() {
    let scratch = Scratch::new("dashboard-tls");
    let target = Target::start(GO, "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let token = scratch.write("token", TOKEN);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tls");
    let [ca, cert, key, other] =
        ["ca.pem", "server.pem", "server.key", "other.key"].map(|name| format!("{folder}/{name}"));
    let flags = ["--token-file", &token, "--tls-cert", &cert, "--tls-key", &key, &pid];
    let shown = Shown::start(&flags);
    // The agent's own client: who is not trusted is not talked to, who is answers.
    let ask = |flags: &[&str]| {
        let url = format!("https://{}", shown.address);
        let output = agent::run(&[&["check", "--url", &url][..], flags].concat()).expect("agent");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(ask(&[]).contains("nobody whom this machine trusts has signed its certificate"));
    let said = ask(&["--ca-file", &ca]);
    assert!(said.contains("401 Unauthorized"), "{said}");
    // Who does not speak TLS, or says nothing, gets nothing and holds up nobody.
    let silent: Vec<_> =
        (0..30).map(|_| TcpStream::connect(&shown.address).expect("it listens")).collect();
    let mut plain = TcpStream::connect(&shown.address).expect("it listens");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
    let mut answer = Vec::new();
    _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
    assert!(ask(&["--ca-file", &ca]).contains("401 Unauthorized"));
    let curl = Command::new("curl")
        .args(["--silent", "--include", "--cacert", &ca])
        .arg(format!("https://{}/?token={TOKEN}", shown.address))
        .output();
    if let Ok(curl) = curl {
        let answer = String::from_utf8_lossy(&curl.stdout).into_owned();
        assert!(answer.contains("HttpOnly; SameSite=Strict; Secure"), "{answer}");
    }
    drop(silent);
    drop(shown);
    let text = scratch.write("text", "potato");
    for (cert, key, said) in [
        (&cert, &other, "other.key for TLS: it is not the key of the certificate"),
        (&text, &key, "text for TLS: there is no certificate in it (PEM)"),
        (&cert, &cert, "server.pem for TLS: there is no private key in it"),
        (&"/nonexistent/cert".to_owned(), &key, "/nonexistent/cert for TLS: No such file"),
    ] {
        let flags =
            ["dashboard", "--token-file", &token, "--tls-cert", cert, "--tls-key", key, &pid];
        let output = agent::run(&flags).expect("agent");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{stderr}");
    }
    let output = agent::run(&["dashboard", "--tls-cert", &cert, &pid]).expect("agent");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--tls-key"), "{output:?}");
}

#[test]
fn a_browser_shows_it_live() {
    let Some(chromium) = browser::find() else {
        return skip("there is no browser: apt-get install chromium-headless-shell");
    };
    let scratch = Scratch::new("dashboard-browser");
    let target = Target::start(GO, "exe", "demo").expect("target");
    let shown = with_token(&scratch, &[target.pid()]);
    for screen in [
        Screen { width: 1280, height: 900, dark: false },
        Screen { width: 375, height: 750, dark: true },
    ] {
        let url = format!("http://{}/{}", shown.address, shown.link);
        let mut page = Browser::visit(&chromium, &url, screen).expect("a page");
        assert_eq!(page.evaluate("location.search").expect("text"), "", "no token is left there");
        page.until("document.querySelectorAll('table.index tbody tr').length === 1")
            .expect("a row");
        page.evaluate("document.querySelector('table.index a').click()").expect("a link");
        page.until("document.querySelectorAll('article.finding').length > 0").expect("a finding");
        page.until("document.querySelector('.live').textContent.startsWith('live, ')")
            .expect("live");
        // What is unfolded stays so, and the figures go on.
        let count = "document.querySelector('p.target').textContent";
        let before = page.evaluate(count).expect("text");
        page.evaluate("document.querySelector('table.groups details').open = true").expect("open");
        page.until(&format!("{count} !== {before}")).expect("new figures");
        page.until("document.querySelectorAll('table.groups details[open]').length > 0")
            .expect("still open");
        // The filter is a key away, and holds for what comes later.
        page.press("/").expect("a key");
        page.until("document.activeElement.id === 'filter'").expect("the filter has the keys");
        page.evaluate(
            "(() => { const it = document.activeElement; it.value = 'no such text'; \
             it.dispatchEvent(new Event('input')); })()",
        )
        .expect("text");
        let rows = "[...document.querySelectorAll('table.groups > tbody > tr')]";
        let before = page.evaluate(count).expect("text");
        page.until(&format!("{count} !== {before}")).expect("new figures");
        page.until(&format!("{rows}.length > 0 && {rows}.every((row) => row.hidden)"))
            .expect("none");
        // Two moments, by keys alone.
        page.evaluate("document.querySelector('a[href$=compare]').click()").expect("a link");
        page.until("document.querySelectorAll('#before option').length > 2").expect("moments");
        let chosen = "document.querySelector('#after').value";
        let before = page.evaluate(chosen).expect("a moment");
        page.evaluate("document.querySelector('#after').focus()").expect("focus");
        page.press("ArrowUp").expect("a key");
        page.until(&format!("{chosen} !== {before}")).expect("another moment");
        page.evaluate("document.querySelector('form.moments button').focus()").expect("focus");
        page.press("Enter").expect("a key");
        page.until("location.search.includes('before=') && location.search.includes('after=')")
            .expect("an address with both");
        page.until("document.querySelectorAll('#group-changes tbody tr').length > 0")
            .expect("what changed");
        let is_narrow = "document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(page.evaluate(is_narrow).expect("a width"), true, "{screen:?}");
        let complaints: Vec<_> = page
            .complaints()
            .into_iter()
            .filter(|it| !it.contains("requestWillBeSent") || !it.contains(&shown.address))
            .collect();
        assert_eq!(complaints, [""; 0]);
    }
}
