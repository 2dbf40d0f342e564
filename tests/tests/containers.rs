//! Targets that this mount and pid namespace does not see as they see themselves, and executables
//! that are no longer where they were.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use leak_agent::collect::Source;
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::golang::process;
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
    ensure!(observation.target.exe == "server", "it is called {}", observation.target.exe);
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
    let listed = process::list()?.processes.into_iter().find(|process| process.pid == pid);
    let listed = listed.context("the target is in no list of Go programs")?;
    ensure!(listed.own_pid == Some(1), "its own pid is {:?}", listed.own_pid);
    look(pid)
}
