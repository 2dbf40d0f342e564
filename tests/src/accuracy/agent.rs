//! The agent as a user runs it: `leak-agent analyze --pid N --format json` (or `--url`) or `check`, at its
//! defaults; or with proofs, and what it saw beside the report.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::report::Report;

/// How much longer than it was told to look the agent may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// For how long a program may stand: a dozen at a time on a few cores are held up by each other.
const MAX_PAUSE: &str = "200ms";

/// How often it is asked whether it has ended.
const TICK: Duration = Duration::from_millis(20);

/// The agent, ready to look at programs.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its binary.
    pub binary: PathBuf,
    /// How long it is to look, where that is not left to its default.
    pub duration: Option<Duration>,
    /// Whether it is to prove leaks by clones, and to keep what it saw.
    pub proves: bool,
}

/// How a process is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By its pid.
    Pid(u32),
    /// By the profiles that it serves.
    Url(String),
}

/// What it said.
#[derive(Debug)]
pub struct Said {
    /// Its report.
    pub report: Report,
    /// From its start to its end.
    pub took: Duration,
}

impl Agent {
    /// Has it analyse a process. Its report is kept in `keep`, what it said besides beside it.
    ///
    /// # Errors
    /// When it fails, hangs, or prints no report.
    pub fn analyze(&self, way: &Way, keep: &Path) -> Result<Said> {
        let mut command = self.command("analyze", way);
        if let Some(duration) = self.duration {
            command.arg("--duration").arg(format!("{}ms", duration.as_millis()));
        }
        if self.proves {
            let folder = saved(keep);
            // What an earlier run left there was another process.
            if folder.exists() {
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("cannot clear {}", folder.display()))?;
            }
            command.args(["--proof", "clone", "--max-pause", MAX_PAUSE, "--save"]).arg(folder);
        }
        self.run(command, keep)
    }

    /// Has it check a process: one sample. Its report is kept in `keep`, what it said besides beside it.
    ///
    /// # Errors
    /// When it fails, hangs, or prints no report.
    pub fn check(&self, way: &Way, keep: &Path) -> Result<Said> {
        self.run(self.command("check", way), keep)
    }

    fn command(&self, name: &str, way: &Way) -> Command {
        let mut command = Command::new(&self.binary);
        command.args([name, "--format", "json"]);
        match way {
            Way::Pid(pid) => command.args(["--pid", &pid.to_string()]),
            Way::Url(url) => command.args(["--url", url]),
        };
        command
    }

    fn run(&self, mut command: Command, keep: &Path) -> Result<Said> {
        let errors = keep.with_extension("log");
        command.stdin(Stdio::null()).stdout(File::create(keep)?).stderr(File::create(&errors)?);
        let started = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start the agent {}", self.binary.display()))?;
        let limit = self.duration.unwrap_or_default() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if started.elapsed() > limit {
                // It is a child that has not been waited for: the pid is still its own.
                child.kill()?;
                child.wait()?;
                bail!("the agent has not ended after {} s", limit.as_secs());
            }
            thread::sleep(TICK);
        };
        let took = started.elapsed();
        // 1: there are findings.
        ensure!(
            matches!(status.code(), Some(0 | 1)),
            "the agent failed ({status}): {}",
            last_words(&errors)
        );
        let text = fs::read(keep).with_context(|| format!("cannot read {}", keep.display()))?;
        let report =
            Report::read(&text).with_context(|| format!("{} is no report", keep.display()))?;
        Ok(Said { report, took })
    }
}

/// Where what an analysis saw is kept beside its report.
#[must_use]
pub fn saved(keep: &Path) -> PathBuf {
    keep.with_extension("saved")
}

fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(500)..]).trim().to_owned()
}
