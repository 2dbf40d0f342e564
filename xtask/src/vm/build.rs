//! Builds what runs in a guest: the agent and the test driver as static programs, and Go targets.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Arch;

/// The toolchain that the agent is built with.
const TOOLCHAIN: &str = "1.98.0";

/// What runs in a guest.
pub struct Programs {
    /// The agent.
    pub agent: PathBuf,
    /// The test driver, `tests/src/bin/guest.rs`.
    pub driver: PathBuf,
    /// Go programs by the name that they get in the guest, which says the Go version.
    pub targets: Vec<(String, PathBuf)>,
}

/// Builds everything for one architecture.
pub fn provide(root: &Path, arch: Arch, go_versions: &[&str]) -> Result<Programs> {
    let triple = match arch {
        Arch::Amd64 => "x86_64-unknown-linux-musl",
        Arch::Arm64 => "aarch64-unknown-linux-musl",
    };
    provide_standard_library(triple)?;
    // rust-lld comes with the toolchain and musl's start files with the target: no C compiler of
    // the guest's architecture is needed.
    let linker = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
    println!("vm: building the agent and the tests' driver for {triple}");
    succeed(
        Command::new("cargo")
            .arg(format!("+{TOOLCHAIN}"))
            .args(["build", "--quiet", "--profile", "guest", "--target", triple])
            .args(["-p", "leak-agent", "-p", "leak-agent-tests", "--bins"])
            .env(linker, "rust-lld")
            .current_dir(root),
    )?;
    let built = root.join("target").join(triple).join("guest");
    let mut targets = Vec::new();
    for version in go_versions {
        targets.push((format!("go{version}"), provide_go_target(root, arch, version)?));
    }
    Ok(Programs { agent: built.join("leak-agent"), driver: built.join("guest"), targets })
}

/// Brings the standard library for a target, unless it is there.
fn provide_standard_library(triple: &str) -> Result<()> {
    let output = Command::new("rustc")
        .arg(format!("+{TOOLCHAIN}"))
        .args(["--print", "target-libdir", "--target", triple])
        .output()
        .context("cannot run rustc")?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    println!("vm: installing Rust's {triple} through rustup");
    succeed(Command::new("rustup").args(["target", "add", "--toolchain", TOOLCHAIN, triple]))
}

/// Builds the Go target with a goroutine of every kind. Go caches what has not changed.
fn provide_go_target(root: &Path, arch: Arch, version: &str) -> Result<PathBuf> {
    let arch = arch.name();
    let built = root.join(format!("target/targets/{version}/{arch}/states"));
    println!("vm: building tests/targets/states with Go {version} for {arch}");
    succeed(
        Command::new("go")
            .args(["build", "-trimpath", "-o"])
            .arg(&built)
            .arg("./states")
            .env("GOTOOLCHAIN", format!("go{version}"))
            .envs([("GOARCH", arch), ("GOOS", "linux"), ("CGO_ENABLED", "0"), ("GOFLAGS", "")])
            .current_dir(root.join("tests/targets")),
    )?;
    Ok(built)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
