//! `hold_probes PID`: attaches every probe to a Go program, says so, and stays: for the tests to kill, or to start with
//! fewer privileges than they have.

use std::io::Write;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::collect::attach::probes::Sizes;
use leak_agent_tests::probed::Probed;

fn main() -> Result<()> {
    let pid = std::env::args().nth(1).context("usage: hold_probes PID")?.parse()?;
    let mut probed = Probed::load_pid(pid, Sizes::for_goroutines(1000), None)?;
    // Attached and detached without end: death comes at any moment of it.
    loop {
        probed.attach_all()?;
        writeln!(std::io::stdout(), "ATTACHED by {}", probed.probes.method())?;
        thread::sleep(Duration::from_millis(30));
        probed.detach_all()?;
    }
}
