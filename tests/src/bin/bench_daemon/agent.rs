//! The daemon: started, watched from outside, killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use leak_agent_tests::agent;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use serde::Serialize;

pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    started: Instant,
    cost: Cost,
}

/// What it took, with all processes that it has started.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cost {
    seconds: f64,
    /// Of one processor.
    pub(crate) cpu_ratio: f64,
    /// Resident, at most.
    pub(crate) peak_bytes: u64,
}

impl Daemon {
    /// Starts it at its defaults, with what stands in `config.toml` of a folder.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let log = folder.join("daemon.log");
        let mut command = Command::new(agent::binary()?);
        command.arg("daemon").arg("--config").arg(folder.join("config.toml"));
        command.arg("--state").arg(folder.join("state"));
        command.arg("--off-file").arg(folder.join("off"));
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = command.spawn().context("cannot start the agent")?;
        Ok(Self { child, log, started: Instant::now(), cost: Cost::default() })
    }

    /// Sees what it takes by now.
    pub(crate) fn look(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("the daemon ended by itself: {status}\n{said}");
        }
        let (cpu, resident) = family(self.child.id())?;
        let seconds = self.started.elapsed().as_secs_f64();
        self.cost.seconds = seconds;
        self.cost.cpu_ratio = cpu / seconds;
        self.cost.peak_bytes = self.cost.peak_bytes.max(resident);
        Ok(())
    }

    pub(crate) fn kill(mut self) -> Result<Cost> {
        self.look()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(self.cost)
    }

    pub(crate) fn stop(mut self) -> Result<Cost> {
        self.look()?;
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the daemon failed: {status}");
        Ok(self.cost)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended, or nobody needs it any more.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Processor time in seconds, of ended children too, and resident memory of a process and its children.
fn family(pid: u32) -> Result<(f64, u64)> {
    let ticks = sysconf(SysconfVar::CLK_TCK)?.context("no ticks")? as f64;
    let page = sysconf(SysconfVar::PAGE_SIZE)?.context("no pages")? as u64;
    let (mut cpu, mut resident) = (0.0, 0);
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        let fields =
            stat.rsplit_once(')').map_or(Vec::new(), |it| it.1.split_whitespace().collect());
        let field = |number: usize| fields.get(number - 3).and_then(|it| it.parse::<u64>().ok());
        if id != pid && field(4) != Some(u64::from(pid)) {
            continue;
        }
        // utime, stime, cutime, cstime and rss of proc_pid_stat(5).
        cpu += (14..=17).filter_map(field).sum::<u64>() as f64 / ticks;
        resident += field(24).unwrap_or(0) * page;
    }
    Ok((cpu, resident))
}
