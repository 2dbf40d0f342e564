//! Who runs on which processor: the target has the first one, everybody else the rest.

use std::fs;
use std::path::{Path, PathBuf};
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
    start(&path(GO, mode, "bench")?)
}

/// Starts a copy of it there.
pub fn copied(mode: &str) -> Result<(Target, Copied)> {
    let original = path(GO, mode, "bench")?;
    let copy = Copied(original.with_extension("copy"));
    fs::copy(&original, &copy.0).with_context(|| format!("cannot write {}", copy.0.display()))?;
    Ok((start(&copy.0)?, copy))
}

fn start(binary: &Path) -> Result<Target> {
    Target::start_at("taskset".into(), &["-c", "0", &binary.display().to_string()])
}

/// A copied file. It is removed when this value is dropped.
pub struct Copied(PathBuf);

impl Drop for Copied {
    fn drop(&mut self) {
        // A file that cannot be removed is overwritten the next time.
        let _ = fs::remove_file(&self.0);
    }
}
