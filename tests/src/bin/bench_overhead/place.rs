//! Who runs on which processor: the target has the first one, everybody else the rest.

use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use leak_agent_tests::target::{Target, path};

use crate::GO;

/// Leaves the first processor to the target, for this program and all that it starts.
pub fn take_the_rest() -> Result<()> {
    let last = thread::available_parallelism()?.get() - 1;
    if last == 0 {
        println!("There is one processor only: the load runs on the target's.");
        return Ok(());
    }
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset")
        .args(["-acp", &format!("1-{last}"), &own])
        .stdout(Stdio::null())
        .status()
        .context("cannot run taskset (Debian: util-linux)")?;
    ensure!(pinned.success(), "taskset failed: {pinned}");
    Ok(())
}

/// Starts the bench's own target, as built in a mode, on the first processor.
pub fn target(mode: &str) -> Result<Target> {
    let binary = path(GO, mode, "bench")?.display().to_string();
    Target::start_at("taskset".into(), &["-c", "0", &binary])
}
