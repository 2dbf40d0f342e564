use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::*;
use crate::model::{Goroutine, NotAllocated, Observation, ProofAttempt, ProofCoverage, WaitClass};
use crate::profile::Record;
use crate::profile::packed::{self, Limits};
use crate::profile::proto::Profile;
use crate::sample::{allocating, leaking};

/// A target with so many goroutines that leak at each sample.
fn served(
    name: &str,
    sample: impl FnMut() -> Result<Option<Observation>, String> + Send + 'static,
) -> Served {
    Served {
        name: name.to_owned(),
        title: format!("potato <pid {name}>"),
        sample: Box::new(sample),
        proof: Err("--proof off".to_owned()),
        heap: Err("it keeps none".to_owned()),
        has_ended: Box::new(|| false),
        command_line: Box::new(|| Ok(b"./potato\0-x\0".to_vec())),
    }
}

fn growing(name: &str) -> Served {
    let mut seconds = 0;
    served(name, move || {
        seconds += 1;
        Ok(Some(leaking(10 * u64::from(seconds)).observe(seconds)))
    })
}

/// One that keeps a memory profile, with this many more objects at each reading.
fn with_heap(name: &str) -> Served {
    let mut readings = 0;
    let heap = move || {
        readings += 1;
        Ok(allocating(10 * readings))
    };
    Served { heap: Ok(Box::new(heap)), ..growing(name) }
}

fn start(served: Vec<Served>) -> Server {
    Server::start("127.0.0.1:0".parse().expect("an address"), served).expect("a free port")
}

struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

fn send(server: &Server, path: &str) -> TcpStream {
    let address: SocketAddr = server.address().to_string().parse().expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    stream
}

fn receive(stream: TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut headers).expect("an answer") > 0, "{headers}");
    }
    let mut body = Vec::new();
    reader.read_to_end(&mut body).expect("a body");
    let status = headers[9..12].parse().expect("a status");
    Answer { status, headers: headers.to_lowercase(), body }
}

fn get(server: &Server, path: &str) -> Answer {
    receive(send(server, path))
}

fn end(server: Server) {
    server.stopper()();
    server.join().expect("no panic");
}

