//! A whole process, from exec to exit.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// How often the memory of one that runs is asked for.
const PAUSE: Duration = Duration::from_millis(5);

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// From before exec until its exit was seen.
    pub wall: Duration,
    /// Processor time of all its threads.
    pub cpu: Duration,
}

/// Runs a command, what it says on standard output thrown away.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<Run> {
    run_with(command, |child| Ok(child.wait()?.success()))
}

/// As [`run`], and the most memory that was resident, in bytes, as far as it was seen: the last milliseconds are not.
///
/// # Errors
/// As [`run`].
pub fn run_weighed(command: &mut Command) -> Result<(Run, u64)> {
    let mut peak = 0;
    let run = run_with(command, |child| {
        loop {
            peak = peak.max(high_water(child.id()).unwrap_or(0));
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            thread::sleep(PAUSE);
        }
    })?;
    Ok((run, peak))
}

fn run_with(command: &mut Command, wait: impl FnOnce(&mut Child) -> Result<bool>) -> Result<Run> {
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let is_well = wait(&mut child)?;
    let wall = start.elapsed();
    ensure!(is_well, "{command:?} failed");
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Run { wall, cpu: cpu(&after).saturating_sub(cpu(&before)) })
}

/// `VmHWM` of a process that runs.
fn high_water(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

fn cpu(usage: &Usage) -> Duration {
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
