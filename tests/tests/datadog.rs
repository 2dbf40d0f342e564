//! `--datadog-unstable`: an exchange as Datadog's own tool has it (DataDog/datadog-pgo), replayed by a server of the
//! test's own, which gives profiles of a real program.
#![allow(clippy::expect_used)]

use std::io::{Cursor, Write as _};
use std::process::{Command, Output};

use leak_agent_tests::replay::{Replay, Request};
use leak_agent_tests::{Target, agent};
use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

const LEAK: &str = "main.(*priceList).quote.func1";

/// Profiles of one process; one more is in the list that cannot be downloaded any more.
const PROFILES: usize = 6;

/// Archives with a profile of the demo each, as Datadog packs them.
fn archives() -> Vec<Vec<u8>> {
    let target = Target::start("1.26.6", "exe", "demo").expect("target");
    let pid = target.pid().to_string();
    let archive = |_| {
        let profile = agent::run(&["export", "--pid", &pid]).expect("agent");
        assert!(profile.status.success(), "{profile:?}");
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in
            [("goroutines.pprof", &*profile.stdout), ("metrics.json", b"[[\"go_num_gc\", 3]]")]
        {
            archive.start_file(name, SimpleFileOptions::default()).expect("a file");
            archive.write_all(bytes).expect("written");
        }
        archive.finish().expect("an archive").into_inner()
    };
    (0..PROFILES).map(archive).collect()
}

/// The newest first, as they were asked for.
fn list() -> Vec<u8> {
    let item = |number: usize| {
        json!({
            "id": format!("event-{number}"),
            "type": "profile",
            "attributes": {
                "id": format!("profile-{number}"),
                "service": "shop",
                "duration_nanos": 6e10,
                "timestamp": format!("2026-11-29T08:{number:02}:00.123Z"),
                "custom": { "metrics": { "core_cpu_cores": 0.25 } },
                "tags": ["env:prod", "runtime-id:11d2"],
            },
        })
    };
    let items: Vec<Value> = (0..=PROFILES).rev().map(item).collect();
    json!({ "data": items }).to_string().into_bytes()
}

fn datadog(archives: Vec<Vec<u8>>) -> Replay {
    Replay::start(move |_, Request { head, .. }| {
        let json = "application/json";
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path == "/api/unstable/profiles/list" {
            return ("200 OK", json, list());
        }
        let number = |path: &str| -> Option<usize> {
            let (profile, event) = path
                .strip_prefix("/api/ui/profiling/profiles/profile-")?
                .split_once("/download?eventId=event-")?;
            (profile == event).then(|| profile.parse().ok())?
        };
        match number(path).and_then(|number| archives.get(number)) {
            Some(archive) => ("200 OK", "application/zip", archive.clone()),
            None => ("404 Not Found", json, br#"{"errors":["Not Found"]}"#.to_vec()),
        }
    })
    .expect("a server")
}

fn run(site: &str, args: &[&str]) -> Output {
    Command::new(agent::binary().expect("agent"))
        .args(args)
        .envs([("DD_SITE", site), ("DD_API_KEY", "first-key"), ("DD_APP_KEY", "second-key")])
        .output()
        .expect("agent")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn profiles_are_downloaded_and_judged_as_those_in_files() {
    let datadog = datadog(archives());
    let site = format!("http://{}", datadog.address);
    let query = ["--datadog-unstable", "service:shop env:prod"];
    let filter = ["filter", "--func", LEAK, "--format", "json", "--timeout", "20s"];
    let output = run(&site, &[&filter[..], &query[..]].concat());
    let stderr = said(&output);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&stderr);
    assert_eq!(report["window"]["observations"], PROFILES, "{report:#}");
    assert_eq!(report["groups"][0]["blocked_at"]["function"], LEAK, "{report:#}");
    assert!(report["groups"][0]["growth_per_second"].as_f64() > Some(0.0), "{report:#}");
    let target = report["target"].to_string();
    assert!(target.contains("datadog shop 11d2"), "{target}");
    assert!(stderr.contains("warning: 1 profile not downloaded"), "{stderr}");
    assert!(stderr.contains("answered 404 Not Found"), "{stderr}");
    let heard = datadog.heard();
    assert_eq!(heard.len(), PROFILES + 2);
    for request in &heard {
        assert!(request.has("dd-api-key: first-key"), "{request:?}");
        assert!(request.has("dd-application-key: second-key"), "{request:?}");
    }
    let asked: Value = serde_json::from_slice(&heard[0].body).expect("JSON");
    assert_eq!(asked["filter"]["query"], "service:shop env:prod runtime:go");
    assert_eq!(asked["limit"], 60);
    assert!(!stderr.contains("-key"), "{stderr}");
}

#[test]
fn what_is_wrong_is_said_without_the_keys() {
    let denied = Replay::start(|_, _| {
        ("403 Forbidden", "application/json", br#"{"errors":["Forbidden"]}"#.to_vec())
    });
    let nothing = Replay::start(|_, _| ("200 OK", "application/json", br#"{"data":[]}"#.to_vec()));
    let other = Replay::start(|_, _| ("200 OK", "text/html", b"<html>Sign in</html>".to_vec()));
    for (server, expected) in [
        (denied, "answered 403 Forbidden"),
        (nothing, "Datadog has no profile of service:shop runtime:go in this time"),
        (other, "is not as Datadog's used to be"),
    ] {
        let site = format!("http://{}", server.expect("a server").address);
        let output = run(&site, &["check", "--datadog-unstable", "service:shop"]);
        let stderr = said(&output);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(expected) && !stderr.contains("-key"), "{stderr}");
    }
    let output = Command::new(agent::binary().expect("agent"))
        .args(["check", "--datadog-unstable", "service:shop"])
        .env_remove("DD_APP_KEY")
        .env("DD_API_KEY", "first-key")
        .output()
        .expect("agent");
    let stderr = said(&output);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the environment has no DD_APP_KEY"), "{stderr}");
}
