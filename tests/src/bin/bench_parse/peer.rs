//! A parser that others wrote, in a process of its own (tests/peers).

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A running peer, with the file in its memory. It ends with this value.
pub struct Peer {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts one.
    pub fn start(name: &str, file: &Path) -> Result<Self> {
        let program = env::var_os("LEAK_AGENT_PEERS").context(
            "LEAK_AGENT_PEERS must name the peers' program; run: cargo xtask bench parse",
        )?;
        // One thread, as ours: its collector would use the others.
        let mut child = Command::new(&program)
            .arg(name)
            .arg(file)
            .env("GOMAXPROCS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", Path::new(&program).display()))?;
        let asks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("the peer has no output")?);
        Ok(Self { child, asks, answers })
    }

    /// One round: seconds, and how much was found.
    pub fn round(&mut self) -> Result<(f64, u64)> {
        writeln!(self.asks.as_mut().context("the peer has no input")?)?;
        let mut answer = String::new();
        ensure!(self.answers.read_line(&mut answer)? > 0, "the peer has ended");
        let (seconds, found) = answer.trim().split_once(' ').context("half an answer")?;
        Ok((seconds.parse()?, found.parse()?))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}