#[test]
fn the_paths_of_go_are_served() {
    let server = start(vec![growing("7")]);
    let index = get(&server, "/debug/pprof/");
    let page = String::from_utf8(index.body).expect("UTF-8");
    assert!(index.headers.contains("content-type: text/html"));
    assert!(page.contains("potato &lt;pid 7&gt;") && page.contains("goroutine?debug=2"), "{page}");
    for (path, to) in [
        ("/", "/debug/pprof/"),
        ("/debug/pprof", "/debug/pprof/"),
        ("/7/debug/pprof", "/7/debug/pprof/"),
    ] {
        let moved = get(&server, path);
        assert!((300..400).contains(&moved.status), "{path}");
        assert!(moved.headers.contains(&format!("location: {to}\r\n")), "{}", moved.headers);
    }
    let cmdline = get(&server, "/debug/pprof/cmdline");
    assert_eq!((cmdline.status, cmdline.body.as_slice()), (200, &b"./potato\0-x"[..]));

    let dump = get(&server, "/debug/pprof/goroutine?debug=2");
    assert!(dump.headers.contains("content-type: text/plain; charset=utf-8\r\n"));
    assert!(dump.body.starts_with(b"goroutine 100 [chan send]:\nmain.leakGoroutines.func1(...)\n"));
    let counts = get(&server, "/7/debug/pprof/goroutine?debug=1");
    assert!(counts.body.starts_with(b"goroutine profile: total 23\n20 @ 0x"));
    let profile = get(&server, "/debug/pprof/goroutine");
    assert!(
        profile.headers.contains("content-disposition: attachment; filename=\"goroutine\"\r\n")
    );
    assert!(profile.headers.contains(&format!("content-length: {}\r\n", profile.body.len())));
    let bytes = packed::whole(&profile.body, Limits::of_bytes(1 << 20)).expect("gzip");
    let read = Profile::read(&bytes).expect("a profile").goroutines(&mut |_: &Record<'_>| {});
    assert_eq!(read.map(|it| it.goroutines), Ok(33));
    let delta = get(&server, "/debug/pprof/goroutine?seconds=1");
    assert!(delta.headers.contains("filename=\"goroutine-delta\"\r\n"), "{}", delta.headers);
    let bytes = packed::whole(&delta.body, Limits::of_bytes(1 << 20)).expect("gzip");
    let read = Profile::read(&bytes).expect("a profile").goroutines(&mut |_: &Record<'_>| {});
    assert_eq!(read.map(|it| it.goroutines), Ok(10));
    end(server);
}

/// A target that has a proof tried when it is asked to, and what each attempt comes to.
fn proving(name: &str, attempts: Vec<ProofAttempt>) -> (Served, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (ask, tried) = (Arc::clone(&asked), Arc::clone(&asked));
    let mut done = 0;
    let sample = move || {
        let mut observation = leaking(20).observe(0);
        let attempt = tried.load(Ordering::SeqCst).checked_sub(1).and_then(|at| attempts.get(at));
        if let Some(latest) = attempt {
            let is_decided = latest.is_decided();
            let sends = |it: &&mut Goroutine| is_decided && it.wait == WaitClass::ChanSend;
            let leaks = observation.goroutines.iter_mut().filter(sends).take(2 * done);
            leaks.for_each(|it| it.proven = true);
            done += 1;
            observation.coverage.proof = Some(ProofCoverage {
                latest: latest.clone(),
                held: 1,
                proven: 0,
                contradicted: 0,
                kept: None,
                decided: is_decided.then_some(Duration::ZERO),
            });
        }
        Ok(Some(observation))
    };
    let ask = move || {
        ask.fetch_add(1, Ordering::SeqCst);
    };
    (Served { proof: Ok(Box::new(ask)), ..served(name, sample) }, asked)
}

#[test]
fn leaks_are_served_once_it_is_known_which_there_are_and_only_they_are_tried_for() {
    let refused = ProofAttempt::Refused { why: "another traces it".to_owned() };
    let reached = ProofAttempt::AllReachable { candidates: 20, took: Duration::ZERO };
    // None at the first, none at the second, and two more at each that follows.
    let attempts = vec![reached.clone(), refused, reached.clone(), reached.clone(), reached];
    let (target, asked) = proving("7", attempts);
    let server = start(vec![target]);
    let index = String::from_utf8(get(&server, "/debug/pprof/").body).expect("UTF-8");
    assert!(index.contains("href=\"goroutineleak?debug=1\""), "{index}");
    assert_eq!(get(&server, "/debug/pprof/goroutine").status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a goroutine profile has nothing proven");

    let none = get(&server, "/debug/pprof/goroutineleak?debug=1");
    let text = String::from_utf8(none.body).expect("UTF-8");
    assert!(text.starts_with("goroutineleak profile: total 0\n# leak-agent "), "{text}");
    assert!(text.contains("20 other blocked goroutines wait for can still be reached"), "{text}");
    let refused = get(&server, "/debug/pprof/goroutineleak");
    let why = String::from_utf8(refused.body).expect("UTF-8");
    assert_eq!(refused.status, 503, "no empty profile");
    assert_eq!(why, "no goroutineleak profile: nothing was proven: another traces it\n");

    let dump = get(&server, "/debug/pprof/goroutineleak?debug=2");
    let text = String::from_utf8(dump.body).expect("UTF-8");
    assert!(text.starts_with("# leak-agent "), "{text}");
    assert!(text.contains("# leak-agent: (leaked) by its own proof, 23 goroutines\n"), "{text}");
    assert_eq!(text.matches(" [chan send (leaked)]:\n").count(), 4, "{text}");
    assert_eq!(text.matches("\ngoroutine ").count(), 23, "all are there, as Go has it");
    let delta = get(&server, "/debug/pprof/goroutineleak?seconds=1");
    assert!(delta.headers.contains("filename=\"goroutineleak-delta\"\r\n"), "{}", delta.headers);
    let bytes = packed::whole(&delta.body, Limits::of_bytes(1 << 20)).expect("gzip");
    let read = Profile::read(&bytes).expect("a profile").goroutines(&mut |_: &Record<'_>| {});
    assert_eq!(read.map(|it| it.goroutines), Ok(2));
    end(server);
}

/// Bytes in use, and those that were ever allocated.
fn of_heap(answer: &Answer) -> (u64, u64) {
    let bytes = packed::whole(&answer.body, Limits::of_bytes(1 << 20)).expect("gzip");
    let profile = Profile::read(&bytes).expect("a profile");
    let (sum, faults, _) = profile.heap(|_| {}).expect("one of the heap");
    assert_eq!(faults, 0);
    (sum.inuse_bytes.expect("it has them"), sum.alloc_bytes.expect("it has them"))
}

#[test]
fn the_heap_is_served_where_the_program_keeps_a_profile() {
    let server = start(vec![with_heap("7"), growing("8")]);
    for path in ["/7/debug/pprof/", "/8/debug/pprof/"] {
        let page = String::from_utf8(get(&server, path).body).expect("UTF-8");
        let has_heap =
            page.contains("href=\"heap?debug=1\"") && page.contains("\"allocs?debug=1\"");
        assert_eq!(has_heap, path.starts_with("/7"), "{page}");
    }
    let heap = get(&server, "/7/debug/pprof/heap");
    assert!(heap.headers.contains("content-disposition: attachment; filename=\"heap\"\r\n"));
    assert_eq!(of_heap(&heap), (10 * 64, 20 * 64));
    let allocs = get(&server, "/7/debug/pprof/allocs?debug=0");
    assert!(allocs.headers.contains("filename=\"allocs\"\r\n"), "{}", allocs.headers);
    assert_eq!(of_heap(&allocs), (20 * 64, 40 * 64));
    let delta = get(&server, "/7/debug/pprof/heap?seconds=1");
    assert!(delta.headers.contains("filename=\"heap-delta\"\r\n"), "{}", delta.headers);
    assert_eq!(of_heap(&delta), (10 * 64, 20 * 64), "from the third reading to the fourth");
    let text = get(&server, "/7/debug/pprof/heap?debug=1");
    assert!(text.headers.contains("content-type: text/plain; charset=utf-8\r\n"));
    let text = String::from_utf8(text.body).expect("UTF-8");
    let expected = "heap profile: 50: 3200 [100: 6400] @ heap/2\n\
                    50: 3200 [100: 6400] @ 0x1 0x2\n\
                    #\t0x2\tmain.keep+0x0\t/src/app/main.go:9\n\n";
    assert_eq!(text, expected);
    for path in ["/8/debug/pprof/heap", "/8/debug/pprof/allocs?debug=1"] {
        let none = get(&server, path);
        let said = String::from_utf8(none.body).expect("UTF-8");
        assert_eq!(none.status, 404);
        assert!(said.starts_with("no ") && said.ends_with(" profile: it keeps none\n"), "{said}");
    }
    end(server);
}

#[test]
fn a_heap_that_cannot_be_read_any_more_is_said() {
    let mut readings = vec![
        Err(NotAllocated::Unread { why: "access is refused".to_owned() }),
        Err(NotAllocated::Off),
    ];
    let heap = move || readings.pop().unwrap_or_else(|| Ok(allocating(1)));
    let server = start(vec![Served { heap: Ok(Box::new(heap)), ..growing("7") }]);
    for (status, said) in
        [(404, "keeps no memory profile"), (503, "access is refused"), (200, "heap profile: 1: 64")]
    {
        let answer = get(&server, "/debug/pprof/heap?debug=1");
        let body = String::from_utf8(answer.body).expect("UTF-8");
        assert_eq!(answer.status, status, "{body}");
        assert!(body.contains(said), "{body}");
    }
    end(server);
}

#[test]
fn what_is_not_served_is_said_in_words() {
    let server = start(vec![growing("7")]);
    for (path, status, said) in [
        ("/debug/pprof/heap", 404, "no heap profile: it keeps none"),
        ("/debug/pprof/goroutineleak", 404, "no goroutineleak profile: --proof off"),
        (
            "/debug/pprof/mutex",
            404,
            "no mutex profile (who held the locks that others waited for): leak",
        ),
        ("/debug/pprof/profile?seconds=1", 404, "no profile profile (where CPU time goes)"),
        ("/debug/pprof/potato", 404, "Unknown profile"),
        ("/8/debug/pprof/goroutine", 404, "no such process is served here"),
        ("/potato", 404, "404 page not found"),
        ("/debug/pprof/goroutine?seconds=x", 400, "invalid value for \"seconds\""),
        ("/debug/pprof/goroutine?seconds=1&debug=1", 400, "seconds and debug"),
    ] {
        let answer = get(&server, path);
        let body = String::from_utf8(answer.body).expect("UTF-8");
        assert_eq!(answer.status, status, "{path}: {body}");
        assert!(body.starts_with(said), "{path}: {body}");
    }
    end(server);
}

#[test]
fn several_targets_have_paths_of_their_own() {
    let server = start(vec![growing("7"), growing("8")]);
    let page = String::from_utf8(get(&server, "/").body).expect("UTF-8");
    assert!(page.contains("/7/debug/pprof/") && page.contains("/8/debug/pprof/"), "{page}");
    assert_eq!(get(&server, "/8/debug/pprof/goroutine?debug=1").status, 200);
    assert_eq!(get(&server, "/debug/pprof/goroutine").status, 404);
    end(server);
}

/// A target whose samples begin when they are allowed to.
fn held() -> (Served, Receiver<()>, Sender<()>, Arc<AtomicUsize>) {
    let (begun, begins) = channel();
    let (allow, allowed) = channel();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let sample = move || {
        count.fetch_add(1, Ordering::SeqCst);
        begun.send(()).map_err(|_| "the test is over")?;
        allowed.recv().map_err(|_| "the test is over")?;
        Ok(Some(leaking(10).observe(0)))
    };
    (served("7", sample), begins, allow, taken)
}

#[test]
fn requests_that_come_together_share_a_sample_and_too_many_are_refused() {
    let (target, begins, allow, taken) = held();
    let server = start(vec![target]);
    let first = send(&server, "/debug/pprof/goroutine?debug=1");
    begins.recv().expect("a first sample");
    // These come while it is taken. There is room for fewer of them.
    let others: Vec<_> = (0..80).map(|_| send(&server, "/debug/pprof/goroutine?debug=1")).collect();
    // Those that are refused are answered though nothing was sampled yet.
    let (answers, answered) = channel();
    for stream in others {
        let answers = answers.clone();
        thread::spawn(move || answers.send(receive(stream).status));
    }
    let mut refused: Vec<u16> = (0..17).map(|_| answered.recv().expect("an answer")).collect();
    for _ in 0..2 {
        allow.send(()).expect("it waits");
    }
    assert_eq!(receive(first).status, 200);
    drop(answers);
    let rest: Vec<u16> = answered.iter().collect();
    refused.retain(|&status| status != 503);
    assert!(refused.is_empty() && rest.len() == 63 && rest.iter().all(|&status| status == 200));
    assert_eq!(taken.load(Ordering::SeqCst), 2);
    drop(allow);
    end(server);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let server = start(vec![served("7", || Ok(Some(leaking(40_000).observe(0))))]);
    let _slow: Vec<_> = (0..4).map(|_| send(&server, "/debug/pprof/goroutine?debug=2")).collect();
    let quick = get(&server, "/debug/pprof/goroutine?debug=1");
    assert!(quick.body.starts_with(b"goroutine profile: total 40003\n"));
    // Nor the end.
    end(server);
}

#[test]
fn it_ends_with_its_last_target_and_says_what_cannot_be_read() {
    let has_ended = Arc::new(AtomicBool::new(false));
    let answers = Arc::new(Mutex::new(vec![Ok(None), Err("access is refused".to_owned())]));
    let mut target =
        served("7", move || answers.lock().expect("no panic").pop().unwrap_or(Ok(None)));
    let seen = Arc::clone(&has_ended);
    target.has_ended = Box::new(move || seen.load(Ordering::SeqCst));
    let mut other = growing("8");
    let seen = Arc::clone(&has_ended);
    other.has_ended = Box::new(move || seen.load(Ordering::SeqCst));
    let server = start(vec![target, other]);
    let refused = get(&server, "/7/debug/pprof/goroutine");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.body, b"cannot read the process: access is refused\n");
    let gone = get(&server, "/7/debug/pprof/goroutine");
    assert_eq!((gone.status, gone.body.as_slice()), (410, &b"the process has exited\n"[..]));
    assert_eq!(get(&server, "/7/debug/pprof/goroutine").status, 410);
    assert_eq!(get(&server, "/8/debug/pprof/goroutine").status, 200);
    has_ended.store(true, Ordering::SeqCst);
    server.join().expect("no panic");
}

#[test]
fn addresses_are_loopback_unless_they_say_else() {
    for (text, address, is_public) in [
        ("127.0.0.1:6061", "127.0.0.1:6061", false),
        ("6061", "127.0.0.1:6061", false),
        (":6061", "127.0.0.1:6061", false),
        ("localhost:6061", "127.0.0.1:6061", false),
        ("[::1]:6061", "[::1]:6061", false),
        ("0.0.0.0:6061", "0.0.0.0:6061", true),
        ("[::]:6061", "[::]:6061", true),
        ("10.1.2.3:6061", "10.1.2.3:6061", true),
    ] {
        let parsed: ListenAddress = text.parse().expect(text);
        assert_eq!((parsed.to_string().as_str(), parsed.is_public()), (address, is_public));
    }
    for text in ["", "potato", "127.0.0.1", "localhost:potato", "1.2.3.4:70000"] {
        assert!(text.parse::<ListenAddress>().is_err(), "{text}");
    }
    let server = start(vec![growing("7")]);
    let again = Server::start(server.address(), vec![growing("8")]).expect_err("in use");
    assert!(again.to_string().starts_with("cannot listen on 127.0.0.1:"), "{again}");
    end(server);
}
