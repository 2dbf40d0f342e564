//! Cargo subcommands that chores need: built once, kept under target/tools.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain::Toolchain;

/// A tool that is published as a crate, with a binary of its own name.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// The crate.
    pub name: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// What one has to wait for it, on two cores.
    pub takes: &'static str,
}

/// Gives the tool's binary, building it first when it is not there yet.
pub fn ensure(project: &Project, rust: Toolchain, tool: Tool) -> Result<PathBuf> {
    ensure_with(project, rust, tool, |_| {})
}

/// As [`ensure`], for a tool whose `cargo install` wants more than its name.
pub fn ensure_with(
    project: &Project,
    rust: Toolchain,
    tool: Tool,
    options: impl FnOnce(&mut Command),
) -> Result<PathBuf> {
    let Tool { name, version, takes } = tool;
    let home = project.tools().join(format!("{name}-{version}"));
    let binary = home.join("bin").join(name);
    if binary.is_file() {
        return Ok(binary);
    }
    say(format_args!("building {name} {version} into {} ({takes})", project.shown(&home)));
    let started = Instant::now();
    let build = project.tools().join("build");
    // Unoptimised and without debug info: these tools run for a second, their build takes minutes.
    let mut install = rust.cargo(project);
    install
        .args(["install", name, "--version", version, "--locked", "--debug", "--root"])
        .arg(&home)
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    options(&mut install);
    shell::run(&mut install).with_context(|| format!("{name} {version} could not be built"))?;
    std::fs::remove_dir_all(&build)
        .with_context(|| format!("cannot remove {}", build.display()))?;
    say(format_args!("{name} took {} s", started.elapsed().as_secs()));
    Ok(binary)
}
