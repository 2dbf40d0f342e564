//! One leak, seen by every kind of source: each finds the same class at the same line, and counts as many as it was given.
#![allow(clippy::expect_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leak_agent_tests::replay::{Replay, Request};
use leak_agent_tests::{Scratch, Target, agent};
use prost::Message as _;
use serde_json::{Value, json};

/// Profiles of the series, one a second.
const PROFILES: usize = 10;

/// What the program that leaks served at one moment.
struct Moment {
    at: jiff::Timestamp,
    dump: Vec<u8>,
    proto: Vec<u8>,
}

/// What one source finds of the leak. How sure it is differs: a runtime that was asked for its `goroutineleak` profile
/// marks what it found.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    class: String,
    function: String,
    file: String,
    line: u64,
    count: u64,
}

#[test]
fn every_source_finds_the_same() {
    let mut target = Target::start("1.27.3", "exe", "endpoint").expect("target");
    let address = target.command("address").expect("an address");
    let pid = target.pid().to_string();
    let folder = Scratch::new("sources");
    let (moments, attached, by_url) = thread::scope(|scope| {
        let watch = |from: [String; 2]| {
            move || found(&[&from[0], &from[1], "--duration", "10s", "--interval", "1s"])
        };
        let attached = scope.spawn(watch(["--pid".to_owned(), pid]));
        let by_url = scope.spawn(watch(["--url".to_owned(), address.clone()]));
        let moments = series(&address);
        let joined = |it: thread::ScopedJoinHandle<'_, Found>| it.join().expect("a report");
        (moments, joined(attached), joined(by_url))
    });
    for (kind, of) in [("dumps", &|it: &Moment| &it.dump), ("protos", &|it: &Moment| &it.proto)]
        as [(&str, &dyn Fn(&Moment) -> &Vec<u8>); 2]
    {
        std::fs::create_dir_all(folder.0.join(kind)).expect("a folder");
        for moment in &moments {
            let name = moment.at.strftime("%Y%m%dT%H%M%S.%3fZ").to_string();
            std::fs::write(folder.0.join(kind).join(name), of(moment)).expect("written");
        }
    }
    let [parca, pyroscope] = [parca(&moments), pyroscope(&moments)];
    let stored = |flag: &str, store: &Replay| {
        let at = |moment: &Moment| moment.at;
        let from = at(&moments[0]) - jiff::SignedDuration::from_secs(2);
        let until = at(moments.last().expect("ten")) + jiff::SignedDuration::from_secs(2);
        let [from, until] = [from, until].map(|it| it.to_string());
        let url = store.address.to_string();
        found(&[flag, &url, "--query", "{}", "--from", &from, "--until", &until, "--step", "1s"])
    };
    let file = |kind: &str| found(&["--input", &folder.0.join(kind).display().to_string()]);
    let dumps = file("dumps");
    let protos = file("protos");
    let counted = |moment: &Moment| {
        String::from_utf8_lossy(&moment.dump).matches("\nmain.deliver(").count() as u64
    };
    assert_eq!(dumps.count, counted(moments.last().expect("ten")), "{dumps:?}");
    assert_eq!(stored("--parca", &parca), protos);
    assert_eq!(stored("--pyroscope", &pyroscope), protos);
    for (source, found) in [("pid", &attached), ("url", &by_url), ("dumps", &dumps)] {
        // They look at moments of their own.
        let same = Found { count: protos.count, ..(*found).clone() };
        assert_eq!(same, protos, "{source}");
        assert!(found.count >= counted(&moments[0]), "{source}: {found:?}");
    }
}

/// The one finding that there is to be.
fn found(from: &[&str]) -> Found {
    let output = agent::run(&[&["analyze", "--format", "json"], from].concat()).expect("agent");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&said);
    let findings = report["findings"].as_array().expect(&said);
    let likely: Vec<_> = findings.iter().filter(|it| it["verdict"] != "suspect").collect();
    let [finding] = likely[..] else { panic!("{from:?}: {findings:#?}") };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let at = &finding["blocked_at"];
    Found {
        class: text(&finding["class"]),
        function: text(&at["function"]),
        file: text(&at["file"]),
        line: at["line"].as_u64().expect("a line"),
        count: finding["count"].as_u64().expect("a count"),
    }
}

