//! `hold_probes PID [stay|cycle [perf-event]]`: attaches every probe to a Go program, says so, and stays (or detaches and
//! attaches again without end): for the tests to kill, or to start with fewer privileges than they have.

use std::io::Write;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::collect::attach::probes::{Method, Sizes};
use leak_agent_tests::probed::Probed;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: hold_probes PID [stay|cycle [perf-event]]";
    let pid = args.next().context(usage)?.parse()?;
    let cycles = args.next().as_deref() == Some("cycle");
    let method = args.next().map(|_| Method::PerfEvent);
    let mut probed = Probed::load_pid(pid, Sizes::for_goroutines(1000), method)?;
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
