//! Profiles and dumps in files, as a user gives them to the agent: what real Go programs of every version wrote,
//! and more than fits into memory.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leak_agent_tests::endpoint::Endpoint;
use leak_agent_tests::{Target, agent};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dumps")
}

/// The fixtures of each Go version: of the oldest, dumps alone.
fn versions() -> impl Iterator<Item = PathBuf> {
    let folders = fs::read_dir(fixtures()).expect("fixtures");
    folders.map(|version| version.expect("an entry").path())
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files").join(name);
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The report of one sample.
fn check(args: &[&str]) -> Value {
    let output = agent::run(&[&["check", "--format", "json"], args].concat()).expect("agent");
    let text = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {stderr}");
    serde_json::from_str(&text).expect("JSON")
}

fn check_file(path: &Path) -> Value {
    check(&["--input", path.to_str().expect("a path of text")])
}

/// The ids in a dump's headings. Those of threads are 0.
fn ids(text: &str) -> BTreeSet<u64> {
    let heading = |line: &str| {
        let (id, _) = line.strip_prefix("goroutine ")?.split_once(' ')?;
        id.parse::<u64>().ok().filter(|&id| id > 0 && line.ends_with("]:") || line.ends_with("}:"))
    };
    text.lines().filter_map(heading).collect()
}

#[test]
fn what_each_go_version_writes_is_read() {
    let mut read = 0;
    for folder in versions() {
        for name in [
            "goroutine.dump",
            "ancestors.txt",
            "deadlock.txt",
            "panic.txt",
            "quit.txt",
            "crash.txt",
        ] {
            let path = folder.join(name);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let report = check_file(&path);
            assert_eq!(report["totals"]["goroutines"], ids(&text).len(), "{}", path.display());
            assert_eq!(report["coverage"]["profile"]["faults"], 0, "{}", path.display());
            read += 1;
        }
        let dump = check_file(&folder.join("goroutine.dump"));
        let classes: BTreeSet<_> = dump["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|finding| finding["class"].as_str())
            .collect();
        assert_eq!(classes, ["channel-nil", "select-empty"].into(), "{}", folder.display());
        let counts = ["goroutine.txt", "goroutine.pb.gz"].map(|name| folder.join(name));
        for path in counts.iter().filter(|path| path.exists()) {
            let counted = check_file(path);
            let all =
                counted["totals"]["goroutines"].as_u64().zip(dump["totals"]["goroutines"].as_u64());
            // The goroutine that serves one profile is not that which serves the next.
            assert!(all.is_some_and(|(counted, dump)| counted.abs_diff(dump) <= 1), "{all:?}");
            assert!(counted["coverage"]["profile"]["form"].is_string());
            read += 1;
        }
    }
    assert!(read >= 7 * 7, "{read}");
}

/// What a report of contention alone has: lines and how often, of those that waited and those waited for.
fn contended(paths: &[PathBuf]) -> [Vec<(String, u64)>; 2] {
    let paths = paths.iter().map(|path| path.to_str().expect("a path of text"));
    let line: Vec<&str> =
        ["check", "--format", "json", "--input"].into_iter().chain(paths).collect();
    let output = agent::run(&line).expect("agent");
    // Nothing to judge is no all-clear.
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report["health"].is_null(), "{report:#}");
    let notes = report["coverage"]["notes"].to_string();
    assert!(notes.contains("no goroutines were given"), "{notes}");
    ["waits", "releases"].map(|kind| {
        let lines = report["contention"][kind].as_array().expect("lines");
        let line = |it: &Value| {
            let function = it["at"]["function"].as_str().expect("a function").to_owned();
            (function, it["count"].as_u64().expect("a number"))
        };
        lines.iter().map(line).collect()
    })
}

#[test]
fn contention_of_each_go_version_is_the_same_in_both_forms() {
    let mut read = 0;
    let versions: Vec<_> = versions().filter(|folder| folder.join("block.txt").exists()).collect();
    assert!(versions.len() >= 7, "{versions:?}");
    for folder in versions {
        let both = |ending: &str| {
            contended(&["block", "mutex"].map(|name| folder.join(format!("{name}.{ending}"))))
        };
        let (text, proto) = (both("txt"), both("pb.gz"));
        for (kind, of_text, of_proto) in
            [("waits", &text[0], &proto[0]), ("releases", &text[1], &proto[1])]
        {
            let contender = |lines: &[(String, u64)]| {
                lines.iter().find(|(function, _)| function == "main.contender").cloned()
            };
            assert!(contender(of_text).is_some(), "{}: {kind}: {text:?}", folder.display());
            assert_eq!(contender(of_text), contender(of_proto), "{}: {kind}", folder.display());
        }
        read += 1;
    }
    assert_eq!(read, 7);
}

/// A line, and how many goroutines wait there.
fn waiting(report: &Value) -> Option<(String, u64, u64)> {
    let groups = report["groups"].as_array()?;
    let group = groups.iter().max_by_key(|group| group["count"].as_u64())?;
    let at = &group["blocked_at"];
    Some((at["function"].as_str()?.to_owned(), at["line"].as_u64()?, group["count"].as_u64()?))
}

#[test]
fn a_process_looks_the_same_attached_to_and_in_files() {
    let mut target =
        Target::start_with("1.26.6", "exe", "blocked", &["3000", "4"]).expect("target");
    let url = target.command("pprof").expect("an endpoint");
    let endpoint = Endpoint::of(url.trim_start_matches("OK ")).expect("a URL");
    let folder = scratch("same");
    let files = [("dump.txt", "?debug=2"), ("counts.txt", "?debug=1"), ("goroutine.pb.gz", "")];
    for (name, query) in files {
        let mut bytes = Vec::new();
        endpoint.read(&format!("goroutine{query}"), &mut bytes).expect("a profile");
        fs::write(folder.join(name), bytes).expect("written");
    }
    let attached = waiting(&check(&["--pid", &target.pid().to_string()])).expect("a group");
    assert_eq!((&*attached.0, attached.2), ("main.descend", 3000));
    for (name, _) in files {
        assert_eq!(waiting(&check_file(&folder.join(name))).as_ref(), Some(&attached), "{name}");
    }
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let compared = agent::run(&[
        "compare",
        "--format",
        "json",
        "--before",
        &path("counts.txt"),
        "--after",
        &path("dump.txt"),
    ]);
    let compared = compared.expect("agent");
    let difference: Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    let changed = difference["groups"].as_array().expect("a list");
    assert!(changed.iter().all(|it| it["after"] != 3000 && it["before"] != 3000), "{difference}");
}

/// The most memory that a process has had, in bytes.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kib << 10
}

