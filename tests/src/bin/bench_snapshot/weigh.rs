//! The memory that the agent takes at its peak, as a process of its own.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// Has this program be the one that weighs: the kernel gives a peak only over all children of a
/// process, so that each weighing takes a process of its own.
pub const FLAG: &str = "--weigh";

/// Runs a command, and prints its peak in bytes.
pub fn weigh(command: &[String]) -> Result<()> {
    let (program, args) = command.split_first().context("what is to be weighed?")?;
    let output = Command::new(program).args(args).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed ({}): {said}", output.status);
    let peak_kib = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    println!("{}", peak_kib * 1024);
    Ok(())
}

/// The peak in bytes of `leak-agent check --format json` on a process: one sample, and its report.
pub fn check(agent: &Path, pid: u32) -> Result<f64> {
    let output = Command::new(env::current_exe()?)
        .arg(FLAG)
        .arg(agent)
        .args(["check", "--format", "json", "--fail-on", "never", "--pid", &pid.to_string()])
        .output()
        .context("cannot weigh")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot weigh: {said}");
    let bytes = String::from_utf8_lossy(&output.stdout);
    bytes.trim().parse().with_context(|| format!("{bytes:?} is no weight"))
}
