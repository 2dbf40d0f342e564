//! Against servers that answer as they should not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::credentials::Secret;
use super::super::settings::Header;
use super::*;

/// A server on this machine that answers each request by itself, and what it was asked.
struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut read = BufReader::new(stream.try_clone().expect("a copy"));
                let mut lines = read.by_ref().lines();
                let request: Vec<String> = std::iter::from_fn(|| lines.next()?.ok())
                    .take_while(|line| !line.is_empty())
                    .collect();
                let mut request = request.join("\n");
                let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
                if let Some(length) = length.and_then(|length| length.parse().ok()) {
                    request.push_str("\n\n");
                    // A body that is cut is seen in the test.
                    _ = read.take(length).read_to_string(&mut request);
                }
                told.lock().expect("unbroken").push(request.clone());
                answer(&request, &mut stream);
            }
        });
        Self { address, heard }
    }

    /// One that always says the same.
    fn saying(text: &[u8]) -> Self {
        let text = text.to_owned();
        Self::new(move |_, stream| drop(stream.write_all(&text)))
    }

    fn url(&self) -> Url {
        format!("http://{}/debug/pprof/", self.address).parse().expect("a URL")
    }

    fn client(&self, settings: Settings) -> Client {
        Client::new(&self.url(), settings).expect("sound settings")
    }

    fn problem(&self) -> Problem {
        self.problem_with(Settings::default())
    }

    fn problem_with(&self, settings: Settings) -> Problem {
        let client = self.client(settings);
        client.profile(&self.url(), 1 << 20, &mut |_| {}).expect_err("no profile").problem
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("unbroken").clone()
    }
}

fn soon() -> Settings {
    Settings { timeout: Duration::from_millis(300), ..Settings::default() }
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n").as_bytes(), body].concat()
}

#[test]
fn a_body_is_handed_on_unpacked() {
    let text = "goroutine profile: total 3\n".repeat(9000);
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("a vector takes everything");
    let packed = packer.finish().expect("a vector takes everything");
    let server = Server::saying(&ok("Content-Encoding: gzip\r\n", &packed));
    let (mut came, mut pieces) = (Vec::new(), 0);
    let client = server.client(Settings::default());
    let take = &mut |piece: &[u8]| {
        came.extend_from_slice(piece);
        pieces += 1;
    };
    client.profile(&server.url(), 1 << 20, take).expect("a profile");
    assert_eq!(came.len(), text.len());
    assert!(pieces > 1);
    // The limit is of what was unpacked.
    let error = client.profile(&server.url(), 1000, &mut |_| {}).expect_err("too large");
    assert!(matches!(error.problem, Problem::TooLarge(1000)), "{error}");
}

#[test]
fn what_is_no_profile_is_told_in_words() {
    for (answer, expected) in [
        (
            &b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n404 page not found\n"[..],
            "answered 404 Not Found: \"404 page not found\"",
        ),
        (b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", "answered 503 Service Unavailable"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><title>Sign in</title>",
            "the answer is an HTML page, \"Sign in\", not a profile",
        ),
        (b"SSH-2.0-OpenSSH_9\r\n", "the answer cannot be understood: "),
        (b"", "the server closed the connection without an answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "the answer breaks off after 3 B: end of file before message length reached",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\npotato",
            "the answer breaks off after 0 B: ",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc\r\n\r\n", "redirected to file:, which"),
        (b"HTTP/1.1 302 Found\r\nLocation: again\r\n\r\n", "redirected more than 5 times"),
    ] {
        let said = Server::saying(answer).problem().to_string();
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn a_server_that_never_ends_is_left() {
    let forever = |_: &str, stream: &mut TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        _ = stream.write_all(head);
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    };
    assert!(matches!(Server::new(forever).problem(), Problem::TooLarge(_)));
    let headers = |_: &str, stream: &mut TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Long: potato\r\n").is_ok() {}
    };
    assert!(matches!(Server::new(headers).problem(), Problem::Protocol(_)));
    let slowly = |_: &str, stream: &mut TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    };
    assert_eq!(Server::new(slowly).problem_with(soon()).to_string(), "timed out after 300.0ms");
    let silently = |_: &str, _: &mut TcpStream| thread::sleep(Duration::from_secs(60));
    assert_eq!(Server::new(silently).problem_with(soon()).to_string(), "timed out after 300.0ms");
}

#[test]
fn nobody_there() {
    let closed =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let url: Url = format!("http://{closed}/").parse().expect("a URL");
    let client = Client::new(&url, Settings::default()).expect("sound settings");
    let error = client.text(&url, 10).expect_err("nobody");
    assert_eq!(error.to_string(), format!("{url}: connection refused: nothing listens there"));
}

