//! The agent's `check` as a whole process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// From before exec until its exit was seen.
    pub wall: Duration,
    /// Processor time of all its threads.
    pub cpu: Duration,
}

/// Runs `leak-agent check` on a process, its report thrown away.
pub fn check(agent: &Path, pid: u32) -> Result<Run> {
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let status = Command::new(agent)
        .args(["check", "--fail-on", "never", "--pid", &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", agent.display()))?;
    let wall = start.elapsed();
    ensure!(status.success(), "check of process {pid} failed: {status}");
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Run { wall, cpu: cpu(&after).saturating_sub(cpu(&before)) })
}

fn cpu(usage: &Usage) -> Duration {
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
