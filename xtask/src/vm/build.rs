//! Builds what runs in a guest: the agent and the test driver as static programs, and Go targets.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::shell::{self, say};
use crate::targets;
use crate::toolchain::{self, Toolchain};

use super::Arch;

/// The Go versions whose targets run in the guests: the oldest, one in between, the newest.
const GO_VERSIONS: [&str; 3] = ["1.21.13", "1.24.11", "1.27.3"];

/// What runs in a guest.
pub struct Programs {
    /// The agent.
    pub agent: PathBuf,
    /// The test driver, `tests/src/bin/guest`.
    pub driver: PathBuf,
    /// Go programs by the name that they get in the guest, which says the Go version.
    pub targets: Vec<(String, PathBuf)>,
}

/// Builds everything for one architecture.
pub fn provide(project: &Project, rust: Toolchain, arch: Arch) -> Result<Programs> {
    let (triple, mode) = match arch {
        Arch::Amd64 => ("x86_64-unknown-linux-musl", "exe"),
        Arch::Arm64 => ("aarch64-unknown-linux-musl", "arm64"),
    };
    provide_standard_library(triple)?;
    // rust-lld comes with the toolchain and musl's start files with the target: no C compiler of
    // the guest's architecture is needed, as long as the syntax of Go source is left out.
    let linker = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
    say(format_args!("building the agent and the tests' driver for {triple}"));
    shell::run(
        rust.cargo(project)
            .args(["build", "--locked", "--quiet", "--profile", "guest", "--target", triple])
            .args(["-p", "leak-agent", "-p", "leak-agent-tests", "--bins", "--no-default-features"])
            .env(linker, "rust-lld"),
    )?;
    let built = project.target().join(triple).join("guest");
    let targets = targets::provide(project, "states", mode, &GO_VERSIONS)?;
    let targets = GO_VERSIONS.iter().map(|version| format!("go{version}")).zip(targets).collect();
    Ok(Programs { agent: built.join("leak-agent"), driver: built.join("guest"), targets })
}

/// Brings the standard library for a target, unless it is there.
pub fn provide_standard_library(triple: &str) -> Result<()> {
    let mut ask = shell::command("rustup");
    ask.args(["run", toolchain::VERSION, "rustc", "--print", "target-libdir", "--target", triple]);
    let folder = shell::output(&mut ask)?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    say(format_args!("installing Rust's {triple} through rustup"));
    let add = ["target", "add", "--toolchain", toolchain::VERSION, triple];
    shell::run(shell::command("rustup").args(add)).context("rustup could not bring the target")
}
