//! Targets that this mount and pid namespace does not see as they see themselves, and executables
//! that are no longer where they were.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use leak_agent::collect::attach::{Attach, Options, Probing};
use leak_agent::golang::listing;
use leak_agent::host::{Access, Answer, access_to};
use leak_agent::model::{BlockedBasis, ProbeReason};
use leak_agent_tests::Observe;
use leak_agent_tests::target::{self, Target};

/// A folder of the test's own, removed when it goes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self> {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies under target/.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A copy of the `states` target that may be moved about.
fn copy(folder: &Folder, mode: &str) -> Result<PathBuf> {
    let copy = folder.0.join("server");
    fs::copy(target::path("1.26.6", mode, "states")?, &copy)?;
    Ok(copy)
}

/// Attaches, looks, and checks that what `states` parks was read to its last frame.
fn look(pid: u32) -> Result<()> {
    let mut attach = Attach::open(pid, &Options::default())?;
    let observation = attach.next()?;
    let coverage = &observation.coverage;
    ensure!(coverage.goroutines_seen > 50, "{coverage:?}");
    ensure!(coverage.not_unwound == 0 && coverage.unresolved_frames == 0, "{coverage:?}");
    let names = observation.goroutines.iter().filter_map(|goroutine| {
        let frame = observation.stacks.frames_of(goroutine.stack.id()?).first()?;
        observation.stacks.lookup(*frame).ok().map(|frame| frame.function)
    });
    ensure!(names.filter(|name| *name == "runtime.gopark").count() > 40, "stacks have no names");
    ensure!(observation.target.name() == "server", "it is called {}", observation.target.name());
    Ok(())
}

#[test]
fn an_executable_that_was_deleted() -> Result<()> {
    let folder = Folder::new("deleted")?;
    let path = copy(&folder, "exe")?;
    let target = Target::start_at(path.clone(), &[] as &[&str])?;
    fs::remove_file(&path)?;
    look(target.pid())
}

#[test]
fn an_executable_that_was_replaced_by_another_program() -> Result<()> {
    let folder = Folder::new("replaced")?;
    let path = copy(&folder, "pie-stripped")?;
    let target = Target::start_at(path.clone(), &[] as &[&str])?;
    let other = folder.0.join("other");
    fs::copy("/bin/true", &other)?;
    fs::rename(&other, &path)?;
    look(target.pid())
}

#[test]
fn a_root_and_a_pid_namespace_of_its_own() -> Result<()> {
    let folder = Folder::new("container")?;
    copy(&folder, "stripped")?;
    let unshare = PathBuf::from("/usr/bin/unshare");
    let root = folder.0.to_str().context("a path that is not UTF-8")?;
    let options = ["--mount", "--pid", "--fork", "--kill-child", "--root", root, "/server"];
    let target = Target::start_inside(unshare, &options)?;
    let launcher = target.pid();
    let children = fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children"))?;
    let pid: u32 = children.trim().parse().context("the launcher has no one child")?;
    let listed = listing::list()?.processes.into_iter().find(|process| process.pid == pid);
    let listed = listed.context("the target is in no list of Go programs")?;
    ensure!(listed.own_pid == Some(1), "its own pid is {:?}", listed.own_pid);
    look(pid)
}

#[test]
fn a_time_namespace_of_its_own() -> Result<()> {
    let unshare = PathBuf::from("/usr/bin/unshare");
    for seconds in ["1000", "-50"] {
        let path = target::path("1.26.6", "exe", "halted")?;
        let path = path.to_str().context("a path that is not UTF-8")?;
        let started = Instant::now();
        let options = ["--time", "--monotonic", seconds, path];
        // Without a fork the target has the launcher's pid.
        let target = Target::start_inside(unshare.clone(), &options)?;
        let mut attach = Attach::open(target.pid(), &Options::default())?;
        // Its garbage collections date the waits.
        let dated = loop {
            let observation = attach.next()?;
            let blocked = observation.goroutines.iter().filter_map(|it| it.blocked);
            let dated: Vec<_> =
                blocked.filter(|blocked| blocked.basis == BlockedBasis::Runtime).collect();
            if !dated.is_empty() {
                break dated;
            }
            ensure!(started.elapsed() < Duration::from_secs(60), "no wait was ever dated");
            thread::sleep(Duration::from_millis(100));
        };
        let oldest = dated.iter().map(|blocked| blocked.duration).max().unwrap_or_default();
        ensure!(oldest <= started.elapsed(), "{seconds}: {oldest:?} is longer than it has run");
    }
    Ok(())
}

#[test]
fn a_process_whose_first_thread_has_ended() -> Result<()> {
    for version in ["1.21.13", "1.26.6"] {
        let path = target::path(version, "exe", "halted")?;
        let target = Target::start_at(path, &["lose-thread"])?;
        let pid = target.pid();
        let is_zombie = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
        };
        while !is_zombie() {
            ensure!(Path::new(&format!("/proc/{pid}")).exists(), "it has exited");
            thread::sleep(Duration::from_millis(10));
        }
        let mut options = Options::default();
        options.probes = Probing::Auto;
        let mut attach = Attach::open(pid, &options)?;
        let observation = attach.next()?;
        ensure!(
            observation.target.name() == "halted",
            "it is called {}",
            observation.target.name()
        );
        ensure!(observation.goroutines.len() > 290, "{}", observation.goroutines.len());
        let probes = &observation.coverage.probes;
        let says = |why: &ProbeReason| matches!(why, ProbeReason::Failed(why) if why.contains("first thread"));
        let refused = probes.iter().filter(|probe| probe.reason.as_ref().is_some_and(says));
        ensure!(!probes.is_empty() && refused.count() == probes.len(), "{probes:?}");
        ensure!(matches!(access_to(pid), Access::Granted { executable: Answer::Yes }));
        let listed = listing::list()?.processes.into_iter().any(|process| process.pid == pid);
        ensure!(listed, "it is in no list of Go programs");
    }
    Ok(())
}
