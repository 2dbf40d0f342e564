//! The agent's own binary, built and run as a user runs it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The agent's binary: `LEAK_AGENT_BIN`, or the one beside the running test, built if need be.
///
/// # Errors
/// When it cannot be built.
pub fn binary() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build().map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    if let Some(path) = env::var_os("LEAK_AGENT_BIN") {
        return Ok(path.into());
    }
    // A test lies in target/<profile>/deps.
    let test = env::current_exe().context("where does this test lie?")?;
    let folder = test.parent().and_then(|deps| deps.parent()).context("no target folder")?;
    let mut cargo = Command::new(env!("CARGO"));
    // With the packages that `cargo test` builds: alone, the agent would be built of crates with other features.
    cargo.args(["build", "--quiet", "--package", "leak-agent", "--package", "leak-agent-tests"]);
    cargo.args(["--bin", "leak-agent"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo build of leak-agent failed: {status}");
    Ok(folder.join("leak-agent"))
}

/// Runs the agent to its end.
///
/// # Errors
/// When it cannot be built or started.
pub fn run(args: &[&str]) -> Result<Output> {
    Command::new(binary()?).args(args).output().context("cannot start the agent")
}
