//! `hold_probes PID [stay|cycle]`: attaches every probe to a Go program, says so, and stays (or detaches and attaches again
//! without end): for the tests to kill, or to start with fewer privileges than they have.

use std::io::Write;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::collect::attach::probes::Sizes;
use leak_agent_tests::probed::Probed;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let pid = args.next().context("usage: hold_probes PID [stay|cycle]")?.parse()?;
    let cycles = args.next().as_deref() == Some("cycle");
    let mut probed = Probed::load_pid(pid, Sizes::for_goroutines(1000), None)?;
    loop {
        probed.attach_all()?;
        writeln!(std::io::stdout(), "ATTACHED by {}", probed.probes.method())?;
        if cycles {
            probed.detach_all()?;
        } else {
            thread::sleep(Duration::from_secs(1));
        }
    }
}
