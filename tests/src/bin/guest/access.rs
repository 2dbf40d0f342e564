//! Whether a refusal is explained right, and whether what is advised helps: each refusal is brought about for real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use leak_agent::host::{Access, Answer};
use leak_agent::host::{Denial, Obstacle, access_to};
use leak_agent::report::schema::DoctorDoc;
use leak_agent::report::schema::doctor::{AccessKind, ObstacleKind, ProcessAccessDoc};
use leak_agent_tests::Target;

use super::Tests;

/// The role of one who becomes a program.
pub const BE: &str = "be";

/// A user without any right.
const NOBODY: u32 = 1000;

/// Plays the role [`BE`]: the target becomes [`NOBODY`]'s, with the pid of this process.
pub fn be(program: &str) -> Result<usize> {
    let error = Command::new(program).uid(NOBODY).gid(NOBODY).exec();
    Err(error).with_context(|| format!("cannot become {program}"))
}

/// Adds the tests. The last one cannot be undone: nobody may read anything until the next boot.
pub fn test(target: &Path, tests: &mut Tests) {
    tests.add("another user's process is refused, and why", others(target));
    tests.add("a process that is not dumpable is refused, and why", not_dumpable(target));
    tests.add("Yama's scope 1 is named, and what is advised helps", scope_1(target));
    tests.add("Yama's scope 2 is named", scope_2(target));
    tests.add("a kernel thread is no process", kernel_thread());
    tests.add("Yama's scope 3 is named, and nothing is advised", scope_3(target));
}

fn others(target: &Path) -> Result<()> {
    set_scope(0)?;
    let target = Target::start_at(target.to_owned(), &[] as &[&str])?;
    let seen = seen_by_nobody(&target)?;
    ensure!(obstacles(&seen) == [ObstacleKind::OtherUser], "{seen:?}");
    let advises = |part: &str| seen.remedies.iter().any(|it| it.command.contains(part));
    ensure!(advises("sudo leak-agent --pid") && advises("cap_sys_ptrace+ep"), "{seen:?}");
    Ok(())
}

/// A program whose file its user may run but not read is not dumpable.
fn not_dumpable(target: &Path) -> Result<()> {
    set_scope(0)?;
    let secret = Path::new("/tmp/secret");
    fs::copy(target, secret).context("cannot copy the target")?;
    fs::set_permissions(secret, fs::Permissions::from_mode(0o711))?;
    let target = nobodys(secret)?;
    let seen = seen_by_nobody(&target)?;
    fs::remove_file(secret)?;
    ensure!(obstacles(&seen) == [ObstacleKind::NotDumpable], "{seen:?}");
    Ok(())
}

fn scope_1(target: &Path) -> Result<()> {
    set_scope(1)?;
    let target = nobodys(target)?;
    let seen = seen_by_nobody(&target)?;
    ensure!(obstacles(&seen) == [ObstacleKind::PtraceScope], "{seen:?}");
    let last = &*seen.remedies.last().context("no advice")?.command;
    let words: Vec<&str> = last.split(' ').collect();
    let ["sudo", "sysctl", setting] = words[..] else { anyhow::bail!("{last}") };
    let done = Command::new("sysctl").arg(setting).output().context("cannot run sysctl")?;
    ensure!(done.status.success(), "{last} failed: {done:?}");
    let seen = seen_by_nobody(&target)?;
    ensure!(seen.access == AccessKind::Granted, "after {last}: {seen:?}");
    Ok(())
}

fn scope_2(target: &Path) -> Result<()> {
    set_scope(2)?;
    let target = nobodys(target)?;
    let seen = seen_by_nobody(&target)?;
    ensure!(obstacles(&seen) == [ObstacleKind::PtraceScope], "{seen:?}");
    let roots = access_to(target.pid());
    ensure!(roots == Access::Granted { executable: Answer::Yes }, "root: {roots:?}");
    Ok(())
}

/// Process 2 is kthreadd, on every Linux.
fn kernel_thread() -> Result<()> {
    let access = access_to(2);
    ensure!(access == Access::KernelThread, "{access:?}");
    Ok(())
}

fn scope_3(target: &Path) -> Result<()> {
    set_scope(3)?;
    let target = nobodys(target)?;
    let access = access_to(target.pid());
    let denial = Denial { obstacles: vec![Obstacle::PtraceScope(3)], remedies: Vec::new() };
    ensure!(access == Access::Denied(denial), "{access:?}");
    Ok(())
}

fn set_scope(scope: u8) -> Result<()> {
    fs::write("/proc/sys/kernel/yama/ptrace_scope", scope.to_string())
        .with_context(|| format!("cannot set ptrace_scope to {scope}"))
}

/// A target that belongs to [`NOBODY`].
fn nobodys(program: &Path) -> Result<Target> {
    let this = std::env::current_exe().context("where does the driver lie?")?;
    Target::start_at(this, &[BE.as_ref(), program.as_os_str()])
}

/// What the agent of [`NOBODY`] says of a target.
fn seen_by_nobody(target: &Target) -> Result<ProcessAccessDoc<'static>> {
    let output = Command::new("leak-agent")
        .args(["doctor", "--format", "json", "--pid", &target.pid().to_string()])
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .context("cannot run the agent as another user")?;
    let said: DoctorDoc<'_> = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the agent said {output:?}"))?;
    said.processes.into_iter().next().context("nothing is said of the target")
}

fn obstacles(seen: &ProcessAccessDoc<'_>) -> Vec<ObstacleKind> {
    seen.obstacles.iter().map(|it| it.obstacle).collect()
}