/// A profile and a dump each second, as a store or a script takes them.
fn series(address: &str) -> Vec<Moment> {
    let began = Instant::now();
    let take = |number: usize| {
        let due = Duration::from_secs(number as u64);
        thread::sleep(due.saturating_sub(began.elapsed()));
        let proto = get(address, "/debug/pprof/goroutine");
        let dump = get(address, "/debug/pprof/goroutine?debug=2");
        Moment { at: jiff::Timestamp::now(), dump, proto }
    };
    (0..PROFILES).map(take).collect()
}

fn get(address: &str, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("it serves");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("asked");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    answer.split_off(head + 4)
}

/// Parca's gateway over the profiles.
fn parca(moments: &[Moment]) -> Replay {
    let samples = moments.iter().map(|it| json!({"timestamp": it.at.to_string(), "count": 1}));
    let labels = json!([{"name": "instance", "value": "web-1"}]);
    let series = json!({"labelset": {"labels": labels}, "samples": samples.collect::<Vec<_>>()});
    let types = json!({"types": [{
        "name": "goroutine", "sampleType": "goroutine", "sampleUnit": "count",
        "periodType": "goroutine", "periodUnit": "count",
    }]});
    let profiles: Vec<_> =
        moments.iter().map(|it| (escaped(it.at), STANDARD.encode(&it.proto))).collect();
    let answer = move |_: usize, request: &Request| {
        let asked = request.head.lines().next().unwrap_or_default();
        let answer = if asked.contains("/profiles/types?") {
            types.clone()
        } else if asked.contains("/profiles/query_range?") {
            json!({"series": [series]})
        } else {
            let wanted = profiles.iter().find(|(at, _)| asked.contains(at));
            json!({"pprof": wanted.map(|(_, profile)| profile)})
        };
        ("200 OK", "application/json", answer.to_string().into_bytes())
    };
    Replay::start(answer).expect("a server")
}

/// As it stands in a URL.
fn escaped(at: jiff::Timestamp) -> String {
    at.to_string().trim_end_matches('Z').replace(':', "%3A")
}

#[derive(prost::Message)]
struct SelectMergeProfile {
    #[prost(int64, tag = "3")]
    start: i64,
    #[prost(int64, tag = "4")]
    end: i64,
}

/// Pyroscope's querier over the profiles.
fn pyroscope(moments: &[Moment]) -> Replay {
    let profiles: Vec<(i64, Vec<u8>)> =
        moments.iter().map(|it| (it.at.as_millisecond(), it.proto.clone())).collect();
    // A step is named by its end.
    let ends = profiles.iter().map(|(at, _)| (at + 999) / 1000 * 1000);
    let points: Vec<_> =
        ends.map(|end| json!({"timestamp": end.to_string(), "value": 1.0})).collect();
    let id = "goroutines:goroutine:count:goroutine:count";
    let labels = json!([{"name": "pod", "value": "web-1"}]);
    let answer = move |_: usize, request: &Request| {
        let asked = request.head.lines().next().unwrap_or_default();
        let answer = if asked.contains("/ProfileTypes ") {
            json!({"profileTypes": [{"ID": id}]})
        } else if asked.contains("/Series ") {
            json!({"labelsSet": [{"labels": labels}]})
        } else if asked.contains("/SelectSeries ") {
            json!({"series": [{"labels": labels, "points": points}]})
        } else {
            let within = SelectMergeProfile::decode(&*request.body).expect("a question");
            let is_within = |at: i64| within.start <= at && at < within.end;
            let profile = profiles.iter().find(|(at, _)| is_within(*at));
            let profile = profile.map(|(_, profile)| profile.clone()).unwrap_or_default();
            return ("200 OK", "application/proto", profile);
        };
        ("200 OK", "application/json", answer.to_string().into_bytes())
    };
    Replay::start(answer).expect("a server")
}