#[test]
fn who_asks_is_told_to_the_server_that_was_named_alone() {
    let settings = || Settings {
        credentials: Some(Credentials::Bearer(Secret::new("potato".to_owned()))),
        headers: vec![Header::parse("X-Scope-OrgID: turnip").expect("a header")],
        ..Settings::default()
    };
    let other = Server::saying(&ok("", b"elsewhere"));
    let target = other.url();
    let named = Server::new(move |request, stream| {
        let answer = if request.starts_with("GET /debug/pprof/ ") {
            b"HTTP/1.1 302 x\r\nLocation: /here\r\nConnection: close\r\n\r\n".to_vec()
        } else {
            let location = target.as_str().replacen("://", "://me:turnip@", 1);
            format!("HTTP/1.1 307 x\r\nLocation: {location}\r\nConnection: close\r\n\r\n")
                .into_bytes()
        };
        _ = stream.write_all(&answer);
    });
    let text = named.client(settings()).text(&named.url(), 100).expect("a text");
    assert_eq!((text.text.as_str(), text.url), ("elsewhere", other.url()));
    let (named, other) = (named.heard(), other.heard());
    assert_eq!((named.len(), other.len()), (2, 1));
    for request in &named {
        let request = request.to_lowercase();
        assert!(request.contains("bearer potato") && request.contains("turnip"), "{request}");
    }
    let request = other[0].to_lowercase();
    assert!(
        !["authorization", "potato", "turnip"].iter().any(|it| request.contains(it)),
        "{request}"
    );
}

#[test]
fn the_server_that_was_named_is_its_host_and_port() {
    let same = |a: &str, b: &str| is_same_server(&a.parse().expect(a), &b.parse().expect(b));
    assert!(
        same("http://shop/", "https://shop/x") && same("http://shop:6060/", "http://SHOP:6060/")
    );
    for (a, b) in [
        ("http://shop/", "http://shop.evil/"),
        ("http://shop:6060/", "http://shop:6061/"),
        ("http://shop:6060/", "https://shop/"),
        ("https://shop/", "http://shop/"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn what_is_sent_reaches_the_server_that_was_named_alone() {
    let body = Body { media_type: "application/json", bytes: b"{\"it\":1}" };
    let elsewhere = Server::saying(&ok("", b"mine"));
    let other = elsewhere.url();
    let server = Server::new(move |request, stream| {
        let answer = match request.split(' ').nth(1).unwrap_or_default() {
            "/there" => {
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone".to_vec()
            }
            "/full" => {
                b"HTTP/1.1 429 x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfull\n".to_vec()
            }
            path => {
                let (status, to) = match path {
                    "/moved" => ("308 Permanent Redirect", "/there".to_owned()),
                    "/seen" => ("303 See Other", "/there".to_owned()),
                    _ => ("307 Temporary Redirect", format!("{other}secret")),
                };
                let head = format!("HTTP/1.1 {status}\r\nLocation: {to}\r\nConnection: close");
                format!("{head}\r\nContent-Length: 0\r\n\r\n").into_bytes()
            }
        };
        _ = stream.write_all(&answer);
    });
    let credentials = Some(Credentials::Bearer(Secret::new("token".to_owned())));
    let client = server.client(Settings { credentials, ..Settings::default() });
    let post = |path: &str| client.post(&server.url().join(path).expect("a URL"), body, 99);
    assert_eq!(post("/moved").expect("an answer"), b"done");
    let heard = server.heard();
    assert_eq!(heard.len(), 2);
    for request in &heard {
        assert!(request.starts_with("POST /"), "{request}");
        assert!(request.contains("\ncontent-type: application/json\n"), "{request}");
        assert!(request.contains("\nauthorization: Bearer token\n"), "{request}");
        assert!(request.ends_with("\n\n{\"it\":1}"), "{request}");
    }
    let refused = |path: &str| post(path).expect_err("no answer").problem.to_string();
    assert_eq!(refused("/full"), "answered 429 Too Many Requests: \"full\"");
    let own = server.url().origin().ascii_serialization();
    assert_eq!(refused("/seen"), format!("redirected to {own}, which is not followed"));
    let origin = elsewhere.url().origin().ascii_serialization();
    assert_eq!(refused("/away"), format!("redirected to {origin}, which is not followed"));
    assert_eq!(elsewhere.heard(), [""; 0]);
}

#[test]
fn what_is_handed_over_is_taken_by_any_success_and_a_pause_is_told() {
    let body = Body { media_type: "application/json", bytes: b"{}" };
    let header = Header::parse("X-Signature: v1=abc").expect("a header");
    let taken = Server::saying(b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nok\n");
    let client = taken.client(Settings::default());
    let receipt = client.hand_over(&taken.url(), body, &[header]).expect("taken");
    assert_eq!(receipt, Taken { code: 202, said: Some("\"ok\"".to_owned()) });
    assert!(taken.heard()[0].contains("\nx-signature: v1=abc\n"), "{:?}", taken.heard());
    for (said, pause) in [
        ("Retry-After: 7", Some(7)),
        (
            "Date: Sun, 29 Nov 2026 20:00:00 GMT\r\nRetry-After: Sun, 29 Nov 2026 20:01:30 GMT",
            Some(90),
        ),
        ("Retry-After: soon", None),
        ("X-Other: 1", None),
    ] {
        let answer = format!("HTTP/1.1 429 Too Many\r\n{said}\r\nContent-Length: 0\r\n\r\n");
        let server = Server::saying(answer.as_bytes());
        let client = server.client(Settings::default());
        let error = client.hand_over(&server.url(), body, &[]).expect_err("not taken");
        assert_eq!(error.problem.retry_after(), pause.map(Duration::from_secs), "{said}");
    }
}