/// Goroutines of a large dump, whose text is about 700 MB.
const MANY: u64 = 2_000_000;

/// From so many on, no more are kept one by one.
const KEPT: u64 = 1_100_000;

#[test]
fn a_dump_that_is_larger_than_memory_is_read_as_a_stream() {
    let mut child = Command::new(agent::binary().expect("agent"))
        .args(["check", "--format", "json", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let pid = child.id();
    let mut input = child.stdin.take().expect("a pipe");
    let mut written = 0_u64;
    let mut early = None;
    let mut piece = Vec::new();
    for goid in 1..=MANY {
        let line = 30 + goid % 7;
        write!(
            piece,
            "goroutine {goid} [chan receive, {} minutes]:\n\
             main.(*worker).wait(0xc000{goid:06x}, {{0xc0001040a0, 0x3, 0x3}})\n\
             \t/home/build/src/example.org/shop/worker/worker.go:{line} +0x5d\n\
             main.(*worker).run(0xc000{goid:06x})\n\
             \t/home/build/src/example.org/shop/worker/worker.go:118 +0x1b4\n\
             created by main.start in goroutine 1\n\
             \t/home/build/src/example.org/shop/main.go:71 +0x2c5\n\n",
            2 + goid % 5
        )
        .expect("a vector takes everything");
        if piece.len() > 1 << 20 || goid == MANY {
            input.write_all(&piece).expect("it reads on");
            written += piece.len() as u64;
            piece.clear();
            if early.is_none() && goid > KEPT {
                early = Some(peak(pid));
            }
        }
    }
    let late = peak(pid);
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(written > 600_000_000, "{written}");
    assert_eq!(report["totals"]["goroutines"], MANY);
    assert_eq!(report["coverage"]["files"]["bytes"], written);
    let early = early.expect("it was looked at");
    assert!(late < early + (32 << 20), "{early} bytes after {KEPT} goroutines, {late} at the end");
    assert!(late < 600 << 20, "{late}");
}

#[test]
fn bombs_and_what_may_not_be_read_are_said_and_the_rest_is_read() {
    let folder = scratch("bombs");
    let good = fixtures().join("1.26.6/goroutine.dump");
    fs::copy(&good, folder.join("good.txt")).expect("copied");
    let mut zeros = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zeros.write_all(b"goroutine 1 [running]:\nmain.main()\n\t/a.go:1 +0x1\n\n").expect("written");
    let piece = vec![b' '; 1 << 20];
    for _ in 0..100 {
        zeros.write_all(&piece).expect("written");
    }
    fs::write(folder.join("bomb.txt.gz"), zeros.finish().expect("packed")).expect("written");
    let report = check_file(&folder);
    let unread = report["coverage"]["files"]["unread"].to_string();
    assert!(unread.contains("bomb.txt.gz"), "{report}");
    assert_eq!(report["coverage"]["files"]["files"], 2);
}

#[test]
fn a_file_that_may_not_be_read_is_said_and_not_left_out() {
    if !nix::unistd::geteuid().is_root() {
        return leak_agent_tests::skip("only root can write files that another user may not read");
    }
    // Where everybody may go.
    let folder = std::env::temp_dir().join(format!("leak-agent-denied-{}", std::process::id()));
    fs::create_dir_all(folder.join("closed")).expect("a folder");
    let good = fixtures().join("1.26.6/goroutine.dump");
    fs::copy(&good, folder.join("good.txt")).expect("copied");
    fs::copy(&good, folder.join("secret.txt")).expect("copied");
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode(".", 0o755);
    mode("good.txt", 0o644);
    mode("secret.txt", 0o600);
    mode("closed", 0o700);
    let binary = folder.join("leak-agent");
    fs::copy(agent::binary().expect("agent"), &binary).expect("copied");
    mode("leak-agent", 0o755);
    let run = |input: &Path| {
        let mut command = Command::new(&binary);
        command.args(["check", "--format", "json", "--input"]).arg(input).current_dir("/");
        command.uid(65534).gid(65534).output().expect("it runs")
    };
    let some = run(&folder);
    let none = run(&folder.join("secret.txt"));
    fs::remove_dir_all(&folder).expect("removed");
    let report: Value = serde_json::from_slice(&some.stdout).expect("JSON");
    let unread = report["coverage"]["files"]["unread"].to_string();
    for name in ["closed", "secret.txt"] {
        assert!(unread.contains(name) && unread.contains("Permission denied"), "{unread}");
    }
    assert_eq!(none.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&none.stderr);
    assert!(stderr.contains("secret.txt: Permission denied"), "{stderr}");
}
