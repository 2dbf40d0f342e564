//! The agent, as it is released, watching a target for as long as it is let.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use leak_agent_tests::agent;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use serde_json::Value;

/// A running agent. It is killed when this value is dropped.
pub struct Watcher {
    child: Child,
    /// Everything that it says, read as it comes.
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts it, and waits until it has looked once.
    pub fn start(pid: u32, args: &[&str]) -> Result<Self> {
        let mut child = Command::new(agent::binary()?)
            .args(["--format", "json", "--pid", &pid.to_string()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the agent")?;
        let (mut stdout, stderr) =
            child.stdout.take().zip(child.stderr.take()).context("the agent has no pipes")?;
        let mut lines = BufReader::new(stderr);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        ensure!(first.contains("goroutine"), "the agent said {first:?}");
        // What went wrong shows in the report that is not there then.
        let stdout = thread::spawn(move || {
            let mut report = Vec::new();
            let _ = stdout.read_to_end(&mut report);
            report
        });
        let stderr = thread::spawn(move || {
            let _ = std::io::copy(&mut lines, &mut std::io::sink());
        });
        Ok(Self { child, stdout: Some(stdout), stderr: Some(stderr) })
    }

    /// The processor time that it has used so far.
    pub fn cpu(&self) -> Result<Duration> {
        cpu_of(self.child.id())
    }

    /// Has it end as by Ctrl-C, and gives its report.
    pub fn stop(mut self) -> Result<Value> {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status()?;
        ensure!(asked.success(), "cannot interrupt the agent");
        let status = self.child.wait()?;
        ensure!(status.success(), "the agent failed: {status}");
        let report = self.stdout.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        self.stderr.take().map(JoinHandle::join);
        serde_json::from_slice(&report).context("the agent's report is no JSON")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Errors mean that it is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that a process has used so far.
pub fn cpu_of(pid: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid)?))?;
    Ok(clock_gettime(clock)?.into())
}
